use std::fmt;
use std::time::{Duration, SystemTime};

use aes::Aes128;
use aes::cipher::block_padding::Pkcs7;
use aes::cipher::{BlockDecryptMut, BlockEncryptMut, InnerIvInit, KeyInit};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE;
use hmac::{Hmac, Mac};
use rand::Rng;
use sha2::{Digest, Sha256};

/// The keys that messages are sealed with, `symmetric_encryption_keys` of channels_redis: the first one seals, each
/// of them opens.
///
/// A sealed message is a Fernet token (<https://github.com/fernet/spec>) under the SHA-256 of the key's text.
pub(crate) struct Keys {
    first: Key,
    others: Vec<Key>,
}

struct Key {
    signing: Hmac<Sha256>,
    encryption: Aes128,
}

/// None of the keys opens the message, or it is too old or from the future.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("none of the keys opens the message")]
pub(crate) struct Undecryptable;

const VERSION: u8 = 0x80;
const IV: usize = 16;
const BLOCK: usize = 16;
/// The version, the time in seconds, and the initial vector.
const HEAD: usize = 1 + 8 + IV;
const MAC: usize = 32;
/// How much the clock of a sender may be ahead, where ages are looked at.
const MAX_CLOCK_SKEW_SECONDS: u64 = 60;

impl Keys {
    /// `None` for an empty list.
    pub(crate) fn new(keys: &[impl AsRef<[u8]>]) -> Option<Self> {
        let mut keys = keys.iter().map(|key| Key::new(key.as_ref()));
        Some(Self { first: keys.next()?, others: keys.collect() })
    }

    /// The text of a token that holds `plain`.
    pub(crate) fn seal(&self, plain: &[u8]) -> Vec<u8> {
        let mut token = Vec::with_capacity(Self::token_len(plain.len()));
        self.seal_onto(&mut token, plain.len(), |raw| raw.extend_from_slice(plain));
        token
    }

    /// The same token for the same text, for what is compared without being opened: who sees two knows whether they hold
    /// the same, and nothing else. Its initial vector is a MAC of the text, its time 0.
    pub(crate) fn seal_alike(&self, plain: &[u8]) -> Vec<u8> {
        // No token begins so: the MAC of one is never this.
        let mac = self.first.signing.clone().chain_update([0]).chain_update(plain).finalize().into_bytes();
        let mut iv = [0; IV];
        iv.copy_from_slice(&mac[..IV]);
        let mut token = Vec::with_capacity(Self::token_len(plain.len()));
        self.first.seal(&mut token, plain.len(), |raw| raw.extend_from_slice(plain), 0, &iv);
        token
    }

    /// Appends the text of a token that holds what `write` appends, about `len_hint` bytes.
    pub(crate) fn seal_onto(&self, token: &mut Vec<u8>, len_hint: usize, write: impl FnOnce(&mut Vec<u8>)) {
        let mut iv = [0; IV];
        rand::rng().fill_bytes(&mut iv);
        self.first.seal(token, len_hint, write, now(), &iv);
    }

    /// The length of a token that holds `len` bytes, or a few characters more.
    pub(crate) fn token_len(len: usize) -> usize {
        encoded_len(HEAD + len + BLOCK + MAC)
    }

    /// What a token holds. With a `max_age`, one that is older or from the future is not opened.
    pub(crate) fn open(&self, token: &[u8], max_age: Option<Duration>) -> Result<Vec<u8>, Undecryptable> {
        self.open_at(token, max_age, now())
    }

    fn open_at(&self, token: &[u8], max_age: Option<Duration>, now: u64) -> Result<Vec<u8>, Undecryptable> {
        let mut raw = URL_SAFE.decode(token).map_err(|_| Undecryptable)?;
        let (signed, mac) = raw.split_last_chunk::<MAC>().ok_or(Undecryptable)?;
        let (&[version, ref time @ ..], _) = signed.split_first_chunk::<HEAD>().ok_or(Undecryptable)?;
        let time = time.first_chunk().map(|time| u64::from_be_bytes(*time)).ok_or(Undecryptable)?;
        if version != VERSION || max_age.is_some_and(|max_age| !is_fresh(time, max_age, now)) {
            return Err(Undecryptable);
        }
        let mut keys = std::iter::once(&self.first).chain(&self.others);
        let key = keys.find(|key| key.signed(signed, mac)).ok_or(Undecryptable)?;
        raw.truncate(raw.len() - MAC);
        let plain = key.decrypt(&mut raw)?;
        raw.drain(..HEAD);
        raw.truncate(plain);
        Ok(raw)
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keys({})", 1 + self.others.len())
    }
}

