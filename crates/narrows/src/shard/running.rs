//! Which code of a user's runs on a shard right now, and since when: one word, for the watchdog to look at.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::Shard;
use super::clock::coarse_millis;

/// Which of a consumer's methods, or what else of a user's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Method {
    /// A view, or whatever else answers an HTTP request.
    Request = 1,
    Scope,
    Connect,
    Decode,
    Receive,
    Malformed,
    Event,
    Timer,
    Encode,
    Disconnect,
    /// Whether identities hold.
    Check,
    Unrecovered,
}

impl Method {
    const ALL: [(Self, &'static str); 12] = [
        (Self::Request, "request"),
        (Self::Scope, "scope"),
        (Self::Connect, "connect"),
        (Self::Decode, "decode"),
        (Self::Receive, "receive"),
        (Self::Malformed, "malformed"),
        (Self::Event, "event"),
        (Self::Timer, "timer"),
        (Self::Encode, "encode"),
        (Self::Disconnect, "disconnect"),
        (Self::Check, "check"),
        (Self::Unrecovered, "unrecovered"),
    ];
}

/// Whose code, which part of it, and how long it may run before that is told.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Code {
    /// The consumer's number in [`Watch`](super::Watch).
    pub(crate) consumer: u16,
    pub(crate) method: Method,
    /// Zero is no limit.
    pub(crate) limit: Duration,
}

/// The word: when it began in 40 bits, the consumer in 16, the method in 8. Zero is nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Running(u64);

impl Running {
    pub(super) const NOTHING: Self = Self(0);
    const MILLIS: u64 = (1 << 40) - 1;

    fn new(millis: u64, consumer: u16, method: Method) -> Self {
        Self((millis & Self::MILLIS) << 24 | u64::from(consumer) << 8 | u64::from(method as u8))
    }

    fn began_at(self, millis: u64) -> Self {
        Self((millis & Self::MILLIS) << 24 | self.0 & ((1 << 24) - 1))
    }

    pub(super) fn consumer(self) -> u16 {
        (self.0 >> 8) as u16
    }

    pub(super) fn method(self) -> &'static str {
        Method::ALL.into_iter().find(|(method, _)| *method as u8 == self.0 as u8).map_or("", |(_, name)| name)
    }

    fn millis_at(self, millis: u64) -> u64 {
        (millis & Self::MILLIS).wrapping_sub(self.0 >> 24) & Self::MILLIS
    }

    /// How long it has been running; zero for nothing.
    pub(super) fn time(self) -> Duration {
        if self == Self::NOTHING {
            return Duration::ZERO;
        }
        Duration::from_millis(self.millis_at(coarse_millis()))
    }
}

/// Where a shard keeps the word. Only its own thread writes.
#[derive(Debug, Default)]
pub(super) struct RunningCell(AtomicU64);

impl RunningCell {
    pub(super) fn get(&self) -> Running {
        Running(self.0.load(Ordering::Relaxed))
    }

    fn set(&self, running: Running) {
        self.0.store(running.0, Ordering::Relaxed);
    }
}

/// Says that a user's code runs, until it is dropped; what took too long is told then.
pub(crate) struct Mark<'a> {
    shard: &'a Shard,
    outer: Running,
    limit: Duration,
}

impl Shard {
    /// Marks a user's code that is about to run; called on the shard's thread, for one poll of a future at the most:
    /// time in which it waits is not its own.
    pub(crate) fn mark(&self, code: Code) -> Mark<'_> {
        let outer = self.running.get();
        self.running.set(Running::new(coarse_millis(), code.consumer, code.method));
        Mark { shard: self, outer, limit: code.limit }
    }
}

impl Drop for Mark<'_> {
    fn drop(&mut self) {
        let (ran, now) = (self.shard.running.get(), coarse_millis());
        let millis = ran.millis_at(now);
        let mut outer = self.outer;
        if millis > 0 && !self.limit.is_zero() && Duration::from_millis(millis) > self.limit {
            self.shard.watch.tell(self.shard.index, ran, Duration::from_millis(millis));
            // What is told already is not to be told again of the view around an extractor.
            if outer != Running::NOTHING {
                outer = outer.began_at(now);
            }
        }
        self.shard.running.set(outer);
    }
}

/// Marks each poll of a future, where it runs on a shard.
pub(crate) async fn marked<T>(shard: Option<&Shard>, code: Code, work: impl Future<Output = T>) -> T {
    let mut work = std::pin::pin!(work);
    std::future::poll_fn(|cx| {
        let _mark = shard.map(|shard| shard.mark(code));
        work.as_mut().poll(cx)
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_word_holds_who_what_and_since_when() {
        for (method, name) in Method::ALL {
            let running = Running::new(Running::MILLIS + 1 + 5, 65_535, method);
            assert_eq!((running.consumer(), running.method()), (65_535, name));
            assert_eq!(running.millis_at(9), 4);
            assert_eq!(running.began_at(8).millis_at(9), 1);
            assert_eq!(running.began_at(8).method(), name);
        }
        // From the last moment that has a number to one after it.
        assert_eq!(Running::new(Running::MILLIS, 0, Method::Timer).millis_at(1), 2);
    }
}
