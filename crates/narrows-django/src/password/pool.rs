//! Hashing off the threads that serve.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Semaphore;

/// How much hashing goes on at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct HashThreads {
    /// How many passwords are hashed at once. Default the number of cores. With Argon2 each takes 100 MiB.
    pub threads: NonZeroUsize,
    /// How many wait for that; who comes then is told to come again, by a 503. Default 16 for each thread.
    pub waiting: usize,
}

impl Default for HashThreads {
    fn default() -> Self {
        let threads = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        Self { threads, waiting: 16 * threads.get() }
    }
}

/// Too many passwords are being hashed: a 503.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many passwords are being checked just now")]
#[non_exhaustive]
pub struct Busy;

/// Runs what hashes.
#[derive(Debug)]
pub(crate) struct Pool {
    free: Arc<Semaphore>,
    /// Those that wait, and those that run.
    inside: Arc<AtomicUsize>,
    room: usize,
}

impl Pool {
    pub(crate) fn new(settings: HashThreads) -> Self {
        Self {
            free: Arc::new(Semaphore::new(settings.threads.get().min(Semaphore::MAX_PERMITS))),
            inside: Arc::default(),
            room: settings.threads.get().saturating_add(settings.waiting),
        }
    }

    /// Runs it, when it is its turn.
    ///
    /// # Cancel safety
    /// Who no longer waits loses their place. What already runs goes on to its end and keeps its thread until then.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Busy> {
        let place = Place::take(&self.inside, self.room)?;
        let free = Arc::clone(&self.free).acquire_owned().await;
        let free = free.expect("the semaphore is never closed");
        let running = tokio::task::spawn_blocking(move || {
            let done = work();
            drop((free, place));
            done
        });
        match running.await {
            Ok(done) => Ok(done),
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                // The runtime ends.
                Err(_) => Err(Busy),
            },
        }
    }
}

/// A place among those that wait or run.
struct Place(Arc<AtomicUsize>);

impl Place {
    fn take(inside: &Arc<AtomicUsize>, room: usize) -> Result<Self, Busy> {
        inside
            .try_update(Ordering::Relaxed, Ordering::Relaxed, |n| (n < room).then_some(n + 1))
            .map(|_| Self(Arc::clone(inside)))
            .map_err(|_| Busy)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
