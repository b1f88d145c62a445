use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::{
    ALLOW, CONNECTION, HOST, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL,
    SEC_WEBSOCKET_VERSION, UPGRADE,
};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Version};
use sha1::{Digest, Sha1};

use axum::response::{IntoResponse, Response};

use crate::connection::Acceptance;
use crate::scope::has_token;

/// What a correct opening handshake holds (RFC 6455, 4.2.1).
#[derive(Debug)]
pub(super) struct Opening {
    pub(super) accept: HeaderValue,
    pub(super) offered: Vec<String>,
}

/// Why a request does not open a WebSocket.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Malformed {
    #[error("this address speaks WebSocket; connect to it with a WebSocket client")]
    NotAnUpgrade,
    #[error("a WebSocket handshake is a GET request")]
    Method,
    #[error("a WebSocket handshake needs HTTP/1.1")]
    HttpVersion,
    #[error("only version 13 of the WebSocket protocol is spoken here")]
    Version,
    #[error("the handshake needs exactly one Sec-WebSocket-Key of 16 bytes in base64")]
    Key,
    #[error("the handshake needs exactly one Host header")]
    Host,
    #[error("the Sec-WebSocket-Protocol header is malformed")]
    Subprotocols,
}

impl IntoResponse for Malformed {
    fn into_response(self) -> Response {
        let text = format!("{self}\n");
        match self {
            Self::NotAnUpgrade => {
                let upgrade = [(UPGRADE, "websocket"), (CONNECTION, "upgrade")];
                (StatusCode::UPGRADE_REQUIRED, upgrade, text).into_response()
            }
            Self::Version => {
                let version =
                    [(SEC_WEBSOCKET_VERSION, "13"), (UPGRADE, "websocket"), (CONNECTION, "upgrade")];
                (StatusCode::UPGRADE_REQUIRED, version, text).into_response()
            }
            Self::Method => (StatusCode::METHOD_NOT_ALLOWED, [(ALLOW, "GET")], text).into_response(),
            _ => (StatusCode::BAD_REQUEST, text).into_response(),
        }
    }
}

/// Checks a request, and answers its key.
pub(super) fn check(parts: &Parts) -> Result<Opening, Malformed> {
    let headers = &parts.headers;
    let asks = has_token(headers, &UPGRADE, "websocket");
    if !asks {
        // What is no attempt at a WebSocket is told where it is, whatever its method.
        return Err(if parts.method == Method::GET || parts.method == Method::HEAD {
            Malformed::NotAnUpgrade
        } else {
            Malformed::Method
        });
    }
    if parts.method != Method::GET {
        return Err(Malformed::Method);
    }
    if parts.version != Version::HTTP_11 {
        return Err(Malformed::HttpVersion);
    }
    if !has_token(headers, &CONNECTION, "upgrade") {
        return Err(Malformed::NotAnUpgrade);
    }
    only(headers, &HOST).ok_or(Malformed::Host)?;
    if only(headers, &SEC_WEBSOCKET_VERSION).is_none_or(|v| v.as_bytes().trim_ascii() != b"13") {
        return Err(Malformed::Version);
    }
    let key = only(headers, &SEC_WEBSOCKET_KEY).ok_or(Malformed::Key)?.as_bytes().trim_ascii();
    if key.len() != 24 || STANDARD.decode(key).map_or(0, |k| k.len()) != 16 {
        return Err(Malformed::Key);
    }
    Ok(Opening { accept: accept(key), offered: offered(headers)? })
}

