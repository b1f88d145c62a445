use std::borrow::Cow;
use std::convert::Infallible;
use std::fmt;

use axum::extract::{FromRequestParts, MatchedPath, OriginalUri};
use http::Version;
use http::request::Parts;
use percent_encoding::percent_decode_str;

use super::block::Block;
use super::client::ClientAddr;
use super::cookies::Cookies;
use super::scheme::Scheme;
use super::seen::{Front, Seen};
use super::subprotocols::Subprotocols;
use super::tokens::text_of;
use crate::sync::Arc;

/// Everything that the request says which opened a connection: what Django Channels calls the scope.
///
/// ```
/// use narrows::scope::Handshake;
/// use narrows::{Connection, Reject};
/// # use narrows::{Close, Consumer, NoEvent, Raw};
/// # struct Feed { handshake: Handshake }
/// # impl Consumer for Feed {
/// #     type Scope = Handshake; type In = Raw; type Out = Raw; type Event = NoEvent;
/// async fn connect(handshake: Handshake, conn: &mut Connection<Self>) -> Result<Self, Reject> {
///     tracing::info!(client = ?handshake.client(), path = %handshake.path(), "hello");
///     let since = handshake.query_pairs().find(|(name, _)| name == "since");
/// #   let (_, _) = (since, conn);
///     Ok(Self { handshake }) // as long as the socket lives, if need be
/// }
/// #     async fn receive(&mut self, _: Raw, _: &mut Connection<Self>) -> Result<(), Close> { Ok(()) }
/// # }
/// ```
///
/// As an extractor it never fails, on plain HTTP routes either. Client, server and scheme are those that the
/// client saw, behind [trusted proxies](super::TrustedProxies) too; for plain routes that takes
/// [`serve::Server`](crate::serve::Server) or a [`ScopeLayer`](super::ScopeLayer).
///
/// All text is copied once, into a block of its exact size: an idle socket that keeps its handshake holds the
/// bytes of the request's head, four more for each name and value, and the 64 bytes of this type. A kept
/// `HeaderValue` or `Parts` would hold hyper's whole read buffer. Where one thing is enough, take that alone:
/// [`ClientAddr`], [`Scheme`], [`Cookies`], [`Subprotocols`].
///
/// It serialises as a map of all that its methods give, with several values of a header joined by commas; cookies
/// and tokens are in there. The `Debug` form leaves values out.
#[derive(Clone, PartialEq, Eq)]
pub struct Handshake {
    /// The fields below, then each header's name and value.
    text: Block,
    client: Option<ClientAddr>,
    scheme: Scheme,
    version: Version,
}

/// Where a text stands in the block.
const RAW_PATH: usize = 0;
const QUERY: usize = 1;
const ROOT_PATH: usize = 2;
const SERVER: usize = 3;
const MATCHED_PATH: usize = 4;
const HEADERS: usize = 5;

impl Handshake {
    /// Copies what there is to know from a request.
    pub(crate) fn of(parts: &Parts) -> Self {
        let seen = Seen::of(parts);
        let root_path = parts.extensions.get::<Arc<Front>>().map_or("", |front| &*front.root_path);
        // Nested routers see a shortened path.
        let uri = parts.extensions.get::<OriginalUri>().map_or(&parts.uri, |original| &original.0);
        let matched_path = parts.extensions.get::<MatchedPath>().map_or("", MatchedPath::as_str);
        let fields = [
            uri.path(),
            uri.query().unwrap_or_default(),
            root_path,
            seen.server(parts).unwrap_or_default(),
            matched_path,
        ];
        let headers: Vec<_> = parts.headers.iter().map(|(name, value)| (name, text_of(value))).collect();
        let headers = headers.iter().flat_map(|(name, value)| [name.as_str(), value]);
        Self {
            text: Block::copy(fields.into_iter().chain(headers)),
            client: seen.client,
            scheme: Scheme::new(seen.secure.unwrap_or(false), parts),
            version: parts.version,
        }
    }

    /// The client's address. `None` on a unix socket without a trusted proxy that says it.
    #[must_use]
    pub fn client(&self) -> Option<ClientAddr> {
        self.client
    }

    /// The host that the client asked for, with its port unless it is the usual one: `example.com:8000`.
    #[must_use]
    pub fn server(&self) -> Option<&str> {
        self.some(SERVER)
    }

    /// The scheme of the address that the client used: `ws` or `wss`, and `http` or `https` on plain routes.
    #[must_use]
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The version of HTTP.
    #[must_use]
    pub fn http_version(&self) -> Version {
        self.version
    }

