//! As much of RFC 6455 as counting messages takes.

/// One frame of a server.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Frame<'a> {
    /// A whole message. Servers that send fragments are not counted right; none that we compare does.
    Message(&'a [u8]),
    Ping(&'a [u8]),
    Close(&'a [u8]),
    Other,
}

/// The first frame and its length; `None` while a part of it is missing.
pub(super) fn parse(bytes: &[u8]) -> Option<(Frame<'_>, usize)> {
    let (&first, &second) = (bytes.first()?, bytes.get(1)?);
    let (start, length): (usize, usize) = match second & 0x7f {
        126 => (4, usize::from(u16::from_be_bytes(*bytes.get(2..)?.first_chunk()?))),
        127 => {
            (10, usize::try_from(u64::from_be_bytes(*bytes.get(2..)?.first_chunk()?)).unwrap_or(usize::MAX))
        }
        length => (2, usize::from(length)),
    };
    let end = start.saturating_add(length);
    let payload = bytes.get(start..end)?;
    let frame = match first & 0xf {
        1 | 2 => Frame::Message(payload),
        8 => Frame::Close(payload),
        9 => Frame::Ping(payload),
        _ => Frame::Other,
    };
    Some((frame, end))
}

pub(super) const TEXT: u8 = 1;
pub(super) const PONG: u8 = 10;

/// Appends one masked frame, as clients must send it.
pub(super) fn append(out: &mut Vec<u8>, opcode: u8, payload: &[u8]) {
    const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];
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
    out.extend(payload.iter().zip(KEY.iter().cycle()).map(|(byte, key)| byte ^ key));
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
            assert_eq!(parse(&wire[..wire.len() - 1]), None);
            let whole = wire.len();
            wire.extend([0x89, 0]);
            let (frame, used) = parse(&wire).unwrap();
            assert_eq!((frame, used), (Frame::Message(&vec![b'x'; length]), whole));
            assert_eq!(parse(&wire[used..]), Some((Frame::Ping(&[]), 2)));
        }
    }
}
