//! The primitives that cross threads, so that loom can take their place in its models.

pub(crate) use std::sync::Arc;

#[cfg(narrows_loom)]
pub(crate) use loom::sync::{Mutex, MutexGuard};
#[cfg(not(narrows_loom))]
pub(crate) use std::sync::{Mutex, MutexGuard};

/// Locks. No code panics while it holds one of our locks, so a poisoned one is as good as new.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
