use narrows_core::Position;

/// What begins the last entry of a map in MessagePack, under which a message says where it stands in the history of its
/// group, up to the value's bytes: two texts with eight bits of length.
///
/// No packer writes the key so, as its length has room in the shorter form: no sender writes this by chance, nor
/// because a client told it to.
pub(super) const MSGPACK: &[u8] = b"\xd9\x0e__narrows_at__\xd9\x21";

/// What begins it in JSON. No library writes tabs of its own.
pub(super) const JSON: &[u8] = b"\t\"__narrows_at__\":\t\"";

/// What ends it.
pub(super) const JSON_END: &str = "\"}";

/// What stands between a token and its position.
pub(super) const TOKEN: u8 = b'~';

/// How the text of a position is written: as it is.
pub(super) const PLAIN: &str = "";

/// How it is written behind a token: with these in the place of `0123456789abcdef-`. None of them occurs in a token, so
/// that Python's `urlsafe_b64decode` passes over them.
pub(super) const BEHIND_TOKEN: &str = "!#$%&()*,.:;<>?@^";

/// The length of a position's text: the epoch in 16 hexadecimal digits, `-`, the offset in 16 decimal ones.
pub(crate) const TEXT_LEN: usize = 33;

/// Reads the text of a position.
pub(super) fn read(text: &[u8]) -> Option<Position> {
    let (epoch, offset) = text.split_at_checked(16)?;
    let offset = offset.strip_prefix(b"-").filter(|offset| offset.len() == 16)?;
    let is_epoch = epoch.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if !is_epoch || !offset.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let (epoch, offset) = (std::str::from_utf8(epoch).ok()?, std::str::from_utf8(offset).ok()?);
    Some(Position { epoch: u64::from_str_radix(epoch, 16).ok()?, offset: offset.parse().ok()? })
}

/// The position behind a token, and how long the token is.
pub(super) fn behind_token(wire: &[u8]) -> Option<(usize, Position)> {
    let token = wire.len().checked_sub(TEXT_LEN + 1)?;
    let (mark, written) = wire[token..].split_first()?;
    if *mark != TOKEN {
        return None;
    }
    let mut text = [0; TEXT_LEN];
    for (character, written) in text.iter_mut().zip(written) {
        let place = BEHIND_TOKEN.bytes().position(|one| one == *written)?;
        *character = b"0123456789abcdef-"[place];
    }
    Some((token, read(&text)?))
}

/// Whether this ends with a position as one behind `begins` and before `ends`; where that begins.
pub(super) fn at_end(map: &[u8], begins: &[u8], ends: &[u8]) -> Option<(usize, Position)> {
    let start = map.len().checked_sub(begins.len() + TEXT_LEN + ends.len())?;
    let text = map[start..].strip_prefix(begins)?.strip_suffix(ends)?;
    Some((start, read(text)?))
}
