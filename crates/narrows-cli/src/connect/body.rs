use std::io;

use tokio::io::AsyncReadExt;

use super::head::Head;
use super::refusal::SHOWN_BYTES;
use super::stream::Stream;

/// What is read of a body: more than is shown, as some is the framing of chunks.
const READ_BYTES: usize = 2 * SHOWN_BYTES;

/// Reads on until the end of the body, or enough. What came is in `bytes` when this is dropped midway.
pub(super) async fn read(stream: &mut Box<dyn Stream>, head: &Head, bytes: &mut Vec<u8>) -> io::Result<()> {
    while bytes.len() < READ_BYTES && !is_whole(head, bytes) && stream.read_buf(bytes).await? > 0 {}
    Ok(())
}

/// The body as its head says that it is sent (RFC 9112, 6).
pub(super) fn decoded(head: &Head, mut bytes: Vec<u8>) -> Vec<u8> {
    if is_chunked(head) {
        return dechunked(&bytes).0;
    }
    bytes.truncate(length(head).unwrap_or(usize::MAX));
    bytes
}

fn is_whole(head: &Head, bytes: &[u8]) -> bool {
    if is_chunked(head) {
        dechunked(bytes).1
    } else {
        length(head).is_some_and(|length| bytes.len() >= length)
    }
}

fn is_chunked(head: &Head) -> bool {
    head.has("transfer-encoding", "chunked")
}

fn length(head: &Head) -> Option<usize> {
    if matches!(head.status, 204 | 304) {
        return Some(0);
    }
    head.value("content-length").and_then(|length| length.parse().ok())
}

/// The chunks that are there, of the last one what is there of it, and whether nothing follows.
fn dechunked(mut rest: &[u8]) -> (Vec<u8>, bool) {
    let mut body = Vec::new();
    loop {
        let (start, size) = match httparse::parse_chunk_size(rest) {
            Ok(httparse::Status::Complete(found)) => found,
            Ok(httparse::Status::Partial) => return (body, false),
            Err(_) => return (body, true),
        };
        let chunk = &rest[start..];
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        body.extend_from_slice(&chunk[..size.min(chunk.len())]);
        match size.checked_add(2).and_then(|end| chunk.get(end..)) {
            _ if size == 0 => return (body, true),
            Some(next) => rest = next,
            None => return (body, false),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_are_joined() {
        assert_eq!(dechunked(b"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n"), (b"abcde".to_vec(), true));
        assert_eq!(dechunked(b"ff\r\nabc"), (b"abc".to_vec(), false));
        assert_eq!(dechunked(b"ffffffffffffffff\r\nabc"), (b"abc".to_vec(), false));
        assert_eq!(dechunked(b"zz\r\nabc"), (Vec::new(), true));
    }
}
