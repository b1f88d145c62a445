use std::io::Cursor;

use narrows_core::{LayerError, PresenceDiff};
use rmp::decode;
use serde_json::Value;

use crate::keys::Keys;

/// How what a connection says of itself stands in Redis: JSON, in a Fernet token where there are keys.
#[derive(Debug)]
pub(super) struct Metas {
    keys: Option<Keys>,
    max_bytes: usize,
}

impl Metas {
    pub(super) fn new(keys: Option<Keys>, max_bytes: usize) -> Self {
        Self { keys, max_bytes }
    }

    /// The same for the same meta, as Redis compares them.
    pub(super) fn seal(&self, meta: &Value) -> Result<Vec<u8>, LayerError> {
        let json = meta.to_string().into_bytes();
        let sealed = match &self.keys {
            Some(keys) => keys.seal_alike(&json),
            None => json,
        };
        let (bytes, limit) = (sealed.len(), self.max_bytes);
        if bytes > limit { Err(LayerError::TooLarge { bytes, limit }) } else { Ok(sealed) }
    }

    /// How many bytes of each person in Redis are not sent, at the least, and what part of the others is.
    ///
    /// A connection's number and its length are 18 bytes. A Fernet token is base64 of 57 bytes and what it seals, with
    /// one byte or more to fill its blocks.
    pub(super) fn sent(&self) -> (usize, f64) {
        match self.keys {
            Some(_) => (18 + 58 * 4 / 3, 0.75),
            None => (18, 1.0),
        }
    }

    /// The metas of a person as the scripts write them: a MessagePack array of how many connections there are, and for
    /// each of those listed its number and its meta. What cannot be read, or opened, is left out.
    pub(super) fn open(&self, person: &[u8]) -> Vec<Value> {
        let mut rest = Cursor::new(person);
        let Ok(len) = decode::read_array_len(&mut rest) else { return Vec::new() };
        let Ok(_count) = decode::read_int::<u64, _>(&mut rest) else { return Vec::new() };
        let mut metas = Vec::new();
        for _ in 0..(len.saturating_sub(1) / 2).min(PresenceDiff::<Value>::METAS as u32) {
            let (Some(_connection), Some(meta)) = (text(&mut rest), text(&mut rest)) else { break };
            metas.extend(self.open_one(meta));
        }
        metas
    }

    fn open_one(&self, meta: &[u8]) -> Option<Value> {
        match &self.keys {
            Some(keys) => serde_json::from_slice(&keys.open(meta, None).ok()?).ok(),
            None => serde_json::from_slice(meta).ok(),
        }
    }
}

/// The bytes of a MessagePack `str`, which need not be text.
fn text<'a>(rest: &mut Cursor<&'a [u8]>) -> Option<&'a [u8]> {
    let len = decode::read_str_len(rest).ok()? as usize;
    let start = usize::try_from(rest.position()).ok()?;
    let text = rest.get_ref().get(start..start.checked_add(len)?)?;
    rest.set_position((start + len) as u64);
    Some(text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn metas(keys: &[&str]) -> Metas {
        Metas::new(Keys::new(keys), 1 << 20)
    }

    fn person(metas: &[Vec<u8>]) -> Vec<u8> {
        let mut packed = Vec::new();
        rmp::encode::write_array_len(&mut packed, 1 + 2 * metas.len() as u32).unwrap();
        rmp::encode::write_uint(&mut packed, metas.len() as u64).unwrap();
        for meta in metas {
            for bytes in [&[0xff; 16][..], meta] {
                rmp::encode::write_str_len(&mut packed, bytes.len() as u32).unwrap();
                packed.extend(bytes);
            }
        }
        packed
    }

    #[test]
    fn what_was_sealed_is_opened_and_the_same_is_sealed_alike() {
        for keys in [&[][..], &["new", "old"]] {
            let metas = metas(keys);
            let sealed = [json!({"name": "Ada"}), json!(null)].map(|meta| metas.seal(&meta).unwrap());
            assert_eq!(metas.open(&person(&sealed)), [json!({"name": "Ada"}), json!(null)]);
            assert_eq!(metas.seal(&json!(null)).unwrap(), sealed[1]);
        }
    }

    #[test]
    fn what_no_key_opens_is_left_out() {
        let (one, other) = (metas(&["one"]), metas(&["other"]));
        let sealed = [one.seal(&json!(1)).unwrap(), other.seal(&json!(2)).unwrap()];
        assert_eq!(one.open(&person(&sealed)), [json!(1)]);
    }

    #[test]
    fn one_larger_than_a_message_is_refused() {
        let error = Metas::new(None, 10).seal(&json!("x".repeat(9))).unwrap_err();
        assert!(matches!(error, LayerError::TooLarge { bytes: 11, limit: 10 }), "{error}");
    }

    proptest! {
        #[test]
        fn junk_is_nobody(junk: Vec<u8>) {
            prop_assert!(metas(&[]).open(&junk).len() <= PresenceDiff::<Value>::METAS);
        }
    }
}
