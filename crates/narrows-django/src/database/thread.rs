use std::{io, panic, thread};

use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;

use super::DatabaseError;

/// The database's own thread, on which its connections are opened and read.
///
/// A connection is woken by the runtime on which it was opened. The pool hands it to whoever asks next, on whichever
/// shard: without this thread, one that is held up there – or has ended – would hold up the others' queries too.
#[derive(Debug)]
pub(super) struct Thread {
    runtime: Handle,
    /// The thread ends when this is dropped.
    _alive: oneshot::Sender<()>,
}

impl Thread {
    pub(super) fn start() -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        let (alive, ended) = oneshot::channel();
        thread::Builder::new().name("narrows-database".into()).spawn(move || {
            // An error is the sign: the other half is dropped, never used.
            let _ = runtime.block_on(ended);
        })?;
        Ok(Self { runtime: handle, _alive: alive })
    }

    pub(super) fn handle(&self) -> &Handle {
        &self.runtime
    }

    /// Does a piece of work there, to its end, also when the caller goes.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, DatabaseError>> + Send + 'static,
    ) -> Result<T, DatabaseError> {
        match self.runtime.spawn(work).await {
            Ok(done) => done,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => panic::resume_unwind(panic),
                // The process ends: the runtime was shut down.
                Err(error) => Err(DatabaseError::Connect(Box::new(error))),
            },
        }
    }
}
