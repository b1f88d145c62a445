use std::cell::RefCell;

use bytes::Bytes;

use crate::codec::{Codec, EncodeError, Outgoing, PayloadKind};
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
    // Taken, not borrowed: the message's own `Serialize` may come back here.
    let mut buffer = SCRATCH.take();
    buffer.clear();
    buffer.resize(HEADER, 0);
    let kind = message.encode(codec, &mut buffer)?;
    let payload = &buffer[HEADER..];
    let opcode = match kind {
        PayloadKind::Text if !O::WRITES_UTF8 && std::str::from_utf8(payload).is_err() => {
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
