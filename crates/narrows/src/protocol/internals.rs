//! What fuzz targets reach into.

use super::{Envelope, Offer};
use crate::codec::{Codec, Payload};
use crate::resume::{Keys, RouteDigest, Token};

/// Takes what is ours out of offered subprotocols.
pub fn offer(offered: &mut Vec<String>) {
    drop(Offer::take(offered));
}

/// Whether this opens as a token.
#[must_use]
pub fn open_token(token: &str) -> bool {
    let (keys, route) = (Keys::new(b"secret", []), RouteDigest::of("Fuzzed", "localhost", "/ws"));
    Token::open(token, &keys, route, std::time::Duration::from_secs(120), std::time::SystemTime::now())
        .is_some()
}

/// The `ref` of a message, and what is left of the message without it.
#[must_use]
pub fn envelope(message: &[u8], msgpack: bool) -> Option<(u64, Option<Vec<u8>>)> {
    let envelope = if msgpack {
        Envelope::of(Payload::Binary(message), Codec::MsgPack)
    } else {
        Envelope::of(Payload::Text(std::str::from_utf8(message).ok()?), Codec::Json)
    };
    Some((envelope.reference?, envelope.rest))
}
