use std::io;
use std::time::Duration;

use super::exit::Exit;
use super::shown;

/// How a connection ended, or why it was ended.
#[derive(Debug)]
pub(super) enum Ending {
    /// The server closed, or answered our close.
    Closed {
        code: Option<u16>,
        reason: String,
        /// The code of our own close, if we closed first.
        asked: Option<Option<u16>>,
    },
    /// Our close was not answered: not in this time, or the connection ended before.
    Unanswered { within: Option<Duration> },
    /// The connection ended without a close.
    Lost(String),
    /// Nothing came for so long, in spite of a ping.
    Silent(Duration),
    /// The server does not keep to RFC 6455, or to `--max-message-bytes`.
    Broken(String),
    /// What was waited for did not come.
    NotMet(String),
    /// A line of the input cannot be sent.
    Wrong(String),
    /// The standard output.
    Output(io::Error),
}

impl Ending {
    pub(super) fn exit(&self) -> Exit {
        match self {
            Self::Closed { code: None | Some(1000 | 1001), .. } => Exit::AsWanted,
            // A server that answers a close says the same as we did.
            Self::Closed { code, asked: Some(asked), .. } if code == asked => Exit::AsWanted,
            Self::Closed { .. } => Exit::ClosedByServer,
            Self::Unanswered { .. } | Self::Lost(_) | Self::Silent(_) | Self::Broken(_) => Exit::Lost,
            Self::NotMet(_) => Exit::NotMet,
            Self::Wrong(_) | Self::Output(_) => Exit::Local,
        }
    }
}

impl std::fmt::Display for Ending {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Closed { code, reason, asked: Some(asked) } if code == asked => {
                write!(f, "closed: {}", shown::describe(*code, reason))
            }
            Self::Closed { code, reason, .. } => {
                write!(f, "the server closed the connection: {}", shown::describe(*code, reason))
            }
            Self::Unanswered { within: Some(within) } => {
                write!(f, "the server did not answer the close within {within:?}")
            }
            Self::Unanswered { within: None } => {
                f.write_str("the connection ended without an answer to the close")
            }
            Self::Lost(why) => write!(f, "the connection was lost: {why}"),
            Self::Silent(time) => {
                write!(f, "the connection was lost: nothing came for {time:?}, a ping was out")
            }
            Self::Broken(why) => write!(f, "the connection was ended: {why}"),
            Self::NotMet(what) => f.write_str(what),
            Self::Wrong(why) => f.write_str(why),
            Self::Output(error) => write!(f, "cannot write the output: {error}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_to_our_close_may_have_its_code() {
        let closed = |code, asked| Ending::Closed { code, reason: String::new(), asked }.exit();
        assert_eq!(closed(Some(4000), Some(Some(4000))), Exit::AsWanted);
        assert_eq!(closed(Some(4000), Some(Some(1000))), Exit::ClosedByServer);
        assert_eq!(closed(Some(4000), None), Exit::ClosedByServer);
        assert_eq!(closed(Some(1001), None), Exit::AsWanted);
        assert_eq!(closed(None, None), Exit::AsWanted);
    }
}
