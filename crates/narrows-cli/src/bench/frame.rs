//! As much of RFC 6455 as counting messages takes.

/// One frame of a server.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Frame<'a> {
    /// A message, or its first fragment: the sequence number is near the start.
    Message(&'a [u8]),
    Ping(&'a [u8]),
    Pong,
    Close(&'a [u8]),
    /// The rest of a message that came in fragments.
    Fragment,
}

/// Bytes that no server may send.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Garbage(pub(super) &'static str);

/// Frames longer than this are taken for garbage: whoever says so cannot have meant it.
const LONGEST: usize = 1 << 30;

/// The first frame and its length; `None` while a part of it is missing.
pub(super) fn parse(bytes: &[u8]) -> Result<Option<(Frame<'_>, usize)>, Garbage> {
    let &[first, second, ..] = bytes else { return Ok(None) };
    if first & 0x70 != 0 {
        return Err(Garbage("a frame with reserved bits, though no extension was agreed on"));
    }
    if second & 0x80 != 0 {
        return Err(Garbage("a masked frame"));
    }
    let Some((start, length)) = header(bytes, second) else { return Ok(None) };
    if length > LONGEST {
        return Err(Garbage("a frame of more than 1 GiB"));
    }
    let Some(payload) = bytes.get(start..start + length) else { return Ok(None) };
    let frame = match first & 0xf {
        0 => Frame::Fragment,
        1 | 2 => Frame::Message(payload),
        8 => Frame::Close(payload),
        9 => Frame::Ping(payload),
        10 => Frame::Pong,
        _ => return Err(Garbage("a frame with an unknown opcode")),
    };
    Ok(Some((frame, start + length)))
}

fn header(bytes: &[u8], second: u8) -> Option<(usize, usize)> {
    Some(match second {
        126 => (4, usize::from(u16::from_be_bytes(*bytes.get(2..)?.first_chunk()?))),
        127 => {
            (10, usize::try_from(u64::from_be_bytes(*bytes.get(2..)?.first_chunk()?)).unwrap_or(usize::MAX))
        }
        length => (2, usize::from(length)),
    })
}

pub(super) const TEXT: u8 = 1;
pub(super) const CLOSE: u8 = 8;
pub(super) const PING: u8 = 9;
pub(super) const PONG: u8 = 10;

/// What clients mask with: any key will do, as long as servers have to unmask.
const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// Appends one masked frame, as clients must send it.
pub(super) fn append(out: &mut Vec<u8>, opcode: u8, payload: &[u8]) {
    out.push(0x80 | opcode);
    match payload.len() {
        length @ 0..126 => out.push(0x80 | length as u8),
        length @ 126..0x1_0000 => {
            out.push(0x80 | 126);
            out.extend((length as u16).to_be_bytes());
        }
        length => {
            out.push(0x80 | 127);
            out.extend((length as u64).to_be_bytes());
        }
    }
    out.extend(KEY);
    out.extend(payload.iter().enumerate().map(|(at, byte)| masked(*byte, at)));
}

/// A byte of a payload as it is sent.
pub(super) fn masked(byte: u8, at: usize) -> u8 {
    byte ^ KEY[at % KEY.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_of_every_length_form_are_found_once_they_are_whole() {
        for length in [0, 1, 125, 126, 65_535, 65_536] {
            let mut masked = Vec::new();
            append(&mut masked, TEXT, &vec![b'x'; length]);
            let header = masked.len() - length - 4;
            let mut wire = masked[..header].to_vec();
            wire[1] &= 0x7f;
            wire.extend(vec![b'x'; length]);
            assert_eq!(parse(&wire[..wire.len() - 1]), Ok(None));
            let whole = wire.len();
            wire.extend([0x89, 0]);
            let (frame, used) = parse(&wire).unwrap().unwrap();
            assert_eq!((frame, used), (Frame::Message(&vec![b'x'; length]), whole));
            assert_eq!(parse(&wire[used..]), Ok(Some((Frame::Ping(&[]), 2))));
        }
    }

    #[test]
    fn what_no_server_may_send_is_garbage() {
        for bytes in [&b"HTTP"[..], &[0x81, 0x85], &[0x83, 0], &[0x81, 127, 255, 0, 0, 0, 0, 0, 0, 0]] {
            assert!(parse(bytes).is_err(), "{bytes:?}");
        }
    }
}
