use std::fmt;

use super::escape;
use super::head::Head;
use super::request::Request;

/// How much of a body is shown.
pub(super) const SHOWN_BYTES: usize = 2048;

/// An answer in HTTP that opens no WebSocket connection.
#[derive(Debug, Default)]
pub(super) struct Refusal {
    /// What is wrong, in a line.
    why: String,
    body: Vec<u8>,
    /// What to try; empty if there is nothing to say.
    pub(super) hint: String,
}

impl Refusal {
    /// A 101 that is none.
    pub(super) fn wrong(why: impl Into<String>) -> Self {
        Self { why: why.into(), ..Self::default() }
    }

    /// Another status, with its body, as far as that came.
    pub(super) fn status(head: &Head, body: Vec<u8>, request: &Request) -> Self {
        let status = format!("{} {}", head.status, head.reason);
        let why = format!("the server refused the handshake: {}", escape::one_line(status.trim()));
        Self { why, hint: hint(head, &body, request), body }
    }
}

fn hint(head: &Head, body: &[u8], request: &Request) -> String {
    match head.status {
        200..300 => "this address is a page, and no WebSocket endpoint".to_owned(),
        300..400 => match head.value("location") {
            Some(place) => format!("it points to {}; redirects are not followed", escape::one_line(&place)),
            None => String::new(),
        },
        400 if String::from_utf8_lossy(body).contains("HTTPS port") => {
            "the server speaks TLS on this port: try wss://".to_owned()
        }
        401 => "it wants to know who asks: -H 'Authorization: …', --cookie or a token".to_owned(),
        403 => match &request.origin {
            Some(origin) => format!(
                "servers check the origin, which was {}; --origin names another, --no-origin none",
                escape::one_line(origin)
            ),
            None => "servers check the origin, and none was named".to_owned(),
        },
        404 => "there is nothing at this path; many servers want a slash at its end".to_owned(),
        426 => match head.value("sec-websocket-version") {
            Some(versions) => format!("the server speaks other versions: {}", escape::one_line(&versions)),
            None => "the server saw no upgrade; a proxy in between may have removed it".to_owned(),
        },
        429 | 503 => match head.value("retry-after") {
            Some(time) => format!("the server says when to come back: {}", escape::one_line(&time)),
            None => "the server is busy or about to stop; try again later".to_owned(),
        },
        502 | 504 => "a proxy answered, and did not reach the server behind it".to_owned(),
        _ => String::new(),
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.why)?;
        let (shown, is_cut) = match self.body.get(..SHOWN_BYTES) {
            Some(start) => (start, self.body.len() > SHOWN_BYTES),
            None => (self.body.as_slice(), false),
        };
        let text = escape::for_screen(&String::from_utf8_lossy(shown).replace("\r\n", "\n"));
        for line in text.trim().lines() {
            write!(f, "\n  {line}")?;
        }
        if is_cut { f.write_str("\n  … (there is more)") } else { Ok(()) }
    }
}
