//! What consumers receive and send: typed messages and raw ones, and how they are written.

use std::fmt;

use bytes::Bytes;
use narrows_core::PayloadFormat;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// How typed messages are written on a socket.
///
/// ```
/// # use narrows::Codec;
/// assert_eq!(Codec::default(), Codec::Json);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Codec {
    /// JSON in text frames.
    #[default]
    Json,
    /// MessagePack, structs as maps, in binary frames.
    MsgPack,
}

/// What one message from a client holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Payload<'a> {
    /// A text message; valid UTF-8.
    Text(&'a str),
    /// A binary message.
    Binary(&'a [u8]),
}

/// The kind of a message to a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PayloadKind {
    /// Text; the bytes must be UTF-8.
    Text,
    /// Binary.
    Binary,
}

/// What a consumer can receive: any type that serde can read, or a [`Raw`], [`Text`] or [`Binary`] message.
///
/// ```
/// use narrows::codec::{Codec, Incoming, Payload};
///
/// #[derive(serde::Deserialize)]
/// #[serde(tag = "type", rename_all = "lowercase")]
/// enum ClientMsg { Say { text: String } }
///
/// let ClientMsg::Say { text } =
///     ClientMsg::decode(Payload::Text(r#"{"type":"say","text":"hi"}"#), Codec::Json)?;
/// assert_eq!(text, "hi");
/// # Ok::<(), narrows::codec::DecodeError>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "a consumer cannot receive `{Self}`",
    label = "not readable from a client's message",
    note = "derive `serde::Deserialize` for it, or use `narrows::Raw` for messages as they come"
)]
pub trait Incoming: Sized + Send + 'static {
    /// Reads one message.
    ///
    /// # Errors
    /// When the message is not such a value; the connection stays (see [`Consumer::malformed`]).
    ///
    /// [`Consumer::malformed`]: crate::Consumer::malformed
    fn decode(payload: Payload<'_>, codec: Codec) -> Result<Self, DecodeError>;
}

/// What a consumer can send: any type that serde can write, or a [`Raw`], [`Text`] or [`Binary`] message.
#[diagnostic::on_unimplemented(
    message = "a consumer cannot send `{Self}`",
    label = "not writable as a message to a client",
    note = "derive `serde::Serialize` for it, or use `narrows::Raw` for messages as they are"
)]
pub trait Outgoing: Send + 'static {
    /// Whether what it writes as text is UTF-8 by its make, and need not be checked.
    #[doc(hidden)]
    const WRITES_UTF8: bool = false;

    /// Appends the message to `out` and says what kind it is.
    ///
    /// # Errors
    /// When the value cannot be written; nothing is sent then.
    fn encode(&self, codec: Codec, out: &mut Vec<u8>) -> Result<PayloadKind, EncodeError>;
}

// So that an error speaks of consumers, and not of every type that serde knows.
#[diagnostic::do_not_recommend]
impl<T: DeserializeOwned + Send + 'static> Incoming for T {
    fn decode(payload: Payload<'_>, codec: Codec) -> Result<Self, DecodeError> {
        match (codec, payload) {
            (Codec::Json, Payload::Text(text)) => serde_json::from_str(text).map_err(DecodeError::new),
            (Codec::MsgPack, Payload::Binary(bytes)) => {
                let mut reader = rmp_serde::Deserializer::from_read_ref(bytes);
                reader.set_max_depth(PayloadFormat::MAX_DEPTH);
                T::deserialize(&mut reader).map_err(DecodeError::new)
            }
            (Codec::Json, Payload::Binary(_)) => Err(DecodeError::new("expected JSON in a text message")),
            (Codec::MsgPack, Payload::Text(_)) => {
                Err(DecodeError::new("expected MessagePack in a binary message"))
            }
        }
    }
}

// As above.
#[diagnostic::do_not_recommend]
impl<T: Serialize + Send + 'static> Outgoing for T {
    const WRITES_UTF8: bool = true;

    fn encode(&self, codec: Codec, out: &mut Vec<u8>) -> Result<PayloadKind, EncodeError> {
        write_value(self, codec, out)
    }
}

pub(crate) fn write_value<T: Serialize + ?Sized>(
    value: &T,
    codec: Codec,
    out: &mut Vec<u8>,
) -> Result<PayloadKind, EncodeError> {
    match codec {
        Codec::Json => {
            serde_json::to_writer(out, value).map_err(EncodeError::new)?;
            Ok(PayloadKind::Text)
        }
        Codec::MsgPack => {
            let mut serializer = rmp_serde::Serializer::new(out).with_struct_map();
            value.serialize(&mut serializer).map_err(EncodeError::new)?;
            Ok(PayloadKind::Binary)
        }
    }
}

