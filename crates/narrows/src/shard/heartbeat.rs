use std::time::Duration;

use bytes::Bytes;

use super::outbox::{Frame, FrameKind};
use super::slot::{End, SlotKey};
use super::socket::Socket;
use super::state::State;
use crate::limits::Limits;
use crate::stats::DropReason;

/// An empty ping, unmasked (RFC 6455, 5.5.2).
const PING: Bytes = Bytes::from_static(&[0x89, 0]);

/// How often the heartbeat ticks, so that no limit is off by more than an eighth, or a second.
pub(super) fn tick_for(limits: &Limits) -> Duration {
    let times = [limits.ping_interval, limits.ping_timeout, limits.idle_timeout, limits.write_timeout];
    let shortest = times.into_iter().filter(|t| !t.is_zero()).min().unwrap_or(Duration::MAX);
    (shortest / 8).clamp(Duration::from_millis(5), Duration::from_secs(1))
}

/// What a look at a connection brought about.
struct Look {
    /// Ticks until the next one.
    next: u32,
    /// The client is to be asked whether it is still there.
    pings: bool,
}

impl State {
    /// One tick of the heartbeat: pings who is silent, ends who is gone.
    pub(super) fn heartbeat(&mut self) {
        // One frame for all who are due a ping: it takes one number of the tick, and they share it.
        let mut ping = None;
        for key in self.wheel.advance() {
            let Some(Look { next, pings }) = self.check(key) else { continue };
            self.wheel.insert(key, next);
            if pings {
                let number = *ping
                    .get_or_insert_with(|| self.number(Frame { bytes: PING, key: 0, kind: FrameKind::Ping }));
                self.due(key.index, number);
            }
        }
    }

    /// Looks after one connection; `None` when it needs no more of that.
    fn check(&mut self, key: SlotKey) -> Option<Look> {
        let now = self.wheel.now;
        let slot = self.slots.get(key)?;
        if slot.closing || slot.end.is_some() || matches!(slot.socket, Socket::Pending) {
            return None;
        }
        let limits = &slot.settings.as_ref().expect("a live slot has settings").limits;
        let since = |then: u32| now.wrapping_sub(then);
        let mut next = u32::MAX;
        // Remaining ticks of a limit: 0 when it is reached.
        let mut left = |limit: Duration, spent: u32| {
            let left = self.wheel.ticks(limit).saturating_sub(spent);
            next = next.min(left);
            left
        };
        if slot.blocked {
            if !limits.write_timeout.is_zero() && left(limits.write_timeout, since(slot.blocked_at)) == 0 {
                let dropped = slot.outbox.as_mut().map_or(0, |outbox| outbox.clear());
                self.counters.drop_of(DropReason::SlowConsumer, dropped);
                slot.finish(End::Slow);
                slot.closing = true;
                return None;
            }
        } else {
            if !limits.write_timeout.is_zero() {
                // In time, should the socket be full from now on.
                left(limits.write_timeout, 0);
            }
            if !limits.idle_timeout.is_zero() && left(limits.idle_timeout, since(slot.message_at)) == 0 {
                slot.finish(End::Idle);
                return None;
            }
        }
        let mut ping = false;
        if !limits.ping_interval.is_zero() {
            if slot.pinged_at.is_some_and(|at| since(slot.heard_at) <= since(at)) {
                slot.pinged_at = None;
            }
            match slot.pinged_at {
                // A consumer that does not read at the moment is no proof that the client is gone.
                Some(at) if left(limits.ping_timeout, since(at)) == 0 && slot.reading => {
                    slot.finish(End::PingTimeout);
                    return None;
                }
                Some(_) => {}
                None if left(limits.ping_interval, since(slot.heard_at)) == 0 => {
                    slot.pinged_at = Some(now);
                    ping = true;
                    left(limits.ping_timeout, 0);
                }
                None => {}
            }
        }
        Some(Look { next: next.clamp(1, 200), pings: ping })
    }
}
