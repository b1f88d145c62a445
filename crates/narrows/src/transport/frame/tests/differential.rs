//! The same bytes through our decoder and through tungstenite; the fuzz target `frames` includes this file.
//!
//! The two must hand out the same items and refuse at the same place, except that
//!
//! * we refuse a payload length that is not in its shortest form, as section 5.2 demands; tungstenite takes it;
//! * we refuse a close code that may not be sent; tungstenite hands out 1002 "Protocol violation" in its
//!   place. It counts 1014 (bad gateway, registered later) among those, which we do not;
//! * we refuse as soon as the bytes at hand give a reason; tungstenite first waits for the frame to be
//!   complete. So where the bytes end early it is fed more, and must then refuse without a further item.
//!
//! What follows a close frame is not compared: our decoder leaves that to its caller.

use std::io::{self, Read, Write};

use super::tungstenite::protocol::{self, WebSocket, WebSocketConfig};
use super::tungstenite::{self, Message};
use super::{Decoder, FrameLimits, Item, ProtocolError, Role};

/// Small, so that few bytes reach the limits. tungstenite does not count fragments.
const LIMITS: FrameLimits =
    FrameLimits { max_frame_bytes: 300, max_message_bytes: 400, max_fragments: usize::MAX };

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// The bytes ended, maybe within a frame.
    Bytes,
    Closed,
    Refused(Option<ProtocolError>),
}

/// Panics if decoders disagree about `wire`, or if ours depends on how `wire` is cut into reads.
pub(super) fn assert_agreement(role: Role, wire: &[u8], reads: &[u8]) {
    let (items, end) = ours(role, wire, &[]);
    assert_eq!((items.clone(), end), ours(role, wire, reads), "cut as {reads:?}");

    let (their_items, their_end) = theirs(role, wire);
    match end {
        End::Closed if closes_with(&items, 1014) => {
            let (_, before) = items.split_last().expect("a close frame");
            let rewritten = [before, &[rewritten_close()]].concat();
            assert_eq!((rewritten, end), (their_items, their_end));
        }
        End::Bytes | End::Closed => assert_eq!((items, end), (their_items, their_end)),
        End::Refused(Some(ProtocolError::NonMinimalLength)) => {
            assert_eq!(items, their_items[..items.len()]);
        }
        End::Refused(Some(ProtocolError::InvalidCloseCode(_))) if their_end == End::Closed => {
            let (last, before) = their_items.split_last().expect("a close frame");
            assert_eq!((&items[..], &rewritten_close()), (before, last));
        }
        End::Refused(_) if their_end == End::Bytes => {
            let more = vec![0; LIMITS.max_frame_bytes + 14];
            assert_eq!((items, End::Refused(None)), theirs(role, &[wire, &more].concat()));
        }
        End::Refused(_) => assert_eq!((items, End::Refused(None)), (their_items, their_end)),
    }
}

fn closes_with(items: &[Message], code: u16) -> bool {
    matches!(items.last(), Some(Message::Close(Some(close))) if u16::from(close.code) == code)
}

fn rewritten_close() -> Message {
    Message::Close(Some(protocol::CloseFrame { code: 1002.into(), reason: "Protocol violation".into() }))
}

/// Cuts `wire` into reads of the lengths that `reads` says, over and over; none means one read.
fn ours(role: Role, wire: &[u8], reads: &[u8]) -> (Vec<Message>, End) {
    let (mut decoder, mut items, mut wire) = (Decoder::new(role), Vec::new(), wire.to_vec());
    let mut lengths = reads.iter().cycle().map(|&length| usize::from(length).max(1));
    let mut unread = wire.as_mut_slice();
    while !unread.is_empty() {
        let length = lengths.next().unwrap_or(usize::MAX).min(unread.len());
        let (mut chunk, later) = unread.split_at_mut(length);
        unread = later;
        loop {
            match decoder.decode(chunk, &LIMITS) {
                Ok((used, Some(item))) => {
                    items.push(message(item));
                    if matches!(item, Item::Close(_)) {
                        return (items, End::Closed);
                    }
                    chunk = &mut chunk[used..];
                }
                Ok((used, None)) => {
                    assert_eq!(used, chunk.len(), "without an item, all input is used");
                    break;
                }
                Err(error) => return (items, End::Refused(Some(error))),
            }
        }
    }
    (items, End::Bytes)
}

fn message(item: Item<'_>) -> Message {
    match item {
        Item::Text(text) => Message::text(text),
        Item::Binary(bytes) => Message::binary(bytes.to_vec()),
        Item::Ping(bytes) => Message::Ping(bytes.to_vec().into()),
        Item::Pong(bytes) => Message::Pong(bytes.to_vec().into()),
        Item::Close(close) => Message::Close(
            close.map(|(code, reason)| protocol::CloseFrame { code: code.into(), reason: reason.into() }),
        ),
    }
}

fn theirs(role: Role, wire: &[u8]) -> (Vec<Message>, End) {
    let role = match role {
        Role::Server => protocol::Role::Server,
        Role::Client => protocol::Role::Client,
    };
    let config = WebSocketConfig::default()
        .read_buffer_size(1024)
        .max_frame_size(Some(LIMITS.max_frame_bytes))
        .max_message_size(Some(LIMITS.max_message_bytes));
    let mut socket = WebSocket::from_raw_socket(ReadOnly(wire), role, Some(config));
    let mut items = Vec::new();
    loop {
        match socket.read() {
            Ok(message @ Message::Close(_)) => {
                items.push(message);
                return (items, End::Closed);
            }
            Ok(message) => items.push(message),
            Err(tungstenite::Error::Protocol(
                tungstenite::error::ProtocolError::ResetWithoutClosingHandshake,
            )) => return (items, End::Bytes),
            Err(_) => return (items, End::Refused(None)),
        }
    }
}

/// A stream that swallows what is written: tungstenite answers pings by itself.
struct ReadOnly<'a>(&'a [u8]);

impl Read for ReadOnly<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl Write for ReadOnly<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
