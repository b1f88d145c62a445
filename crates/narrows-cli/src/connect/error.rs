use std::io;
use std::path::PathBuf;
use std::time::Duration;

use super::exit::Exit;
use super::refusal::Refusal;

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub(super) enum ConnectError {
    /// The name of the host.
    #[error("cannot find the host `{host}`: {source}")]
    Resolve { host: String, source: io::Error },
    /// TCP, or the unix socket.
    #[error("cannot connect to {to}: {source}")]
    Connect { to: String, source: io::Error },
    /// Certificates, or a server that speaks something else.
    #[error("no TLS with {host}: {why}")]
    Tls { host: String, why: String, hint: &'static str },
    /// The file of `--ca`.
    #[error("--ca {}: {why}", path.display())]
    Ca { path: PathBuf, why: String },
    /// The system has none.
    #[error("this system has no certificates to check the server's with")]
    NoCertificates,
    /// Any of the steps.
    #[error("{to} did not answer within {within:?}")]
    TimedOut { to: String, within: Duration },
    /// In the handshake.
    #[error("the connection to {to} was lost in the handshake: {source}")]
    Lost { to: String, source: io::Error },
    /// The server sent nothing.
    #[error("{to} ended the connection without an answer")]
    NoAnswer { to: String },
    /// What came is no HTTP.
    #[error("{to} does not speak HTTP: {why}")]
    NotHttp { to: String, why: String, hint: &'static str },
    /// HTTP, but not what was asked for.
    #[error("{0}")]
    Refused(Refusal),
}

impl ConnectError {
    pub(super) fn exit(&self) -> Exit {
        match self {
            Self::Ca { .. } => Exit::Local,
            Self::Refused(_) => Exit::Refused,
            _ => Exit::NotConnected,
        }
    }

    /// What to try, if there is something.
    pub(super) fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Tls { hint, .. } | Self::NotHttp { hint, .. } => (*hint).to_owned(),
            Self::NoAnswer { .. } => "a server that speaks TLS on this port is reached by wss://".to_owned(),
            Self::NoCertificates => "--ca FILE names some, --insecure does without".to_owned(),
            Self::Refused(refusal) => refusal.hint.clone(),
            Self::Connect { source, .. } if source.kind() == io::ErrorKind::ConnectionRefused => {
                "no server listens there".to_owned()
            }
            _ => String::new(),
        };
        (!hint.is_empty()).then_some(hint)
    }
}
