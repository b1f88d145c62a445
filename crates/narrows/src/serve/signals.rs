use tokio::signal::unix::{Signal, SignalKind, signal};

/// The signals that end a server: the first drains it, the second ends the process at once.
pub(super) struct Signals {
    term: Signal,
    int: Signal,
}

impl Signals {
    /// Takes the signals over from the system's default of ending the process.
    pub(super) fn take() -> std::io::Result<Self> {
        Ok(Self { term: signal(SignalKind::terminate())?, int: signal(SignalKind::interrupt())? })
    }

    /// The next one's name, and the exit status that shells give for it.
    pub(super) async fn next(&mut self) -> (&'static str, i32) {
        tokio::select! {
            _ = self.term.recv() => ("SIGTERM", 128 + 15),
            _ = self.int.recv() => ("SIGINT", 128 + 2),
        }
    }
}
