use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::arguments::Connect;

/// Headers that the handshake itself is made of (RFC 6455, 4.1), or that a request without a body cannot have.
const OWN: [(&str, &str); 8] = [
    ("connection", ""),
    ("upgrade", ""),
    ("sec-websocket-key", ""),
    ("sec-websocket-version", ""),
    ("sec-websocket-extensions", ""),
    ("sec-websocket-protocol", ", use --subprotocol"),
    ("content-length", ""),
    ("transfer-encoding", ""),
];

/// A header as it was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Header {
    name: String,
    value: String,
}

impl Header {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let (name, value) = text.split_once(':').ok_or("a header is written as `Name: value`")?;
        check_token(name, "a header's name")?;
        let value = Self::value(value)?;
        let lower = name.to_ascii_lowercase();
        if let Some((_, instead)) = OWN.iter().find(|(own, _)| *own == lower) {
            return Err(format!("the handshake sets `{name}` itself{instead}"));
        }
        Ok(Self { name: name.to_owned(), value })
    }

    /// A value that cannot end its line, and with it the header.
    pub(super) fn value(text: &str) -> Result<String, String> {
        if text.contains(['\r', '\n']) {
            return Err("a header's value cannot hold a line end".to_owned());
        }
        match text.chars().find(|c| c.is_control() && *c != '\t') {
            Some(c) => Err(format!("a header's value cannot hold {}", c.escape_default())),
            None => Ok(text.trim().to_owned()),
        }
    }

    fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }
}

/// The name of a subprotocol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Subprotocol(pub(super) String);

impl Subprotocol {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        check_token(text, "a subprotocol")?;
        Ok(Self(text.to_owned()))
    }
}

/// `name=value`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cookie(String);

impl Cookie {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let (name, value) = text.split_once('=').ok_or("a cookie is written as `name=value`")?;
        check_token(name, "a cookie's name")?;
        Header::value(value)?;
        if value.contains(';') {
            return Err("a cookie's value cannot hold `;`, give --cookie once for each".to_owned());
        }
        Ok(Self(text.to_owned()))
    }
}

/// RFC 9110, 5.6.2.
fn check_token(text: &str, what: &str) -> Result<(), String> {
    if text.is_empty() {
        return Err(format!("{what} cannot be empty"));
    }
    let wrong = |c: &char| !c.is_ascii_alphanumeric() && !"!#$%&'*+-.^_`|~".contains(*c);
    match text.chars().find(wrong) {
        Some(c) => Err(format!("{what} cannot hold `{}`", c.escape_default())),
        None => Ok(()),
    }
}

/// The request of the handshake.
pub(super) struct Request {
    pub(super) bytes: Vec<u8>,
    pub(super) key: String,
    pub(super) offered: Vec<String>,
    /// The origin that it names.
    pub(super) origin: Option<String>,
}

impl Request {
    pub(super) fn new(options: &Connect, key: String) -> Self {
        let Connect { url, headers, .. } = options;
        let given = |name: &str| headers.iter().find(|header| header.is(name)).map(|header| &header.value);
        let mut text = format!("GET {} HTTP/1.1\r\n", url.path);
        let mut line = |name: &str, value: &str| {
            write!(text, "{name}: {value}\r\n").expect("a string takes all");
        };
        line("Host", given("host").unwrap_or(&url.authority));
        line("Upgrade", "websocket");
        line("Connection", "Upgrade");
        line("Sec-WebSocket-Key", &key);
        line("Sec-WebSocket-Version", "13");
        let own = (!options.no_origin).then(|| url.origin());
        let origin = options.origin.clone().or_else(|| given("origin").cloned()).or(own);
        if let Some(origin) = &origin {
            line("Origin", origin);
        }
        let offered: Vec<_> = options.subprotocols.iter().map(|name| name.0.clone()).collect();
        if !offered.is_empty() {
            line("Sec-WebSocket-Protocol", &offered.join(", "));
        }
        let cookies = headers.iter().filter(|header| header.is("cookie")).map(|header| header.value.as_str());
        let cookies: Vec<_> = cookies.chain(options.cookies.iter().map(|cookie| cookie.0.as_str())).collect();
        if !cookies.is_empty() {
            line("Cookie", &cookies.join("; "));
        }
        if let Some(credentials) = url.credentials.as_ref().filter(|_| given("authorization").is_none()) {
            line("Authorization", &format!("Basic {}", STANDARD.encode(credentials)));
        }
        line("User-Agent", given("user-agent").map_or(concat!("narrows/", env!("CARGO_PKG_VERSION")), |v| v));
        let written = ["host", "origin", "cookie", "user-agent"];
        for header in headers.iter().filter(|header| !written.iter().any(|name| header.is(name))) {
            line(&header.name, &header.value);
        }
        text.push_str("\r\n");
        Self { bytes: text.into_bytes(), key, offered, origin }
    }
}

