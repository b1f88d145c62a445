use std::hash::{BuildHasher, RandomState};
use std::str::FromStr;

use axum::body::Body;
use axum::extract::{FromRequestParts, OriginalUri};
use http::header::{
    CONNECTION, CONTENT_LENGTH, COOKIE, EXPECT, FORWARDED, HOST, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, TE,
    TRAILER, TRANSFER_ENCODING, UPGRADE, VIA,
};
use http::request::Parts;
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, Uri, Version, response};
use hyper::body::Body as _;
use narrows::scope::Handshake;

use super::Settings;
use super::address::Address;
use super::body::Upload;
use super::failure::Failure;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const X_REAL_IP: HeaderName = HeaderName::from_static("x-real-ip");

/// Headers about one connection: RFC 9110, 7.6.1, and those of RFC 2616, 13.5.1.
const OF_THE_CONNECTION: [HeaderName; 10] = [
    CONNECTION,
    HeaderName::from_static("keep-alive"),
    PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION,
    HeaderName::from_static("proxy-connection"),
    HeaderName::from_static("http2-settings"),
    TE,
    TRAILER,
    TRANSFER_ENCODING,
    UPGRADE,
];

/// What some server or framework believes about the client, beside those that are set here. `Proxy` becomes the variable
/// `HTTP_PROXY`, which HTTP clients believe too (CVE-2016-5385).
const OF_A_PROXY: [&str; 11] = [
    "forwarded-for",
    "front-end-https",
    "proxy",
    "x-forwarded",
    "x-forwarded-by",
    "x-forwarded-port",
    "x-forwarded-prefix",
    "x-forwarded-protocol",
    "x-forwarded-scheme",
    "x-forwarded-ssl",
    "x-url-scheme",
];

/// How a request that comes around again is known.
#[derive(Clone)]
pub(super) struct Loops {
    via: HeaderValue,
}

impl Loops {
    pub(super) fn new() -> Self {
        // The keys of the standard library's hash maps are random, and tell one upstream from all others.
        let name = format!("1.1 narrows-{:016x}", RandomState::new().hash_one(()));
        Self { via: HeaderValue::from_str(&name).expect("letters and digits can stand in a header") }
    }

    fn has(&self, headers: &HeaderMap) -> bool {
        let mut entries =
            headers.get_all(VIA).iter().flat_map(|line| line.as_bytes().split(|byte| *byte == b','));
        entries.any(|entry| entry.trim_ascii() == self.via.as_bytes())
    }
}

/// The request as the upstream gets it.
pub(super) async fn outgoing(
    mut parts: Parts,
    body: Body,
    address: &Address,
    settings: &Settings,
    loops: &Loops,
) -> Result<(Request<()>, Upload), Failure> {
    check(&parts, loops)?;
    let Ok(seen) = Handshake::from_request_parts(&mut parts, &()).await;
    // Nested routers see a shortened path.
    let asked = parts.extensions.remove::<OriginalUri>().map_or(parts.uri, |original| original.0);
    let mut headers = parts.headers;
    let host = host(&headers, &asked, parts.version, address)?;
    let length = length(&headers, &body)?;
    if matches!(length, Length::Known(bytes) if bytes > settings.max_body_bytes) {
        return Err(Failure::TooLarge);
    }

    remove_of_the_connection(&mut headers);
    for name in OF_A_PROXY {
        headers.remove(name);
    }
    for name in
        [X_FORWARDED_FOR, X_FORWARDED_HOST, X_FORWARDED_PROTO, X_REAL_IP, FORWARDED, EXPECT, CONTENT_LENGTH]
    {
        headers.remove(name);
    }
    let ambiguous: Vec<_> = headers.keys().filter(|name| name.as_str().contains('_')).cloned().collect();
    for name in ambiguous {
        headers.remove(name);
    }
    join_cookies(&mut headers);

    headers.insert(HOST, host);
    if let Some(client) = seen.client() {
        let ip = HeaderValue::from_str(&client.ip().to_string()).expect("an address can stand in a header");
        headers.insert(X_FORWARDED_FOR, ip.clone());
        headers.insert(X_REAL_IP, ip);
    }
    let proto = if seen.scheme().is_secure() { "https" } else { "http" };
    headers.insert(X_FORWARDED_PROTO, HeaderValue::from_static(proto));
    if let Some(server) = seen.server().and_then(|server| HeaderValue::from_str(server).ok()) {
        headers.insert(X_FORWARDED_HOST, server);
    }
    headers.append(VIA, loops.via.clone());
    match length {
        Length::None => {}
        Length::Known(bytes) => drop(headers.insert(CONTENT_LENGTH, bytes.into())),
        Length::Unknown => drop(headers.insert(TRANSFER_ENCODING, HeaderValue::from_static("chunked"))),
    }

    let mut request = Request::new(());
    *request.method_mut() = parts.method;
    *request.uri_mut() = uri(&asked, address.authority())?;
    *request.headers_mut() = headers;
    Ok((request, Upload::new(body, settings.max_body_bytes)))
}

