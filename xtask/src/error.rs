use std::io;
use std::path::PathBuf;

/// Why a task ended early.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The command line was wrong.
    #[error("{0}")]
    Usage(String),
    /// A program was run and did not succeed.
    #[error("{command} failed ({status})")]
    Command { command: String, status: String },
    /// A program could not be run at all.
    #[error("cannot run {command}: {source}")]
    Start { command: String, source: io::Error },
    /// A file could not be read or written.
    #[error("{}: {source}", path.display())]
    File { path: PathBuf, source: io::Error },
    /// A check did not hold.
    #[error("{0}")]
    Check(String),
    /// A step of several failed.
    #[error("step {step} failed: {source}")]
    Step { step: &'static str, source: Box<Failure> },
}
