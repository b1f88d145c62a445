use std::ops::Range;

use super::json;
use super::msgpack;
use crate::codec::{Codec, Payload};

/// What stands around a client's message.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Envelope {
    /// Its `ref`, which asks for a reply.
    pub(crate) reference: Option<u64>,
    /// It is for the server itself: its `type` begins with `narrows.`
    pub(crate) ours: bool,
    /// The message without its `ref`.
    pub(crate) rest: Option<Vec<u8>>,
}

/// Numbers that every language has exactly: up to 2^53 - 1.
const MAX_REF: u64 = (1 << 53) - 1;
pub(super) const REF: &[u8] = b"ref";
pub(super) const TYPE: &[u8] = b"type";
pub(super) const OURS: &[u8] = b"narrows.";

/// The members of a message that matter here.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Members {
    pub(super) reference: Option<(u64, Range<usize>)>,
    pub(super) ours: bool,
}

impl Envelope {
    /// Reads what stands around a message, without reading the message: of one that has nothing of it, JSON costs two
    /// searches and MessagePack a walk over its items.
    pub(crate) fn of(payload: Payload<'_>, codec: Codec) -> Self {
        match (codec, payload) {
            (Codec::Json, Payload::Text(text)) if text.contains("\"ref\"") || text.contains("\"narrows.") => {
                let members = json::members(text.as_bytes());
                Self::new(members, |span| json::without(text.as_bytes(), span))
            }
            (Codec::MsgPack, Payload::Binary(bytes)) => {
                Self::new(msgpack::members(bytes), |span| msgpack::without(bytes, span))
            }
            _ => Self::default(),
        }
    }

    fn new(members: Option<Members>, without: impl FnOnce(Range<usize>) -> Vec<u8>) -> Self {
        let Some(members) = members else { return Self::default() };
        let reference = members.reference.filter(|(number, _)| (1..=MAX_REF).contains(number));
        Self {
            ours: members.ours,
            reference: reference.as_ref().map(|(number, _)| *number),
            rest: reference.filter(|_| !members.ours).map(|(_, span)| without(span)),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Map, Value, json};

    use super::*;

    fn json_of(text: &str) -> Envelope {
        Envelope::of(Payload::Text(text), Codec::Json)
    }

    fn values() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            ".{0,12}".prop_map(Value::from),
            Just(json!("\"ref\":1,\\")),
            Just(json!({"ref": 3, "type": "narrows.ping"})),
        ];
        leaf.prop_recursive(4, 32, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::btree_map("[a-z\"\\\\]{0,6}", inner, 0..6)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    fn objects() -> impl Strategy<Value = Map<String, Value>> {
        let members = prop::collection::btree_map("[a-z]{0,6}|[ -~é]{0,6}", values(), 0..8);
        members.prop_map(|members| {
            members.into_iter().filter(|(key, _)| key != "ref" && key != "type").collect()
        })
    }

    proptest! {
        #[test]
        fn the_ref_is_found_and_the_rest_is_what_it_was(
            rest in objects(), number in 1..=MAX_REF, pretty: bool, ours: bool,
        ) {
            let mut whole = rest.clone();
            whole.insert("ref".to_owned(), number.into());
            let kind = if ours { "narrows.ping" } else { "chat.ping" };
            whole.insert("type".to_owned(), kind.into());
            let text = if pretty { serde_json::to_string_pretty(&whole) } else { serde_json::to_string(&whole) };
            let packed = rmp_serde::to_vec_named(&whole).unwrap();
            whole.remove("ref");
            let json = json_of(&text.unwrap());
            let msgpack = Envelope::of(Payload::Binary(&packed), Codec::MsgPack);
            prop_assert_eq!((json.reference, json.ours), (Some(number), ours));
            prop_assert_eq!((msgpack.reference, msgpack.ours), (Some(number), ours));
            if !ours {
                let read: Map<_, _> = serde_json::from_slice(&json.rest.unwrap()).unwrap();
                prop_assert_eq!(&read, &whole);
                let read: Map<_, _> = rmp_serde::from_slice(&msgpack.rest.unwrap()).unwrap();
                prop_assert_eq!(&read, &whole);
            }
        }

        #[test]
        fn a_message_without_a_ref_of_its_own_has_none(message in objects()) {
            let packed = rmp_serde::to_vec_named(&message).unwrap();
            prop_assert_eq!(json_of(&serde_json::to_string(&message).unwrap()), Envelope::default());
            prop_assert_eq!(Envelope::of(Payload::Binary(&packed), Codec::MsgPack), Envelope::default());
        }

        #[test]
        fn junk_is_no_trouble(text in "[\\[\\]{}:,\"\\\\ refa1typnow.]{0,40}", bytes: Vec<u8>) {
            // A part between ASCII characters: what is left is UTF-8.
            let rest = json_of(&format!("{{\"ref\":1,{text}")).rest;
            prop_assert!(rest.is_none_or(|rest| String::from_utf8(rest).is_ok()));
            let _ = Envelope::of(Payload::Binary(&bytes), Codec::MsgPack);
        }
    }

    #[test]
    fn wherever_the_ref_stands_one_comma_goes_with_it() {
        for (whole, rest) in [
            (r#"{"ref":7}"#, "{}"),
            (r#"{ "ref" : 7 , "a":1}"#, r#"{  "a":1}"#),
            (r#"{"a":1,"ref":7}"#, r#"{"a":1}"#),
            (r#"{"a":1 , "ref":7 ,"b":[{"ref":8}]}"#, r#"{"a":1 , "b":[{"ref":8}]}"#),
        ] {
            let envelope = json_of(whole);
            let read = envelope.rest.map(|rest| String::from_utf8(rest).unwrap());
            assert_eq!((envelope.reference, read.as_deref()), (Some(7), Some(rest)), "{whole}");
        }
    }
}
