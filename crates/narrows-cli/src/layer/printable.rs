use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Any message, so that it can be shown as JSON: in the order of its fields, with bytes as
/// `{"__bytes__": "base64"}`.
#[derive(Debug, PartialEq)]
pub(super) enum Printable {
    Null,
    Bool(bool),
    Signed(i64),
    Unsigned(u64),
    Float(f64),
    Text(String),
    Bytes(Vec<u8>),
    List(Vec<Printable>),
    Map(Vec<(Printable, Printable)>),
}

impl Serialize for Printable {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Signed(value) => serializer.serialize_i64(*value),
            Self::Unsigned(value) => serializer.serialize_u64(*value),
            Self::Float(value) => serializer.serialize_f64(*value),
            Self::Text(value) => serializer.serialize_str(value),
            Self::Bytes(value) => {
                let mut map = serializer.serialize_map(Some(1))?;
                map.serialize_entry("__bytes__", &STANDARD.encode(value))?;
                map.end()
            }
            Self::List(values) => {
                let mut list = serializer.serialize_seq(Some(values.len()))?;
                for value in values {
                    list.serialize_element(value)?;
                }
                list.end()
            }
            Self::Map(fields) => {
                let mut map = serializer.serialize_map(Some(fields.len()))?;
                for (key, value) in fields {
                    // A key of JSON is a text.
                    match key {
                        Self::Text(key) => map.serialize_entry(key, value)?,
                        other => {
                            map.serialize_entry(&serde_json::to_string(other).unwrap_or_default(), value)?;
                        }
                    }
                }
                map.end()
            }
        }
    }
}

impl<'de> Deserialize<'de> for Printable {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Printable;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value")
            }
            fn visit_unit<E>(self) -> Result<Printable, E> {
                Ok(Printable::Null)
            }
            fn visit_none<E>(self) -> Result<Printable, E> {
                Ok(Printable::Null)
            }
            fn visit_bool<E>(self, value: bool) -> Result<Printable, E> {
                Ok(Printable::Bool(value))
            }
            fn visit_i64<E>(self, value: i64) -> Result<Printable, E> {
                Ok(Printable::Signed(value))
            }
            fn visit_u64<E>(self, value: u64) -> Result<Printable, E> {
                Ok(Printable::Unsigned(value))
            }
            fn visit_f64<E>(self, value: f64) -> Result<Printable, E> {
                Ok(Printable::Float(value))
            }
            fn visit_str<E>(self, value: &str) -> Result<Printable, E> {
                Ok(Printable::Text(value.to_owned()))
            }
            fn visit_bytes<E>(self, value: &[u8]) -> Result<Printable, E> {
                Ok(Printable::Bytes(value.to_vec()))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Printable, A::Error> {
                let mut values = Vec::new();
                while let Some(value) = list.next_element()? {
                    values.push(value);
                }
                Ok(Printable::List(values))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Printable, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Printable::Map(fields))
            }
        }
        deserializer.deserialize_any(Any)
    }
}

#[cfg(test)]
mod tests {
    use narrows_core::PayloadFormat;

    use super::*;

    #[test]
    fn any_message_is_shown_as_json_in_its_own_order() {
        // {"type": "x", "b": b"\xff", "n": -1, 7: [nil, true, 1.5]}
        let packed = b"\x84\xa4type\xa1x\xa1b\xc4\x01\xff\xa1n\xff\x07\x93\xc0\xc3\xcb\x3f\xf8\0\0\0\0\0\0";
        let shown = PayloadFormat::MsgPack.decode::<Printable>(packed).expect("it is MessagePack");
        let json = serde_json::to_string(&shown).expect("it can be shown");
        assert_eq!(json, r#"{"type":"x","b":{"__bytes__":"/w=="},"n":-1,"7":[null,true,1.5]}"#);
    }
}