/// A message as it comes and goes, text or binary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Raw {
    /// A text message.
    Text(String),
    /// A binary message.
    Binary(Bytes),
}

/// A text message as it comes and goes; a binary one does not decode.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text(pub String);

/// A binary message as it comes and goes; a text one does not decode.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binary(pub Bytes);

impl Incoming for Raw {
    fn decode(payload: Payload<'_>, _: Codec) -> Result<Self, DecodeError> {
        Ok(match payload {
            Payload::Text(text) => Self::Text(text.to_owned()),
            Payload::Binary(bytes) => Self::Binary(Bytes::copy_from_slice(bytes)),
        })
    }
}

impl Outgoing for Raw {
    const WRITES_UTF8: bool = true;

    fn encode(&self, _: Codec, out: &mut Vec<u8>) -> Result<PayloadKind, EncodeError> {
        match self {
            Self::Text(text) => {
                out.extend_from_slice(text.as_bytes());
                Ok(PayloadKind::Text)
            }
            Self::Binary(bytes) => {
                out.extend_from_slice(bytes);
                Ok(PayloadKind::Binary)
            }
        }
    }
}

impl Incoming for Text {
    fn decode(payload: Payload<'_>, _: Codec) -> Result<Self, DecodeError> {
        match payload {
            Payload::Text(text) => Ok(Self(text.to_owned())),
            Payload::Binary(_) => Err(DecodeError::new("expected a text message")),
        }
    }
}

impl Outgoing for Text {
    const WRITES_UTF8: bool = true;

    fn encode(&self, _: Codec, out: &mut Vec<u8>) -> Result<PayloadKind, EncodeError> {
        out.extend_from_slice(self.0.as_bytes());
        Ok(PayloadKind::Text)
    }
}

impl Incoming for Binary {
    fn decode(payload: Payload<'_>, _: Codec) -> Result<Self, DecodeError> {
        match payload {
            Payload::Binary(bytes) => Ok(Self(Bytes::copy_from_slice(bytes))),
            Payload::Text(_) => Err(DecodeError::new("expected a binary message")),
        }
    }
}

impl Outgoing for Binary {
    fn encode(&self, _: Codec, out: &mut Vec<u8>) -> Result<PayloadKind, EncodeError> {
        out.extend_from_slice(&self.0);
        Ok(PayloadKind::Binary)
    }
}

/// Why a client's message is not what the consumer receives.
#[derive(Debug)]
pub struct DecodeError(Box<dyn std::error::Error + Send + Sync>);

impl DecodeError {
    /// Wraps a cause, or a sentence about it.
    pub fn new(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self(cause.into())
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the message does not decode: {}", self.0)
    }
}

impl std::error::Error for DecodeError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&*self.0)
    }
}

/// Why a message to a client cannot be written.
#[derive(Debug)]
pub struct EncodeError(Box<dyn std::error::Error + Send + Sync>);

impl EncodeError {
    /// Wraps a cause, or a sentence about it.
    pub fn new(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self(cause.into())
    }
}

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the message cannot be written: {}", self.0)
    }
}

impl std::error::Error for EncodeError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&*self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(tag = "do", rename_all = "lowercase")]
    enum Ask {
        Keep { what: serde_json::Value },
    }

    #[test]
    fn a_client_whose_message_is_too_deep_is_told_so_in_both_codecs() {
        let packed =
            |depth: usize| [&b"\x82\xa2do\xa4keep\xa4what"[..], &vec![0x91; depth], &[0xc0]].concat();
        let text =
            |depth: usize| format!(r#"{{"do":"keep","what":{}{}}}"#, "[".repeat(depth), "]".repeat(depth));
        let read = |depth: usize| {
            let packed = <Ask as Incoming>::decode(Payload::Binary(&packed(depth)), Codec::MsgPack);
            let text = <Ask as Incoming>::decode(Payload::Text(&text(depth)), Codec::Json);
            assert_eq!(packed.is_ok(), text.is_ok(), "{depth}: {packed:?} {text:?}");
            packed.map(|Ask::Keep { what }| what.is_array()).unwrap_or_default()
        };
        assert!(read(100) && !read(PayloadFormat::MAX_DEPTH) && !read(1000) && !read(100_000));
    }
}