/// The head of an answer as the client gets it.
pub(super) fn returning(parts: &mut response::Parts, settings: &Settings) -> Result<(), Failure> {
    if parts.status == StatusCode::SWITCHING_PROTOCOLS {
        // Nobody asked for that.
        return Err(Failure::Broken("the upstream switched protocols".into()));
    }
    // The client reads up to twice of this.
    let bytes: usize = parts.headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
    if bytes > settings.max_header_bytes {
        return Err(Failure::Broken("the head of the answer is too long".into()));
    }
    match coding(&parts.headers) {
        Coding::None => {}
        // It says how long the body is, if both are there (RFC 9112, 6.3).
        Coding::Chunked => drop(parts.headers.remove(CONTENT_LENGTH)),
        Coding::Other => return Err(Failure::Broken("the transfer coding is not just chunked".into())),
    }
    remove_of_the_connection(&mut parts.headers);
    parts.extensions.clear();
    parts.version = Version::HTTP_11;
    Ok(())
}

fn check(parts: &Parts, loops: &Loops) -> Result<(), Failure> {
    if matches!(parts.method, Method::CONNECT | Method::TRACE) {
        return Err(Failure::Method);
    }
    let mut upgrades =
        parts.headers.get_all(UPGRADE).iter().flat_map(|line| line.as_bytes().split(|byte| *byte == b','));
    if upgrades.any(|protocol| protocol.trim_ascii().eq_ignore_ascii_case(b"websocket")) {
        return Err(Failure::WebSocket);
    }
    if loops.has(&parts.headers) {
        return Err(Failure::Loop);
    }
    Ok(())
}

/// The host that the request is for. One in the request's address counts before the header (RFC 9112, 3.2.2).
fn host(
    headers: &HeaderMap,
    asked: &Uri,
    version: Version,
    address: &Address,
) -> Result<HeaderValue, Failure> {
    let mut hosts = headers.get_all(HOST).iter();
    let (first, second) = (hosts.next(), hosts.next());
    if second.is_some() {
        return Err(Failure::BadRequest("there is more than one Host"));
    }
    if let Some(authority) = asked.authority() {
        if authority.as_str().contains('@') {
            return Err(Failure::BadRequest("the address names a user"));
        }
        return Ok(value_of(authority));
    }
    match first {
        Some(host) => Ok(host.clone()),
        None if version == Version::HTTP_11 => Err(Failure::BadRequest("there is no Host")),
        None => Ok(value_of(&address.authority())),
    }
}

fn value_of(authority: &Authority) -> HeaderValue {
    HeaderValue::from_str(authority.as_str()).expect("what an address has can stand in a header")
}

/// How long a request's body is.
enum Length {
    None,
    Known(u64),
    Unknown,
}

/// Says it from the body as it was read here, and refuses what another reader could read in another way.
fn length(headers: &HeaderMap, body: &Body) -> Result<Length, Failure> {
    let has_length = headers.contains_key(CONTENT_LENGTH);
    match coding(headers) {
        Coding::None => {}
        Coding::Chunked if !has_length => {}
        Coding::Chunked => return Err(Failure::BadRequest("there are two lengths")),
        Coding::Other => return Err(Failure::BadRequest("the transfer coding is not just chunked")),
    }
    Ok(match body.size_hint().exact() {
        Some(0) if !has_length => Length::None,
        Some(bytes) => Length::Known(bytes),
        None => Length::Unknown,
    })
}

/// How a message says that its body is coded.
enum Coding {
    None,
    Chunked,
    /// It would have to go through as it is, but headers about a connection do not.
    Other,
}

fn coding(headers: &HeaderMap) -> Coding {
    let mut codings = headers.get_all(TRANSFER_ENCODING).iter();
    match (codings.next(), codings.next()) {
        (None, _) => Coding::None,
        (Some(coding), None) if coding.as_bytes().eq_ignore_ascii_case(b"chunked") => Coding::Chunked,
        _ => Coding::Other,
    }
}

fn remove_of_the_connection(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(CONNECTION)
        .iter()
        .flat_map(|line| line.as_bytes().split(|byte| *byte == b','))
        .filter_map(|name| HeaderName::from_bytes(name.trim_ascii()).ok())
        .collect();
    for name in named.iter().chain(&OF_THE_CONNECTION) {
        headers.remove(name);
    }
}

/// HTTP/2 clients may send several (RFC 9113, 8.2.3), and servers do not agree on what that means in HTTP/1.1.
fn join_cookies(headers: &mut HeaderMap) {
    let lines: Vec<&[u8]> = headers.get_all(COOKIE).iter().map(HeaderValue::as_bytes).collect();
    if lines.len() < 2 {
        return;
    }
    let joined =
        HeaderValue::from_bytes(&lines.join(&b"; "[..])).expect("header values stay one when joined");
    headers.insert(COOKIE, joined);
}

fn uri(asked: &Uri, authority: Authority) -> Result<Uri, Failure> {
    let mut parts = http::uri::Parts::default();
    parts.scheme = Some(Scheme::HTTP);
    parts.authority = Some(authority);
    let path = asked.path_and_query().cloned();
    parts.path_and_query = Some(match path {
        Some(path) => path,
        None => PathAndQuery::from_str("/").expect("it is a path"),
    });
    Uri::from_parts(parts).map_err(|_| Failure::BadRequest("the address cannot be asked for"))
}
