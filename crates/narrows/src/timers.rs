use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep};

/// A timer of one connection, for [`Connection::cancel`](crate::Connection::cancel).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Timer(u64);

impl Timer {
    /// Of a connection that is gone; no timer has this number.
    pub(crate) const NONE: Self = Self(0);
}

/// A connection's timers. All of them cost one runtime timer, made when the first is set.
pub(crate) struct Timers<E> {
    entries: Vec<Entry<E>>,
    sleep: Option<Pin<Box<Sleep>>>,
    last: u64,
}

struct Entry<E> {
    id: u64,
    at: Instant,
    kind: Kind<E>,
}

enum Kind<E> {
    Once(Option<E>),
    Every(Duration, Box<dyn FnMut() -> E + Send>),
}

impl<E> Timers<E> {
    pub(crate) fn new() -> Self {
        Self { entries: Vec::new(), sleep: None, last: 0 }
    }

    pub(crate) fn after(&mut self, delay: Duration, event: E) -> Timer {
        self.add(delay, Kind::Once(Some(event)))
    }

    pub(crate) fn every(&mut self, period: Duration, make: impl FnMut() -> E + Send + 'static) -> Timer {
        // A period of zero would leave no time for anything else.
        let period = period.max(Duration::from_millis(1));
        self.add(period, Kind::Every(period, Box::new(make)))
    }

    pub(crate) fn cancel(&mut self, timer: Timer) -> bool {
        let before = self.entries.len();
        self.entries.retain(|entry| entry.id != timer.0);
        self.entries.len() < before
    }

    fn add(&mut self, delay: Duration, kind: Kind<E>) -> Timer {
        self.last += 1;
        self.entries.push(Entry { id: self.last, at: from_now(delay), kind });
        Timer(self.last)
    }

    /// Ready with the event of the timer that is due first.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<E> {
        loop {
            let Some(first) = (0..self.entries.len()).min_by_key(|i| self.entries[*i].at) else {
                self.sleep = None;
                return Poll::Pending;
            };
            let at = self.entries[first].at;
            let sleep = self.sleep.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(at)));
            if sleep.deadline() != at {
                sleep.as_mut().reset(at);
            }
            std::task::ready!(sleep.as_mut().poll(cx));
            let entry = &mut self.entries[first];
            match &mut entry.kind {
                Kind::Every(period, make) => {
                    // From now, not from when it was due: a connection that was held up gets one event, not all
                    // that it missed.
                    entry.at = from_now(*period);
                    return Poll::Ready(make());
                }
                Kind::Once(event) => {
                    let event = event.take();
                    self.entries.swap_remove(first);
                    if let Some(event) = event {
                        return Poll::Ready(event);
                    }
                }
            }
        }
    }
}

/// A delay beyond what the clock can count is as good as never.
fn from_now(delay: Duration) -> Instant {
    const NEVER: Duration = Duration::from_secs(30 * 365 * 24 * 3600);
    let now = Instant::now();
    now.checked_add(delay).unwrap_or(now + NEVER)
}
