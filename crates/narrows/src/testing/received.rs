use std::fmt;

use bytes::Bytes;
use serde::de::DeserializeOwned;

use crate::codec::{Codec, Incoming, Payload};

/// What a [`TestClient`](super::TestClient) got from its server.
///
/// ```
/// use narrows::testing::Received;
///
/// let end = Received::Closed { code: 4001, reason: "kicked".into() };
/// assert_eq!(end.to_string(), r#"the end of the connection: 4001 "kicked""#);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Received {
    /// A text message.
    Text(String),
    /// A binary message.
    Binary(Bytes),
    /// The end. As browsers show it: 1005 when the server's close frame had no code, 1006 when the
    /// connection was lost without one.
    Closed {
        /// The close code.
        code: u16,
        /// The reason beside it.
        reason: String,
    },
}

impl Received {
    /// Reads a message as a value.
    pub(super) fn decode<T: DeserializeOwned + Send + 'static>(&self, codec: Codec) -> Result<T, String> {
        let payload = match self {
            Self::Text(text) => Payload::Text(text),
            Self::Binary(bytes) => Payload::Binary(bytes),
            Self::Closed { .. } => return Err("it is no message".to_owned()),
        };
        T::decode(payload, codec).map_err(|error| error.to_string())
    }
}

/// Longer messages are cut where they are shown.
const SHOWN_BYTES: usize = 600;

impl fmt::Display for Received {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => {
                let shown = &text[..text.floor_char_boundary(SHOWN_BYTES)];
                let cut = if shown.len() < text.len() { "…" } else { "" };
                write!(f, "the text {shown:?}{cut}")
            }
            Self::Binary(bytes) => {
                let shown = &bytes[..bytes.len().min(32)];
                let cut = if shown.len() < bytes.len() { " …" } else { "" };
                write!(f, "{} binary bytes: {shown:02x?}{cut}", bytes.len())
            }
            Self::Closed { code: 1006, .. } => f.write_str("the loss of the connection (1006)"),
            Self::Closed { code, reason } => write!(f, "the end of the connection: {code} {reason:?}"),
        }
    }
}
