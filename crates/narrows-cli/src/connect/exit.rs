use std::process::ExitCode;

/// What the exit code tells a script; the list in the help says the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Exit {
    AsWanted = 0,
    Local = 1,
    NotConnected = 2,
    Refused = 3,
    ClosedByServer = 4,
    Lost = 5,
    NotMet = 6,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
