use std::cell::RefCell;

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// What can travel through a group: any type that serde writes as a map and reads back.
///
/// ```
/// use narrows_core::Message;
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Serialize, Deserialize)]
/// #[serde(tag = "type")]
/// enum ServerMsg {
///     #[serde(rename = "chat.message")]
///     Said { from: String, text: String },
/// }
/// fn is_message<M: Message>() {}
/// is_message::<ServerMsg>();
/// ```
///
/// An enum with `#[serde(tag = "type")]` is the usual shape: it is the same map as the
/// `{"type": "chat.message", …}` of a Django Channels process, both ways. Nothing has to be implemented.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot travel through a group",
    label = "not a message",
    note = "derive `serde::Serialize` and `serde::Deserialize` for it; it must own its data and be `Send + Sync`"
)]
pub trait Message: Serialize + DeserializeOwned + Send + Sync + 'static {}

// So that an error speaks of messages, and not of every type that serde knows.
#[diagnostic::do_not_recommend]
impl<T: Serialize + DeserializeOwned + Send + Sync + 'static> Message for T {}

/// How messages are written between nodes, chosen by the channel layer.
///
/// Both forms are those of channels_redis (`serializer_format`): a map with the message's fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum PayloadFormat {
    /// MessagePack with text as `str`, bytes as `bin` and structs as maps.
    #[default]
    MsgPack,
    /// JSON in UTF-8.
    Json,
}

/// An unusual message's buffer is not kept.
const MAX_SCRATCH: usize = 1 << 20;

