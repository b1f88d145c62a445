use std::io;

use super::error::BenchError;
use super::frame::Garbage;
use super::handshake::Refusal;

/// How a connection ended.
#[derive(Debug, thiserror::Error)]
pub(super) enum End {
    #[error("cannot connect: {0}")]
    Connect(io::Error),
    #[error("the handshake was not answered: {0}")]
    Handshake(io::Error),
    #[error("the handshake was refused with \"{0}\"")]
    Refused(String),
    #[error("{0}")]
    Garbage(String),
    /// The server sent a close frame.
    #[error("{0}")]
    Closed(String),
    /// The TCP connection went without one.
    #[error("the connection went without a close frame: {0}")]
    Lost(io::Error),
    /// We asked for it.
    #[error("we closed it")]
    Left,
}

impl End {
    /// By a close frame.
    pub(super) fn closed(payload: &[u8]) -> Self {
        Self::Closed(match payload.split_first_chunk() {
            Some((code, reason)) => {
                format!("closed with {} {}", u16::from_be_bytes(*code), shown(reason))
            }
            None => "closed without a code".to_owned(),
        })
    }

    /// By something else than what the protocol has there.
    pub(super) fn unexpected(expected: &str, payload: &[u8]) -> Self {
        Self::Garbage(format!("it sent \"{}\" instead of {expected}", shown(payload)))
    }

    /// What it means for a run that needs all its connections, of which so many are open.
    pub(super) fn into_error(self, url: &str, number: usize) -> BenchError {
        let url = url.to_owned();
        match self {
            // The one when binding, the other when connecting.
            Self::Connect(error)
                if matches!(error.kind(), io::ErrorKind::AddrInUse | io::ErrorKind::AddrNotAvailable) =>
            {
                BenchError::NoPort { number }
            }
            Self::Connect(source) => BenchError::Connect { url, number, source },
            Self::Handshake(source) => BenchError::Handshake { url, number, source },
            Self::Refused(status) => BenchError::Refused { url, status },
            Self::Garbage(what) => BenchError::Garbage { url, what },
            ended => BenchError::Closed { closed: 1, of: number.max(1), why: ended.to_string() },
        }
    }

    /// Whether another try may succeed: a server's queue of new connections may have been full.
    pub(super) fn is_passing(&self) -> bool {
        let (Self::Connect(error) | Self::Handshake(error)) = self else { return false };
        matches!(error.kind(), io::ErrorKind::ConnectionReset | io::ErrorKind::UnexpectedEof)
    }
}

impl From<Refusal> for End {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Status(status) => Self::Refused(status),
            Refusal::Accept => Self::Garbage("its 101 has no right Sec-WebSocket-Accept".to_owned()),
            Refusal::NotHttp => Self::Garbage("its answer to the handshake is not HTTP".to_owned()),
        }
    }
}

impl From<Garbage> for End {
    fn from(garbage: Garbage) -> Self {
        Self::Garbage(format!("it sent {}", garbage.0))
    }
}

/// A server's bytes, as they may go to a terminal.
fn shown(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).chars().filter(|c| !c.is_control()).take(80).collect()
}
