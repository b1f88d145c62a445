use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use serde_json::Value;

use super::process::Log;

/// What Python raised. Its text shows the traceback.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{class}: {text}\n{traceback}")]
pub struct PythonError {
    /// The name of the exception's class, such as `ChannelFull`.
    pub class: String,
    /// The exception as text.
    pub text: String,
    /// Where it came from, as Python prints it.
    pub traceback: String,
}

/// A call that Python works on: [`wait`](Self::wait) for it in a thread, or `.await` it in a task.
///
/// The call was sent already, so several can be under way at once. Dropping this does not cancel it. Python itself
/// gives a call up with `TimeoutError` when its Redis does not answer for 25 s.
///
/// # Cancel safety
///
/// A dropped future loses the outcome, not the call.
#[must_use]
pub struct Pending<T> {
    slot: Arc<Slot>,
    read: Option<Box<dyn FnOnce(Value) -> T + Send>>,
    patience: Duration,
    log: Arc<Log>,
}

impl<T> Pending<T> {
    pub(crate) fn new(
        slot: Arc<Slot>,
        patience: Duration,
        log: Arc<Log>,
        read: impl FnOnce(Value) -> T + Send + 'static,
    ) -> Self {
        Self { slot, read: Some(Box::new(read)), patience, log }
    }

    /// Waits for the outcome in this thread.
    ///
    /// # Errors
    ///
    /// What Python raised.
    ///
    /// # Panics
    ///
    /// When Python says nothing for half a minute longer than the call may take; with the end of what it logged.
    pub fn wait(mut self) -> Result<T, PythonError> {
        let state = self.slot.lock();
        let waiting = |state: &mut State| state.outcome.is_none();
        let (mut state, _) = self
            .slot
            .changed
            .wait_timeout_while(state, self.patience, waiting)
            .unwrap_or_else(PoisonError::into_inner);
        let outcome = state.outcome.take();
        drop(state);
        let Some(outcome) = outcome else {
            panic!("Python did not answer within {:?}{}", self.patience, self.log.shown())
        };
        self.finish(outcome)
    }

    fn finish(&mut self, outcome: Result<Value, PythonError>) -> Result<T, PythonError> {
        let read = self.read.take().expect("a future that is done is not polled again");
        outcome.map(read)
    }
}

impl<T> Future for Pending<T> {
    type Output = Result<T, PythonError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.slot.lock();
        let Some(outcome) = state.outcome.take() else {
            state.waker = Some(context.waker().clone());
            return Poll::Pending;
        };
        drop(state);
        Poll::Ready(self.finish(outcome))
    }
}

impl<T> fmt::Debug for Pending<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pending").field("slot", &self.slot).finish_non_exhaustive()
    }
}

/// Where the outcome of a call will be.
#[derive(Debug, Default)]
pub(crate) struct Slot {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    outcome: Option<Result<Value, PythonError>>,
    waker: Option<Waker>,
}

impl Slot {
    pub(crate) fn set(&self, outcome: Result<Value, PythonError>) {
        let mut state = self.lock();
        state.outcome = Some(outcome);
        let waker = state.waker.take();
        drop(state);
        self.changed.notify_all();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
