//! The primitives that cross threads, so that loom can take their place in its models.
//!
//! `RUSTFLAGS="--cfg narrows_loom" cargo test -p narrows --lib loom --release` runs the models: the modules
//! `loom_tests` beside the code. The cfg has a name of its own, as plain `loom` would change tokio too.

#[cfg(narrows_loom)]
mod modelled;

pub(crate) use std::sync::Arc;

#[cfg(narrows_loom)]
pub(crate) use self::modelled::{AtomicWaker, Notify};
#[cfg(not(narrows_loom))]
pub(crate) use futures_util::task::AtomicWaker;
#[cfg(narrows_loom)]
pub(crate) use loom::sync::{Mutex, MutexGuard};
#[cfg(not(narrows_loom))]
pub(crate) use std::sync::{Mutex, MutexGuard};
#[cfg(not(narrows_loom))]
pub(crate) use tokio::sync::Notify;

/// Locks. No code panics while it holds one of our locks, so a poisoned one is as good as new.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