#[cfg(test)]
mod tests {
    use clap::{Args, Command, FromArgMatches};

    use super::*;

    fn request(arguments: &[&str]) -> String {
        let command = Connect::augment_args(Command::new("connect"));
        let matches = command.get_matches_from([&["connect"], arguments].concat());
        let options = Connect::from_arg_matches(&matches).unwrap();
        String::from_utf8(Request::new(&options, "KEY".to_owned()).bytes).unwrap()
    }

    #[test]
    fn a_request_has_what_a_browser_would_send() {
        let expected = [
            "GET /ws HTTP/1.1",
            "Host: a:8000",
            "Upgrade: websocket",
            "Connection: Upgrade",
            "Sec-WebSocket-Key: KEY",
            "Sec-WebSocket-Version: 13",
            "Origin: http://a:8000",
            "Sec-WebSocket-Protocol: v2, v1",
            "Cookie: a=1; b=2; c=3",
            concat!("User-Agent: narrows/", env!("CARGO_PKG_VERSION")),
            "X-One: 1",
            "\r\n",
        ];
        let arguments = "ws://a:8000/ws --subprotocol v2 --subprotocol v1 --cookie b=2 --cookie c=3";
        let mut arguments: Vec<_> = arguments.split(' ').collect();
        arguments.extend(["-H", "X-One: 1", "-H", "cookie:a=1"]);
        assert_eq!(request(&arguments), expected.join("\r\n"));
    }

    #[test]
    fn what_is_given_takes_the_place_of_the_usual() {
        let text = request(&["ws://u:p@a/", "-H", "Host: b", "-H", "Origin: null", "-H", "User-Agent: me"]);
        assert!(text.contains("\r\nHost: b\r\n") && text.contains("\r\nOrigin: null\r\n"), "{text}");
        assert!(text.contains("\r\nUser-Agent: me\r\n") && !text.contains("narrows/"), "{text}");
        assert!(text.contains("\r\nAuthorization: Basic dTpw\r\n"), "{text}");
        assert!(!request(&["ws://a/", "--no-origin"]).contains("Origin"));
        let text = request(&["ws://u:p@a/", "-H", "Authorization: Token t", "--origin", "https://b"]);
        assert!(text.contains("Authorization: Token t\r\n") && !text.contains("Basic"), "{text}");
        assert!(text.contains("Origin: https://b\r\n"), "{text}");
    }

    #[test]
    fn headers_that_would_break_the_request_are_refused() {
        for (text, why) in [
            ("X-A 1", "`Name: value`"),
            (": 1", "empty"),
            ("X A: 1", "cannot hold ` `"),
            ("X: 1\r\nY: 2", "line end"),
            ("X: a\nb", "line end"),
            ("X\r\n: a", "cannot hold `\\r`"),
            ("X: \0", "cannot hold \\u{0}"),
            ("Sec-WebSocket-Protocol: a", "--subprotocol"),
            ("upgrade: h2c", "itself"),
        ] {
            let said = Header::parse(text).unwrap_err();
            assert!(said.contains(why), "{text:?}: {said}");
        }
        assert!(Cookie::parse("a").unwrap_err().contains("name=value"));
        assert!(Cookie::parse("a=1; b=2").unwrap_err().contains("`;`"));
        assert!(Cookie::parse("a=1\r\n").unwrap_err().contains("line end"));
        assert!(Subprotocol::parse("a,b").unwrap_err().contains("`,`"));
        assert!(Subprotocol::parse("").unwrap_err().contains("empty"));
    }
}
