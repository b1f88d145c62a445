use tokio::signal::unix::{Signal, SignalKind, signal};

/// The signals that end a process: the first in the orderly way, the second at once.
struct Signals {
    term: Signal,
    int: Signal,
}

/// Takes the signals over from the system's default of ending the process. What is returned is ready at the first,
/// when `told` has run; the second ends the process at once, with the status that shells give for it.
///
/// # Panics
/// Where signals cannot be handled, or outside a tokio runtime with I/O.
pub(crate) fn first_signal(told: impl FnOnce() + Send + 'static) -> impl Future<Output = ()> + Send {
    let mut signals = Signals::take().expect("a process can handle its signals");
    let (tell, first) = tokio::sync::oneshot::channel();
    tokio::spawn(async move {
        let (signal, _) = signals.next().await;
        // Before it is said: whoever reads the log finds it so.
        told();
        tracing::info!(signal, "draining; a second signal ends at once");
        // What was to be drained may have ended by itself.
        let _ = tell.send(());
        let (signal, status) = signals.next().await;
        tracing::warn!(signal, "ending at once");
        std::process::exit(status);
    });
    async {
        // The task ends before it told anybody only with its runtime: that is the end too.
        let _ = first.await;
    }
}

impl Signals {
    fn take() -> std::io::Result<Self> {
        Ok(Self { term: signal(SignalKind::terminate())?, int: signal(SignalKind::interrupt())? })
    }

    /// The next one's name, and the exit status that shells give for it.
    async fn next(&mut self) -> (&'static str, i32) {
        tokio::select! {
            _ = self.term.recv() => ("SIGTERM", 128 + 15),
            _ = self.int.recv() => ("SIGINT", 128 + 2),
        }
    }
}
