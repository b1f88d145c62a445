use std::cell::RefCell;

use bytes::Bytes;
use serde::Serialize;

use crate::codec::{Codec, EncodeError, Outgoing, PayloadKind, write_value};
use crate::protocol::Mark;
use crate::shard::{Frame, FrameKind};
use crate::transport::frame::{Opcode, frame_header};

/// Room in front of a payload for the longest header of a server's frame (RFC 6455, 5.2).
const HEADER: usize = 10;

thread_local! {
    /// Messages are written here first: one allocation of the right size each, whatever serde's writes.
    static SCRATCH: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Writes a message as one unmasked frame, ready for any number of sockets.
pub(crate) fn encode_frame<O: Outgoing>(message: &O, codec: Codec, key: u64) -> Result<Frame, EncodeError> {
    write_frame(O::WRITES_UTF8, key, |buffer| message.encode(codec, buffer))
}

/// The same, for clients that are told where in its group's history it stands.
pub(crate) fn encode_at<O: Outgoing>(
    message: &O,
    codec: Codec,
    key: u64,
    mark: Option<Mark<'_>>,
) -> Result<Frame, EncodeError> {
    write_frame(O::WRITES_UTF8, key, |buffer| {
        let kind = message.encode(codec, buffer)?;
        if let Some(mark) = mark {
            mark.put(codec, kind, buffer, HEADER);
        }
        Ok(kind)
    })
}

/// Writes any value as such a frame, also a borrowed one.
pub(crate) fn encode_value<T: Serialize + ?Sized>(value: &T, codec: Codec) -> Result<Frame, EncodeError> {
    write_frame(true, 0, |buffer| write_value(value, codec, buffer))
}

fn write_frame(
    is_utf8: bool,
    key: u64,
    write: impl FnOnce(&mut Vec<u8>) -> Result<PayloadKind, EncodeError>,
) -> Result<Frame, EncodeError> {
    // Taken, not borrowed: the message's own `Serialize` may come back here.
    let mut buffer = SCRATCH.take();
    buffer.clear();
    buffer.resize(HEADER, 0);
    let kind = write(&mut buffer)?;
    let payload = &buffer[HEADER..];
    let opcode = match kind {
        PayloadKind::Text if !is_utf8 && std::str::from_utf8(payload).is_err() => {
            return Err(EncodeError::new("a text message must be UTF-8"));
        }
        PayloadKind::Text => Opcode::Text,
        PayloadKind::Binary => Opcode::Binary,
    };
    let (header, length) = frame_header(opcode, payload.len());
    let start = HEADER - length;
    buffer[start..HEADER].copy_from_slice(&header[..length]);
    let bytes = Bytes::copy_from_slice(&buffer[start..]);
    if buffer.capacity() <= 1 << 20 {
        SCRATCH.set(buffer);
    }
    Ok(Frame { bytes, key, kind: FrameKind::Data })
}