impl Key {
    fn new(key: &[u8]) -> Self {
        let digest = Sha256::digest(key);
        let (signing, encryption) = digest.split_at(16);
        Self {
            signing: Mac::new_from_slice(signing).expect("a MAC takes keys of any length"),
            encryption: Aes128::new_from_slice(encryption).expect("half of a SHA-256 is a key of AES-128"),
        }
    }

    fn seal(
        &self,
        token: &mut Vec<u8>,
        len_hint: usize,
        write: impl FnOnce(&mut Vec<u8>),
        time: u64,
        iv: &[u8; IV],
    ) {
        let mut raw = Vec::with_capacity(HEAD + len_hint + BLOCK + MAC);
        raw.push(VERSION);
        raw.extend_from_slice(&time.to_be_bytes());
        raw.extend_from_slice(iv);
        write(&mut raw);
        let plain = raw.len() - HEAD;
        raw.resize(HEAD + plain + BLOCK - plain % BLOCK, 0);
        cbc::Encryptor::inner_iv_init(&self.encryption, iv.into())
            .encrypt_padded_mut::<Pkcs7>(&mut raw[HEAD..], plain)
            .expect("there is room for the padding");
        let mac = self.signing.clone().chain_update(&raw).finalize();
        raw.extend_from_slice(&mac.into_bytes());

        let start = token.len();
        token.resize(start + encoded_len(raw.len()), 0);
        URL_SAFE.encode_slice(&raw, &mut token[start..]).expect("there is room for the text");
    }

    /// In constant time.
    fn signed(&self, signed: &[u8], mac: &[u8; MAC]) -> bool {
        self.signing.clone().chain_update(signed).verify(mac.into()).is_ok()
    }

    /// Decrypts what is behind the head, in place, and says how long it is.
    fn decrypt(&self, raw: &mut [u8]) -> Result<usize, Undecryptable> {
        let (head, encrypted) = raw.split_first_chunk_mut::<HEAD>().ok_or(Undecryptable)?;
        let iv = head.last_chunk::<IV>().expect("a head ends with the initial vector");
        let plain = cbc::Decryptor::inner_iv_init(&self.encryption, iv.into())
            .decrypt_padded_mut::<Pkcs7>(encrypted)
            .map_err(|_| Undecryptable)?;
        Ok(plain.len())
    }
}

fn encoded_len(raw: usize) -> usize {
    base64::encoded_len(raw, true).expect("a message is far smaller than the memory")
}

/// As `cryptography.fernet` has it, in whole seconds.
fn is_fresh(time: u64, max_age: Duration, now: u64) -> bool {
    time.saturating_add(max_age.as_secs()) >= now && time <= now.saturating_add(MAX_CLOCK_SKEW_SECONDS)
}

