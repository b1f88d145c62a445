//! The HTTP part of RFC 6455, 4, without I/O.

use super::target::Target;

/// The key of RFC 6455, 1.3, and its answer; a load generator needs no other.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// Heads longer than this are no answer to a handshake.
const LONGEST: usize = 16 * 1024;

/// Why there is no WebSocket.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// Another status than 101.
    Status(String),
    /// 101, but not for our key.
    Accept,
    /// Something else than HTTP.
    NotHttp,
}

/// The request for one path.
pub(super) fn request(target: &Target, path: &str) -> Vec<u8> {
    format!(
        "GET {path} HTTP/1.1\r\nHost: {}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: {KEY}\r\n\
         Sec-WebSocket-Version: 13\r\n\r\n",
        target.authority
    )
    .into_bytes()
}

/// The length of the server's answer; `None` while a part of it is missing.
pub(super) fn answer(bytes: &[u8]) -> Result<Option<usize>, Refusal> {
    let protocol = b"HTTP/1.";
    let known = bytes.len().min(protocol.len());
    if bytes[..known] != protocol[..known] {
        return Err(Refusal::NotHttp);
    }
    let Some(at) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else {
        return if bytes.len() > LONGEST { Err(Refusal::NotHttp) } else { Ok(None) };
    };
    let head = String::from_utf8_lossy(&bytes[..at]);
    let status = head.lines().next().unwrap_or_default().split_once(' ').unwrap_or_default().1;
    if !status.starts_with("101") {
        // It goes to a terminal.
        return Err(Refusal::Status(status.chars().filter(|c| !c.is_control()).take(80).collect()));
    }
    if head.contains(ACCEPT) { Ok(Some(at + 4)) } else { Err(Refusal::Accept) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_once_it_is_whole_and_what_follows_is_left() {
        let whole = format!("HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: {ACCEPT}\r\n\r\n");
        for length in 0..whole.len() {
            assert_eq!(answer(&whole.as_bytes()[..length]), Ok(None));
        }
        assert_eq!(answer(format!("{whole}\u{1}").as_bytes()), Ok(Some(whole.len())));
    }

    #[test]
    fn whatever_is_not_a_websocket_is_told_apart() {
        let status = |text: &str| Err(Refusal::Status(text.to_owned()));
        assert_eq!(answer(b"HTTP/1.1 404 Not Found\r\n\r\n"), status("404 Not Found"));
        assert_eq!(answer(b"HTTP/1.0 503 Go\x1b Away\r\nX: y\r\n\r\n"), status("503 Go Away"));
        assert_eq!(answer(b"HTTP/1.1 101 Yes\r\nSec-WebSocket-Accept: no\r\n\r\n"), Err(Refusal::Accept));
        assert_eq!(answer(b"SSH-2.0-x"), Err(Refusal::NotHttp));
        assert_eq!(answer(&[b"HTTP/1.1 ".as_slice(), &[b'x'; LONGEST]].concat()), Err(Refusal::NotHttp));
    }
}
