use bytes::Bytes;

use super::close::is_sendable_close_code;
use super::header::Opcode;
use super::mask::Mask;

/// The longest header of a frame without a mask.
pub(super) const MAX_UNMASKED_HEADER_BYTES: usize = 10;

/// The longest reason that fits a close frame beside its code.
const MAX_REASON_BYTES: usize = 123;

/// The header of a whole, unmasked message, and how many of the bytes it takes.
#[inline]
pub fn frame_header(opcode: Opcode, payload_len: usize) -> ([u8; MAX_UNMASKED_HEADER_BYTES], usize) {
    let mut header = [0; MAX_UNMASKED_HEADER_BYTES];
    header[0] = 0x80 | opcode as u8;
    if let Ok(len @ ..=125) = u8::try_from(payload_len) {
        header[1] = len;
        (header, 2)
    } else if let Ok(len) = u16::try_from(payload_len) {
        header[1] = 126;
        header[2..4].copy_from_slice(&len.to_be_bytes());
        (header, 4)
    } else {
        header[1] = 127;
        header[2..].copy_from_slice(&(payload_len as u64).to_be_bytes());
        (header, 10)
    }
}

/// A server's frame: the same bytes for every client. A control frame's payload must be 125 bytes or less.
pub fn encode(opcode: Opcode, payload: &[u8]) -> Bytes {
    debug_assert!(!opcode.is_control() || payload.len() <= 125, "a control frame is short");
    let (header, header_len) = frame_header(opcode, payload.len());
    // Filled to the last byte, the vector becomes `Bytes` without a second allocation.
    let mut frame = Vec::with_capacity(header_len + payload.len());
    frame.extend_from_slice(&header[..header_len]);
    frame.extend_from_slice(payload);
    frame.into()
}

/// A server's close frame, its reason cut to what fits.
///
/// A code that may not be sent, as 1005 for "there was none", makes an empty close frame: that is how an
/// endpoint says nothing.
pub fn encode_close(code: u16, reason: &str) -> Bytes {
    if !is_sendable_close_code(code) {
        return encode(Opcode::Close, b"");
    }
    let reason = &reason[..reason.floor_char_boundary(MAX_REASON_BYTES)];
    let mut payload = Vec::with_capacity(2 + reason.len());
    payload.extend_from_slice(&code.to_be_bytes());
    payload.extend_from_slice(reason.as_bytes());
    encode(Opcode::Close, &payload)
}

/// A client's frame, masked with a key that must be fresh and unpredictable for each frame.
pub fn encode_masked(opcode: Opcode, payload: &[u8], mask_key: [u8; 4]) -> Vec<u8> {
    debug_assert!(!opcode.is_control() || payload.len() <= 125, "a control frame is short");
    let (mut header, header_len) = frame_header(opcode, payload.len());
    header[1] |= 0x80;
    let payload_start = header_len + mask_key.len();
    let mut frame = Vec::with_capacity(payload_start + payload.len());
    frame.extend_from_slice(&header[..header_len]);
    frame.extend_from_slice(&mask_key);
    frame.extend_from_slice(payload);
    Mask::new(mask_key).apply(&mut frame[payload_start..]);
    frame
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_takes_its_shortest_form() {
        let cases: &[(usize, &[u8])] = &[
            (0, &[0x82, 0]),
            (125, &[0x82, 125]),
            (126, &[0x82, 126, 0, 126]),
            (65_535, &[0x82, 126, 0xff, 0xff]),
            (65_536, &[0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0]),
        ];
        for &(len, expected) in cases {
            let (header, header_len) = frame_header(Opcode::Binary, len);
            assert_eq!(&header[..header_len], expected, "{len}");
        }
    }

    #[test]
    fn frames_look_as_in_the_examples_of_the_standard() {
        assert_eq!(&encode(Opcode::Text, b"Hello")[..], b"\x81\x05Hello");
        let masked = encode_masked(Opcode::Text, b"Hello", [0x37, 0xfa, 0x21, 0x3d]);
        assert_eq!(masked, b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58");
    }

    #[test]
    fn a_close_reason_is_cut_between_characters() {
        assert_eq!(&encode_close(1000, "bye")[..], b"\x88\x05\x03\xe8bye");
        let frame = encode_close(4001, &"é".repeat(80));
        assert_eq!(frame.len(), 2 + 2 + 122);
        assert_eq!(str::from_utf8(&frame[4..]), Ok("é".repeat(61).as_str()));
    }

    #[test]
    fn a_close_code_that_may_not_be_sent_makes_an_empty_frame() {
        for code in [0, 1005, 1006, 1015, 5000] {
            assert_eq!(&encode_close(code, "lost")[..], b"\x88\x00", "{code}");
        }
    }
}