/// In seconds since 1970; a clock that stands before is one of 1970.
fn now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;
    use crate::vectors::{hex, vectors};

    const PLAIN: &[u8] = b"\x82\xa4type\xacchat.message\xa4text\xa2hi";

    fn keys(keys: &[&str]) -> Keys {
        Keys::new(keys).unwrap()
    }

    fn encryption_vectors() -> Vec<Value> {
        let found = vectors()["encryption"]["vectors"].as_array().unwrap().clone();
        assert!(found.len() >= 2);
        found
    }

    #[test]
    fn a_token_is_byte_for_byte_that_of_channels_redis() {
        for vector in encryption_vectors() {
            let keys = keys(&[vector["symmetric_encryption_key"].as_str().unwrap()]);
            let plain = hex(&vector["plaintext_hex"]);
            let iv = hex(&vector["iv_hex"]).try_into().unwrap();
            let time = vector["timestamp"].as_u64().unwrap();
            let mut token = Vec::new();
            keys.first.seal(&mut token, plain.len(), |raw| raw.extend(&plain), time, &iv);
            assert_eq!(token, vector["token_ascii"].as_str().unwrap().as_bytes());
            assert_eq!(keys.open(&token, None), Ok(plain));
        }
    }

    #[test]
    fn the_first_key_seals_and_each_key_opens() {
        let token = keys(&["new", "old"]).seal(PLAIN);
        assert_eq!(keys(&["new"]).open(&token, None).unwrap(), PLAIN);
        assert_eq!(keys(&["newest", "other", "new"]).open(&token, None).unwrap(), PLAIN);
        assert_eq!(keys(&["old"]).open(&token, None), Err(Undecryptable));
        assert!(Keys::new(&[""; 0]).is_none());
    }

    #[test]
    fn a_message_is_never_sealed_twice_alike() {
        let keys = keys(&["key"]);
        assert_ne!(keys.seal(PLAIN), keys.seal(PLAIN));
    }

    #[test]
    fn age_counts_where_a_limit_is_given() {
        let keys = keys(&["key"]);
        let mut token = Vec::new();
        keys.first.seal(&mut token, PLAIN.len(), |raw| raw.extend(PLAIN), 1000, &[7; IV]);
        let opens = |max_age: Option<u64>, now| {
            keys.open_at(&token, max_age.map(Duration::from_secs), now) == Ok(PLAIN.to_vec())
        };
        assert!(opens(Some(70), 1070), "as old as allowed");
        assert!(!opens(Some(70), 1071), "too old");
        assert!(opens(Some(70), 940), "a minute ahead");
        assert!(!opens(Some(70), 939), "from the future");
        assert!(opens(None, 0) && opens(None, u64::MAX), "no limit");
        assert!(opens(Some(u64::MAX), u64::MAX), "a limit without end");
    }

    #[test]
    fn a_token_of_now_is_opened_with_a_limit() {
        let keys = keys(&["key"]);
        assert_eq!(keys.open(&keys.seal(PLAIN), Some(Duration::from_secs(70))).unwrap(), PLAIN);
    }

    #[test]
    fn a_token_with_one_bit_changed_is_not_opened() {
        let keys = keys(&["key"]);
        let raw = URL_SAFE.decode(keys.seal(PLAIN)).unwrap();
        for bit in 0..raw.len() * 8 {
            let mut raw = raw.clone();
            raw[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(keys.open(URL_SAFE.encode(raw).as_bytes(), None), Err(Undecryptable), "{bit}");
        }
    }

    #[test]
    fn a_token_cut_short_is_not_opened() {
        let keys = keys(&["key"]);
        let raw = URL_SAFE.decode(keys.seal(PLAIN)).unwrap();
        for len in 0..raw.len() {
            assert!(keys.open(URL_SAFE.encode(&raw[..len]).as_bytes(), None).is_err());
        }
    }

    #[test]
    fn a_signed_token_without_whole_blocks_is_not_opened() {
        let keys = keys(&["key"]);
        for len in (0..40).filter(|len| *len == 0 || len % BLOCK != 0) {
            let mut raw = vec![VERSION; HEAD + len];
            let mac = keys.first.signing.clone().chain_update(&raw).finalize().into_bytes();
            raw.extend(mac);
            assert!(keys.open(URL_SAFE.encode(raw).as_bytes(), None).is_err());
        }
    }

    #[test]
    fn keys_are_not_printed() {
        assert_eq!(format!("{:?}", keys(&["secret", "other"])), "Keys(2)");
    }

    proptest! {
        #[test]
        fn what_was_sealed_is_opened(plain: Vec<u8>, key: Vec<u8>) {
            let keys = Keys::new(&[key]).unwrap();
            let mut framed = b"before".to_vec();
            keys.seal_onto(&mut framed, plain.len(), |raw| raw.extend(&plain));
            prop_assert_eq!(keys.open(framed.strip_prefix(b"before").unwrap(), None), Ok(plain));
        }

        #[test]
        fn junk_is_not_opened(token: Vec<u8>, text in "[A-Za-z0-9_=-]{0,200}", limit: Option<u32>) {
            let keys = keys(&["key", "other"]);
            let limit = limit.map(|limit| Duration::from_secs(limit.into()));
            prop_assert_eq!(keys.open(&token, limit), Err(Undecryptable));
            prop_assert_eq!(keys.open(text.as_bytes(), limit), Err(Undecryptable));
            prop_assert_eq!(keys.open(URL_SAFE.encode(&token).as_bytes(), limit), Err(Undecryptable));
        }
    }
}
