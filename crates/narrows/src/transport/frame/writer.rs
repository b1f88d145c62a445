use std::io;

use bytes::{Buf, Bytes};

use super::encoder::{MAX_UNMASKED_HEADER_BYTES, frame_header};
use super::header::Opcode;

/// A frame whose payload is serialised straight into it.
///
/// The header depends on the payload's length, so room for the longest is left in front and the finished
/// frame begins where its own header does: the payload is written once and never moved. What a growing
/// vector has to spare stays allocated with the frame.
///
/// ```ignore
/// let mut writer = FrameWriter::new();
/// serde_json::to_writer(&mut writer, &message)?;
/// let frame: Bytes = writer.finish(Opcode::Text);
/// ```
#[derive(Debug)]
pub struct FrameWriter {
    buffer: Vec<u8>,
}

impl FrameWriter {
    /// A writer for a message of everyday size.
    pub fn new() -> Self {
        // serde_json writes a few bytes at a time: room for most messages saves the first regrowths.
        Self::with_capacity(128 - MAX_UNMASKED_HEADER_BYTES)
    }

    /// A writer that takes `payload_bytes` before it grows.
    pub fn with_capacity(payload_bytes: usize) -> Self {
        let mut buffer = Vec::with_capacity(MAX_UNMASKED_HEADER_BYTES + payload_bytes);
        buffer.extend_from_slice(&[0; MAX_UNMASKED_HEADER_BYTES]);
        Self { buffer }
    }

    /// The payload's bytes so far.
    pub fn payload(&self) -> &[u8] {
        &self.buffer[MAX_UNMASKED_HEADER_BYTES..]
    }

    /// The frame.
    pub fn finish(mut self, opcode: Opcode) -> Bytes {
        let (header, header_len) = frame_header(opcode, self.payload().len());
        let start = MAX_UNMASKED_HEADER_BYTES - header_len;
        self.buffer[start..MAX_UNMASKED_HEADER_BYTES].copy_from_slice(&header[..header_len]);
        let mut frame = Bytes::from(self.buffer);
        // Not `slice`: a second handle would need a count of handles, on the heap.
        frame.advance(start);
        frame
    }
}

impl Default for FrameWriter {
    fn default() -> Self {
        Self::new()
    }
}

impl io::Write for FrameWriter {
    #[inline]
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.buffer.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    #[inline]
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.buffer.extend_from_slice(bytes);
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::super::encode;
    use super::*;

    #[test]
    fn a_frame_written_in_pieces_equals_one_encoded_whole() {
        for len in [0, 1, 125, 126, 65_535, 65_536] {
            let payload = vec![b'x'; len];
            let mut writer = FrameWriter::new();
            for piece in payload.chunks(7) {
                writer.write_all(piece).unwrap();
            }
            assert_eq!(writer.payload(), payload);
            assert_eq!(writer.finish(Opcode::Text), encode(Opcode::Text, &payload), "{len}");
        }
    }

    #[test]
    fn finishing_does_not_move_the_payload() {
        let mut writer = FrameWriter::new();
        serde_json::to_writer(&mut writer, &["one", "two"]).unwrap();
        let written_at = writer.payload().as_ptr();
        let frame = writer.finish(Opcode::Text);
        assert_eq!(frame[2..].as_ptr(), written_at);
        assert_eq!(&frame[..], b"\x81\x0d[\"one\",\"two\"]");
    }
}
