//! Stand-ins that loom sees into, for what futures-util and tokio bring without it.
//!
//! They promise what the originals document and no more, so a model proves our use of them, and not them.

use std::future::{Future, poll_fn};
use std::task::{Poll, Waker};

use super::{Mutex, lock};

/// For `futures_util::task::AtomicWaker`: wakes the waker that was registered last, once.
#[derive(Default)]
pub(crate) struct AtomicWaker(Mutex<Option<Waker>>);

impl AtomicWaker {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn register(&self, waker: &Waker) {
        *lock(&self.0) = Some(waker.clone());
    }

    pub(crate) fn wake(&self) {
        let waker = lock(&self.0).take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

/// For the half of `tokio::sync::Notify` that we use: `notify_waiters` ends every `notified` made before it.
#[derive(Default)]
pub(crate) struct Notify(Mutex<(u64, Vec<Waker>)>);

impl Notify {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn notified(&self) -> impl Future<Output = ()> + '_ {
        let made_at = lock(&self.0).0;
        poll_fn(move |cx| {
            let mut state = lock(&self.0);
            if state.0 != made_at {
                return Poll::Ready(());
            }
            state.1.push(cx.waker().clone());
            Poll::Pending
        })
    }

    pub(crate) fn notify_waiters(&self) {
        let mut state = lock(&self.0);
        state.0 += 1;
        let waiting = std::mem::take(&mut state.1);
        drop(state);
        waiting.into_iter().for_each(Waker::wake);
    }
}