thread_local! {
    /// Messages are written here first: one allocation of the right size each, whatever serde's writes.
    static SCRATCH: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

impl PayloadFormat {
    /// How deep lists and maps may be in each other in what is read. It is serde_json's own limit, of JSON. A type that is read
    /// through serde's buffer, as an enum with a tag is, takes kilobytes of stack for a level.
    pub const MAX_DEPTH: usize = 128;

    /// Writes a message.
    ///
    /// # Errors
    /// [`MessageError::NotAMap`] when the value is not a map (a bare number, a list, a unit enum without a
    /// tag), as no Python process could take it; [`MessageError::Encode`] when its `Serialize` fails.
    pub fn encode<M: Message>(self, message: &M) -> Result<Bytes, MessageError> {
        // Taken, not borrowed: the message's own `Serialize` may come back here.
        let mut buffer = SCRATCH.take();
        buffer.clear();
        match self {
            Self::MsgPack => rmp_serde::encode::write_named(&mut buffer, message)
                .map_err(|e| MessageError::Encode(e.into()))?,
            Self::Json => {
                serde_json::to_writer(&mut buffer, message).map_err(|e| MessageError::Encode(e.into()))?;
            }
        }
        if !self.is_map(&buffer) {
            return Err(MessageError::NotAMap);
        }
        let bytes = Bytes::copy_from_slice(&buffer);
        if buffer.capacity() <= MAX_SCRATCH {
            SCRATCH.set(buffer);
        }
        Ok(bytes)
    }

    /// Reads a message. Whatever the bytes are, the worst result is an error.
    ///
    /// # Errors
    /// [`MessageError::NotAMap`] or [`MessageError::Decode`], also for what is deeper than [`MAX_DEPTH`](Self::MAX_DEPTH).
    pub fn decode<M: Message>(self, payload: &[u8]) -> Result<M, MessageError> {
        if !self.is_map(payload) {
            return Err(MessageError::NotAMap);
        }
        match self {
            Self::MsgPack => {
                let mut reader = rmp_serde::Deserializer::from_read_ref(payload);
                reader.set_max_depth(Self::MAX_DEPTH);
                M::deserialize(&mut reader).map_err(|e| MessageError::Decode(e.into()))
            }
            Self::Json => serde_json::from_slice(payload).map_err(|e| MessageError::Decode(e.into())),
        }
    }

    fn is_map(self, bytes: &[u8]) -> bool {
        match (self, bytes.iter().find(|b| !b.is_ascii_whitespace())) {
            (Self::Json, Some(b'{')) => true,
            (Self::MsgPack, _) => matches!(bytes.first(), Some(0x80..=0x8f | 0xde | 0xdf)),
            _ => false,
        }
    }
}

/// Why a message cannot be written or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MessageError {
    /// The value is not a map of fields.
    #[error("a message must be a map; use a struct, or an enum with #[serde(tag = \"type\")]")]
    NotAMap,
    /// Its `Serialize` failed.
    #[error("the message cannot be written")]
    Encode(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The bytes are not such a message.
    #[error("the message cannot be read: {0}")]
    Decode(#[source] Box<dyn std::error::Error + Send + Sync>),
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;
    use serde::Deserialize;
    use serde_json::{Value, json};

    use super::*;

    #[derive(Debug, Serialize, Deserialize)]
    #[serde(tag = "type")]
    enum Tagged {
        #[serde(rename = "any")]
        Any { value: Value },
    }

    #[test]
    fn what_is_too_deep_is_an_error_and_overflows_no_stack() {
        let packed =
            |depth: usize| [&b"\x82\xa4type\xa3any\xa5value"[..], &vec![0x91; depth], &[0xc0]].concat();
        let json = |depth: usize| {
            format!(r#"{{"type":"any","value":{}{}}}"#, "[".repeat(depth), "]".repeat(depth)).into_bytes()
        };
        for (format, payload) in [
            (PayloadFormat::MsgPack, &packed as &dyn Fn(usize) -> Vec<u8>),
            (PayloadFormat::Json, &json as &dyn Fn(usize) -> Vec<u8>),
        ] {
            let enough = PayloadFormat::MAX_DEPTH - 2;
            let Tagged::Any { value } = format.decode(&payload(enough)).unwrap();
            assert!(value.is_array(), "{format:?}");
            for depth in [PayloadFormat::MAX_DEPTH, 1000, 100_000] {
                let read = format.decode::<Tagged>(&payload(depth));
                assert!(matches!(read, Err(MessageError::Decode(_))), "{format:?} {depth}");
            }
        }
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    #[serde(tag = "type")]
    enum Chat {
        #[serde(rename = "chat.message")]
        Message { text: String },
    }

    #[test]
    fn a_tagged_enum_is_the_map_of_a_channels_message() {
        let message = Chat::Message { text: "hi".into() };
        let packed = PayloadFormat::MsgPack.encode(&message).unwrap();
        // The bytes that Python's msgpack gives for {"type": "chat.message", "text": "hi"}.
        assert_eq!(packed, &b"\x82\xa4type\xacchat.message\xa4text\xa2hi"[..]);
        let text = PayloadFormat::Json.encode(&message).unwrap();
        assert_eq!(text, r#"{"type":"chat.message","text":"hi"}"#);
        for (format, payload) in [(PayloadFormat::MsgPack, packed), (PayloadFormat::Json, text)] {
            assert_eq!(format.decode::<Chat>(&payload).unwrap(), message);
        }
    }

    #[test]
    fn a_value_that_is_not_a_map_is_refused_both_ways() {
        for format in [PayloadFormat::MsgPack, PayloadFormat::Json] {
            assert!(matches!(format.encode(&7), Err(MessageError::NotAMap)));
            let list = match format {
                PayloadFormat::MsgPack => rmp_serde::to_vec(&[1]).unwrap(),
                PayloadFormat::Json => b"[1]".to_vec(),
            };
            assert!(matches!(format.decode::<Vec<u8>>(&list), Err(MessageError::NotAMap)));
        }
    }

    #[test]
    fn unknown_extra_keys_are_ignored() {
        let payload = PayloadFormat::MsgPack
            .encode(&json!({"type": "chat.message", "text": "hi", "__asgi_channel__": ["a", "b"]}))
            .unwrap();
        assert_eq!(
            PayloadFormat::MsgPack.decode::<Chat>(&payload).unwrap(),
            Chat::Message { text: "hi".into() }
        );
    }

    proptest! {
        #[test]
        fn junk_is_an_error_and_never_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            for format in [PayloadFormat::MsgPack, PayloadFormat::Json] {
                let _ = format.decode::<BTreeMap<String, Value>>(&bytes).is_ok();
                prop_assert!(format.decode::<Chat>(&bytes).is_err());
            }
        }
    }
}