    /// The path below the [root path](Self::root_path), decoded: what the site's own routes are about.
    ///
    /// Bytes that are not UTF-8 are replaced (`U+FFFD`).
    #[must_use]
    pub fn path(&self) -> Cow<'_, str> {
        match percent_decode_str(self.raw_path()).decode_utf8_lossy() {
            Cow::Borrowed(path) => below(path, self.root_path()).into(),
            Cow::Owned(path) => below(&path, self.root_path()).to_owned().into(),
        }
    }

    /// The path as the client sent it, percent-encoded and with the root path.
    #[must_use]
    pub fn raw_path(&self) -> &str {
        self.text.get(RAW_PATH)
    }

    /// Where the site is mounted, as the setting `root_path` says: empty, or as `/chat`.
    #[must_use]
    pub fn root_path(&self) -> &str {
        self.text.get(ROOT_PATH)
    }

    /// The pattern of the route that answers, such as `/ws/{room}`.
    #[must_use]
    pub fn matched_path(&self) -> Option<&str> {
        self.some(MATCHED_PATH)
    }

    /// The query as the client sent it; empty without one.
    #[must_use]
    pub fn query(&self) -> &str {
        self.text.get(QUERY)
    }

    /// The pairs of the query, decoded, in their order. A name without `=` has an empty value.
    pub fn query_pairs(&self) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
        let pairs = self.query().split('&').filter(|pair| !pair.is_empty());
        pairs.map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (form_decoded(name), form_decoded(value))
        })
    }

    /// The first header of this name, in any case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers().find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// All headers as pairs of a lower-case name and a value, in the order of the request; several of one name
    /// stand together. Values that are not UTF-8 are read as Latin-1.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        let names = (HEADERS..self.text.len()).step_by(2);
        names.map(|name| (self.text.get(name), self.text.get(name + 1)))
    }

    /// The cookies, read from the headers at each call.
    #[must_use]
    pub fn cookies(&self) -> Cookies {
        Cookies::from_lines(self.values_of("cookie"))
    }

    /// The subprotocols that the client offered, read from the headers at each call.
    #[must_use]
    pub fn subprotocols(&self) -> Subprotocols {
        let lines = self.values_of("sec-websocket-protocol");
        Subprotocols::new(lines.flat_map(|line| line.split(',')).map(str::trim))
    }

    fn values_of(&self, name: &str) -> impl Iterator<Item = &str> {
        self.headers().filter(move |(found, _)| *found == name).map(|(_, value)| value)
    }

    fn some(&self, field: usize) -> Option<&str> {
        Some(self.text.get(field)).filter(|text| !text.is_empty())
    }
}

impl<S: Sync> FromRequestParts<S> for Handshake {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::of(parts))
    }
}

impl fmt::Debug for Handshake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handshake")
            .field("client", &self.client)
            .field("scheme", &self.scheme)
            .field("raw_path", &self.raw_path())
            .field("headers", &self.headers().map(|(name, _)| name).collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}

/// The part of a path below a root; the whole path where it is not below it, as `/chatter` is not below `/chat`.
fn below<'a>(path: &'a str, root: &str) -> &'a str {
    match path.strip_prefix(root) {
        Some("") => "/",
        Some(below) if below.starts_with('/') => below,
        _ => path,
    }
}

/// Decodes as forms do, where `+` is a space.
fn form_decoded(text: &str) -> Cow<'_, str> {
    if text.contains('+') {
        let spaced = text.replace('+', " ");
        return percent_decode_str(&spaced).decode_utf8_lossy().into_owned().into();
    }
    percent_decode_str(text).decode_utf8_lossy()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kept_handshake_costs_what_its_documentation_says() {
        let request = http::Request::get("/ws/?a=b").header("host", "example.com").header("origin", "null");
        let (parts, ()) = request.body(()).unwrap().into_parts();
        let handshake = Handshake::of(&parts);
        assert!(size_of::<Handshake>() <= 64, "{}", size_of::<Handshake>());
        // The server is held a second time; five fields, two headers.
        let text = "/ws/a=bexample.comhostexample.comoriginnull".len();
        assert_eq!(handshake.text.heap(), text + 4 * (5 + 2 * 2));
    }

    #[test]
    fn only_whole_segments_of_the_root_path_are_stripped() {
        let cases =
            [("/chat/ws", "/ws"), ("/chat", "/"), ("/chatter", "/chatter"), ("/x", "/x"), ("/chat/", "/")];
        for (path, rest) in cases {
            assert_eq!(below(path, "/chat"), rest);
            assert_eq!(below(path, ""), path);
        }
    }
}
