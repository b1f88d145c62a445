use std::io;
use std::thread;

use narrows_core::LayerError;
use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;

/// The layer's own thread, on which its connections live: whatever runs elsewhere, Redis is always read.
///
/// Redis ends a link whose reader falls behind, with all that waits in it; on a runtime of the site's, one blocking
/// call could bring that about.
#[derive(Debug)]
pub(crate) struct Thread {
    runtime: Handle,
    /// The thread ends when this is dropped.
    _alive: oneshot::Sender<()>,
}

impl Thread {
    pub(crate) fn start() -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        let (alive, ended) = oneshot::channel();
        thread::Builder::new().name("narrows-redis".into()).spawn(move || {
            // An error is the sign: the other half is dropped, never used.
            let _ = runtime.block_on(ended);
        })?;
        Ok(Self { runtime: handle, _alive: alive })
    }

    pub(crate) fn handle(&self) -> Handle {
        self.runtime.clone()
    }

    /// Does a piece of work there, whatever runtime and clock the caller has; to its end, also when the caller goes.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, LayerError>> + Send + 'static,
    ) -> Result<T, LayerError> {
        run_on(&self.runtime, work).await
    }
}

/// Does a piece of work on a layer's thread, for those that do not keep it alive.
pub(crate) async fn run_on<T: Send + 'static>(
    thread: &Handle,
    work: impl Future<Output = Result<T, LayerError>> + Send + 'static,
) -> Result<T, LayerError> {
    thread.spawn(work).await.unwrap_or(Err(LayerError::Closed))
}
