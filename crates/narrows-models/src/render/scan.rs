//! Rust source without its comments and texts, so that what is left can be searched.

/// The source with spaces for what is in comments and literals; every other byte stays where it is.
pub(crate) fn blanked(source: &str) -> String {
    let bytes = source.as_bytes();
    let mut out = bytes.to_vec();
    let mut at = 0;
    while at < bytes.len() {
        let end = skip(bytes, at);
        if end > at {
            for byte in &mut out[at..end] {
                if *byte != b'\n' {
                    *byte = b' ';
                }
            }
            at = end;
        } else {
            // Names may have letters of any script: nothing is looked for in them.
            if !bytes[at].is_ascii() {
                out[at] = b'_';
            }
            at += 1;
        }
    }
    String::from_utf8(out).expect("nothing but ASCII is left")
}

/// The end of the comment or literal that begins here, or here.
fn skip(bytes: &[u8], at: usize) -> usize {
    let rest = &bytes[at..];
    let before_is_name = at > 0 && (bytes[at - 1].is_ascii_alphanumeric() || bytes[at - 1] == b'_');
    if rest.starts_with(b"//") {
        return at + rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
    }
    if rest.starts_with(b"/*") {
        return at + block_comment(rest);
    }
    if rest.starts_with(b"\"") {
        return at + quoted(rest, b'"');
    }
    if rest.starts_with(b"'") {
        return at + character(rest);
    }
    if !before_is_name && let Some(length) = raw(rest) {
        return at + length;
    }
    at
}

fn block_comment(rest: &[u8]) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while at < rest.len() {
        if rest[at..].starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if rest[at..].starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    rest.len()
}

/// From one quote to the next that no backslash is before.
fn quoted(rest: &[u8], quote: u8) -> usize {
    let mut at = 1;
    while at < rest.len() {
        match rest[at] {
            b'\\' => at += 2,
            byte if byte == quote => return at + 1,
            _ => at += 1,
        }
    }
    rest.len()
}

/// A character, or nothing where it is a lifetime.
fn character(rest: &[u8]) -> usize {
    if rest.get(1) == Some(&b'\\') {
        return quoted(rest, b'\'');
    }
    // One character of up to four bytes, and a quote.
    match rest.iter().skip(2).take(4).position(|byte| *byte == b'\'') {
        Some(end) if end == 0 || !rest[1].is_ascii() => end + 3,
        _ => 0,
    }
}

/// `r"…"`, `r#"…"#`, also of bytes and C strings.
fn raw(rest: &[u8]) -> Option<usize> {
    let prefix = usize::from(matches!(rest.first(), Some(b'b' | b'c')));
    let after = rest[prefix..].strip_prefix(b"r")?;
    let hashes = after.iter().take_while(|byte| **byte == b'#').count();
    if after.get(hashes) != Some(&b'"') {
        return None;
    }
    let end: Vec<u8> = std::iter::once(b'"').chain(std::iter::repeat_n(b'#', hashes)).collect();
    let body = &after[hashes + 1..];
    let length = body.windows(end.len()).position(|window| window == end).map(|at| at + end.len());
    Some(prefix + 1 + hashes + 1 + length.unwrap_or(body.len()))
}
