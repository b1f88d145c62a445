mod against_tungstenite;
mod chunks;
mod differential;
mod memory;
mod rules;

use tokio_tungstenite::tungstenite;

use super::{Decoder, FrameLimits, Item, ProtocolError, Role};

const LIMITS: FrameLimits =
    FrameLimits { max_frame_bytes: 1 << 20, max_message_bytes: 1 << 20, max_fragments: 4096 };

/// An [`Item`] that outlives the input.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Owned {
    Text(String),
    Binary(Vec<u8>),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    Close(Option<(u16, String)>),
}

impl From<Item<'_>> for Owned {
    fn from(item: Item<'_>) -> Self {
        match item {
            Item::Text(text) => Self::Text(text.to_owned()),
            Item::Binary(bytes) => Self::Binary(bytes.to_owned()),
            Item::Ping(bytes) => Self::Ping(bytes.to_owned()),
            Item::Pong(bytes) => Self::Pong(bytes.to_owned()),
            Item::Close(close) => Self::Close(close.map(|(code, reason)| (code, reason.to_owned()))),
        }
    }
}

/// A frame with any first byte, masked for a server or bare for a client.
fn raw_frame(role: Role, first: u8, payload: &[u8]) -> Vec<u8> {
    let key = [0x12, 0xa5, 0x7c, 0xe9];
    let mut frame = match role {
        Role::Server => super::encode_masked(super::Opcode::Binary, payload, key),
        Role::Client => super::encode(super::Opcode::Binary, payload).to_vec(),
    };
    frame[0] = first;
    frame
}

/// Everything that `decoder` makes of `wire`, and the error that ended it.
fn decode_all(
    decoder: &mut Decoder,
    wire: &[u8],
    limits: &FrameLimits,
) -> (Vec<Owned>, Option<ProtocolError>) {
    let (mut wire, mut items) = (wire.to_vec(), Vec::new());
    let mut rest = wire.as_mut_slice();
    loop {
        match decoder.decode(rest, limits) {
            Ok((used, Some(item))) => {
                items.push(item.into());
                rest = &mut rest[used..];
            }
            Ok((used, None)) => {
                assert_eq!(used, rest.len(), "without an item, all input is used");
                return (items, None);
            }
            Err(error) => return (items, Some(error)),
        }
    }
}
