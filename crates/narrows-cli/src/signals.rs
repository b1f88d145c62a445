use std::io;

use tokio::select;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// What asks the process to end: the first time politely, the second time at once.
pub(crate) struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    /// # Cancel safety
    ///
    /// No signal is lost when it is dropped.
    pub(crate) async fn next(&mut self) {
        select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
