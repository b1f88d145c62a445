use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chacha20poly1305::aead::Aead;
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use hmac::{Hmac, Mac};
use sha2::Sha256;

/// What seals a node's tokens: XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03) with a random nonce each.
#[derive(Clone)]
pub(crate) struct Keys {
    /// Seals, and opens.
    newest: XChaCha20Poly1305,
    /// Open what was sealed before.
    older: Vec<XChaCha20Poly1305>,
}

/// The first byte of a token: another one when what follows is written otherwise.
const VERSION: u8 = 1;
const NONCE: usize = 24;
/// Keys for other purposes come from the same secret.
const PURPOSE: &[u8] = b"narrows.resume.v1";

impl Keys {
    /// Everybody knows the empty secret: in its place is one that nobody does, and among the older ones it is none.
    pub(crate) fn new<'a>(secret: &[u8], older: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let newest = if secret.is_empty() { cipher(&rand::random::<[u8; 32]>()) } else { cipher(secret) };
        let older = older.into_iter().filter(|secret| !secret.is_empty()).map(cipher).collect();
        Self { newest, older }
    }

    /// Keys that nobody else has: what they seal opens in this process alone.
    pub(crate) fn random() -> Self {
        Self::new(b"", [])
    }

    pub(super) fn seal(&self, content: &[u8]) -> Option<String> {
        let nonce: [u8; NONCE] = rand::random();
        let sealed = self.newest.encrypt(XNonce::from_slice(&nonce), content).ok()?;
        Some(URL_SAFE_NO_PAD.encode([&[VERSION][..], &nonce, &sealed].concat()))
    }

    pub(super) fn open(&self, token: &str) -> Option<Vec<u8>> {
        let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
        let (nonce, sealed) = bytes.strip_prefix(&[VERSION])?.split_at_checked(NONCE)?;
        let keys = std::iter::once(&self.newest).chain(&self.older);
        keys.filter_map(|key| key.decrypt(XNonce::from_slice(nonce), sealed).ok()).next()
    }
}

fn cipher(secret: &[u8]) -> XChaCha20Poly1305 {
    let mut mac = <Hmac<Sha256> as Mac>::new_from_slice(secret).expect("HMAC takes keys of any length");
    mac.update(PURPOSE);
    XChaCha20Poly1305::new(&mac.finalize().into_bytes())
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keys")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_key_sealed_opens_with_it_and_while_it_is_among_the_older_ones() {
        let (old, new) = (Keys::new(b"old", []), Keys::new(b"new", [&b"old"[..]]));
        let token = old.seal(b"content").unwrap();
        for keys in [&old, &new] {
            assert_eq!(keys.open(&token).as_deref(), Some(&b"content"[..]));
        }
        assert_eq!(Keys::new(b"new", []).open(&token), None);
        assert_eq!(old.open(&new.seal(b"content").unwrap()), None);
    }

    #[test]
    fn what_the_empty_secret_seals_is_opened_by_nobody() {
        let empty = Keys { newest: cipher(b""), older: Vec::new() };
        let token = empty.seal(b"content").unwrap();
        for keys in [Keys::new(b"new", [&b""[..]]), Keys::new(b"", [])] {
            assert_eq!(keys.open(&token), None);
        }
    }

    #[test]
    fn a_token_that_was_changed_anywhere_does_not_open() {
        let keys = Keys::random();
        let token = keys.seal(b"content").unwrap();
        let sealed = URL_SAFE_NO_PAD.decode(&token).unwrap();
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert_eq!(keys.open(&URL_SAFE_NO_PAD.encode(changed)), None, "{at}");
        }
        for cut in 0..token.len() {
            assert_eq!(keys.open(&token[..cut]), None, "{cut}");
        }
    }
}