/// The answer to a key: RFC 6455, 4.2.2, step 5.4.
fn accept(key: &[u8]) -> HeaderValue {
    let mut hash = Sha1::new();
    hash.update(key);
    hash.update(b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
    HeaderValue::from_str(&STANDARD.encode(hash.finalize())).expect("base64 can stand in a header")
}

/// The response that accepts.
pub(super) fn switching(accept: HeaderValue, acceptance: Acceptance) -> Response {
    let mut response = StatusCode::SWITCHING_PROTOCOLS.into_response();
    let headers = response.headers_mut();
    headers.extend(acceptance.headers);
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(SEC_WEBSOCKET_ACCEPT, accept);
    if let Some(Ok(chosen)) = acceptance.subprotocol.map(|chosen| HeaderValue::from_str(&chosen)) {
        headers.insert(SEC_WEBSOCKET_PROTOCOL, chosen);
    }
    response
}

fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a HeaderValue> {
    let mut values = headers.get_all(name).iter();
    values.next().filter(|_| values.next().is_none())
}

/// The subprotocols offered: tokens, none twice (RFC 6455, 4.1, item 10).
fn offered(headers: &HeaderMap) -> Result<Vec<String>, Malformed> {
    let mut offered: Vec<String> = Vec::new();
    for value in headers.get_all(SEC_WEBSOCKET_PROTOCOL) {
        for token in value.to_str().map_err(|_| Malformed::Subprotocols)?.split(',') {
            let token = token.trim();
            let legal = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
            let known = offered.iter().any(|o| o == token);
            if token.is_empty() || !token.bytes().all(legal) || known || offered.len() >= 64 {
                return Err(Malformed::Subprotocols);
            }
            offered.push(token.to_owned());
        }
    }
    Ok(offered)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(change: impl FnOnce(&mut Parts)) -> Parts {
        let request = http::Request::get("/ws")
            .header(HOST, "example.com")
            .header(UPGRADE, "websocket")
            .header(CONNECTION, "keep-alive, Upgrade")
            .header(SEC_WEBSOCKET_VERSION, "13")
            .header(SEC_WEBSOCKET_KEY, "dGhlIHNhbXBsZSBub25jZQ==");
        let (mut parts, ()) = request.body(()).unwrap().into_parts();
        change(&mut parts);
        parts
    }

    #[test]
    fn the_sample_of_the_rfc_gets_the_answer_of_the_rfc() {
        let opening = check(&parts(|_| {})).unwrap();
        assert_eq!(opening.accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }

    #[test]
    fn each_fault_of_a_handshake_has_its_answer() {
        type Change = fn(&mut Parts);
        let value = HeaderValue::from_static;
        let set =
            |name: HeaderName, text| move |p: &mut Parts| _ = p.headers.insert(name.clone(), value(text));
        let add =
            |name: HeaderName, text| move |p: &mut Parts| _ = p.headers.append(name.clone(), value(text));
        let plain: [(Change, Malformed); 6] = [
            (|p| _ = p.headers.remove(UPGRADE), Malformed::NotAnUpgrade),
            (|p| _ = p.headers.remove(CONNECTION), Malformed::NotAnUpgrade),
            (|p| p.method = Method::POST, Malformed::Method),
            (|p| p.version = Version::HTTP_10, Malformed::HttpVersion),
            (|p| _ = p.headers.remove(HOST), Malformed::Host),
            (|p| _ = p.headers.remove(SEC_WEBSOCKET_VERSION), Malformed::Version),
        ];
        for (change, fault) in plain {
            assert_eq!(check(&parts(change)).unwrap_err(), fault);
        }
        let fault = |change: &dyn Fn(&mut Parts)| check(&parts(change)).unwrap_err();
        assert_eq!(fault(&add(HOST, "b")), Malformed::Host);
        assert_eq!(fault(&set(SEC_WEBSOCKET_VERSION, "8")), Malformed::Version);
        assert_eq!(fault(&set(SEC_WEBSOCKET_KEY, "short")), Malformed::Key);
        assert_eq!(fault(&add(SEC_WEBSOCKET_KEY, "dGhlIHNhbXBsZSBub25jZQ==")), Malformed::Key);
        assert_eq!(fault(&set(SEC_WEBSOCKET_PROTOCOL, "a,,b")), Malformed::Subprotocols);
        assert_eq!(fault(&set(SEC_WEBSOCKET_PROTOCOL, "a, a")), Malformed::Subprotocols);
    }

    #[test]
    fn subprotocols_are_read_from_all_headers_in_their_order() {
        let both = check(&parts(|p| {
            p.headers.append(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static("chat.v2, chat.v1"));
            p.headers.append(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static("superchat"));
        }));
        assert_eq!(both.unwrap().offered, ["chat.v2", "chat.v1", "superchat"]);
    }
}
