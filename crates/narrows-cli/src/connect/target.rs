use std::net::Ipv6Addr;
use std::path::{Path, PathBuf};

use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};

/// What a path cannot hold as it is, and browsers encode (WHATWG URL, path percent-encode set).
const IN_PATH: AsciiSet = CONTROLS.add(b' ').add(b'"').add(b'<').add(b'>').add(b'`').add(b'{').add(b'}');

/// Where to connect, from the address on the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) is_secure: bool,
    /// A name or an address, an IPv6 address without its brackets.
    pub(super) host: String,
    pub(super) port: u16,
    /// For the `Host` header: without the usual port, as browsers write it.
    pub(super) authority: String,
    /// With the query.
    pub(super) path: String,
    /// `name:password` of the address.
    pub(super) credentials: Option<Vec<u8>>,
    /// The socket to connect to in the place of host and port.
    pub(super) unix: Option<PathBuf>,
}

impl Target {
    pub(super) fn parse(url: &str) -> Result<Self, String> {
        if let Some(c) = url.chars().find(|c| c.is_control()) {
            return Err(format!("it holds the control character {}", c.escape_default()));
        }
        let (scheme, rest) = url.split_once("://").ok_or("the scheme is missing: ws:// or wss://")?;
        let rest = rest.split('#').next().expect("a split has a first part");
        let is_secure = match scheme.to_ascii_lowercase().as_str() {
            "ws" | "http" => false,
            "wss" | "https" => true,
            "ws+unix" => return Self::on_socket(rest),
            other => {
                return Err(format!(
                    "the scheme `{other}` is not spoken: ws, wss, http, https and ws+unix are"
                ));
            }
        };
        let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        let (user, place) = match authority.rsplit_once('@') {
            Some((user, place)) => (Some(user), place),
            None => (None, authority),
        };
        let (host, port) = host_and_port(place)?;
        let usual = if is_secure { 443 } else { 80 };
        let port = port.unwrap_or(usual);
        let name = if host.contains(':') { format!("[{host}]") } else { host.clone() };
        let authority = if port == usual { name } else { format!("{name}:{port}") };
        let credentials = user.map(|user| percent_decode_str(user).collect());
        Ok(Self { is_secure, host, port, authority, path: encoded(path), credentials, unix: None })
    }

    /// `/path/to.sock:/path`, of which the second part may be missing.
    fn on_socket(rest: &str) -> Result<Self, String> {
        let (socket, path) = rest.split_once(':').unwrap_or((rest, ""));
        if !socket.starts_with('/') {
            return Err("a socket is named by its whole path: ws+unix:///run/site.sock:/ws".to_owned());
        }
        Ok(Self {
            is_secure: false,
            host: "localhost".to_owned(),
            port: 80,
            authority: "localhost".to_owned(),
            path: encoded(path),
            credentials: None,
            unix: Some(PathBuf::from(socket)),
        })
    }

    /// The origin that a page of this address has (RFC 6454).
    pub(super) fn origin(&self) -> String {
        format!("{}://{}", if self.is_secure { "https" } else { "http" }, self.authority)
    }

    /// What it is called in messages.
    pub(super) fn name(&self) -> String {
        match &self.unix {
            Some(path) => Path::display(path).to_string(),
            None if self.host.contains(':') => format!("[{}]:{}", self.host, self.port),
            None => format!("{}:{}", self.host, self.port),
        }
    }
}

fn host_and_port(place: &str) -> Result<(String, Option<u16>), String> {
    let (host, port) = if let Some(rest) = place.strip_prefix('[') {
        let (host, rest) = rest.split_once(']').ok_or("the bracket of its IPv6 address is not closed")?;
        host.parse::<Ipv6Addr>().map_err(|_| format!("[{host}] is no IPv6 address"))?;
        let port = match rest.strip_prefix(':') {
            None if rest.is_empty() => None,
            Some(port) => Some(port),
            None => return Err(format!("`{rest}` cannot follow an IPv6 address")),
        };
        (host, port)
    } else {
        match place.split_once(':') {
            Some((_, port)) if port.contains(':') => {
                return Err(format!("an IPv6 address is written in brackets: [{place}]"));
            }
            Some((host, port)) => (host, Some(port)),
            None => (place, None),
        }
    };
    if host.is_empty() {
        return Err("the host is missing".to_owned());
    }
    if !host.is_ascii() {
        return Err(format!("the host `{host}` is to be written in ASCII (xn--…)"));
    }
    if let Some(c) = host.chars().find(|c| !c.is_ascii_alphanumeric() && !"-._:".contains(*c)) {
        return Err(format!("the host holds the character `{c}`"));
    }
    let port = match port {
        None | Some("") => None,
        Some(port) => {
            let number = port.parse().ok().filter(|number| *number > 0);
            Some(number.ok_or_else(|| format!("`{port}` is no port"))?)
        }
    };
    Ok((host.to_ascii_lowercase(), port))
}

fn encoded(path: &str) -> String {
    let slash = if path.starts_with('/') { "" } else { "/" };
    format!("{slash}{}", utf8_percent_encode(path, &IN_PATH))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(url: &str) -> Target {
        Target::parse(url).unwrap()
    }

    #[test]
    fn an_address_is_taken_apart() {
        let target = parsed("ws://Example.org:8000/ws/chat/?a=1#top");
        assert_eq!((target.host.as_str(), target.port), ("example.org", 8000));
        assert_eq!((target.authority.as_str(), target.path.as_str()), ("example.org:8000", "/ws/chat/?a=1"));
        assert_eq!(target.origin(), "http://example.org:8000");
        let target = parsed("HTTPS://[::1]?x");
        assert_eq!((target.is_secure, target.host.as_str(), target.port), (true, "::1", 443));
        assert_eq!((target.authority.as_str(), target.path.as_str()), ("[::1]", "/?x"));
        assert_eq!((target.origin(), target.name()), ("https://[::1]".to_owned(), "[::1]:443".to_owned()));
    }

    #[test]
    fn the_usual_port_is_not_in_the_origin() {
        assert_eq!(parsed("ws://a:80/").origin(), "http://a");
        assert_eq!(parsed("wss://a:443/").origin(), "https://a");
        assert_eq!(parsed("wss://a:80/").origin(), "https://a:80");
    }

    #[test]
    fn a_path_is_encoded_where_it_must_be() {
        assert_eq!(
            parsed("ws://a/zimmer/schön und gut/?q=a%20b").path,
            "/zimmer/sch%C3%B6n%20und%20gut/?q=a%20b"
        );
    }

    #[test]
    fn a_name_and_a_password_may_be_in_it() {
        let target = parsed("ws://me:a%40b@host/");
        assert_eq!(target.credentials.as_deref(), Some(&b"me:a@b"[..]));
        assert_eq!(target.origin(), "http://host");
    }

    #[test]
    fn a_socket_is_named_by_its_path() {
        let target = parsed("ws+unix:///run/a.sock:/ws?x=1");
        assert_eq!(target.unix.as_deref(), Some(Path::new("/run/a.sock")));
        assert_eq!((target.path.as_str(), target.authority.as_str()), ("/ws?x=1", "localhost"));
        assert_eq!(parsed("ws+unix:///run/a.sock").path, "/");
    }

    #[test]
    fn what_is_wrong_with_an_address_is_said() {
        for (url, why) in [
            ("localhost:8000/ws", "scheme is missing"),
            ("ftp://a/", "`ftp` is not spoken"),
            ("ws:///x", "host is missing"),
            ("ws://a:b/", "`b` is no port"),
            ("ws://a:0/", "`0` is no port"),
            ("ws://a:70000/", "`70000` is no port"),
            ("ws://::1/", "brackets"),
            ("ws://[::1/", "not closed"),
            ("ws://[1]/", "no IPv6"),
            ("ws://[::1]x/", "cannot follow"),
            ("ws://bücher.example/", "xn--"),
            ("ws://a b/", "` `"),
            ("ws://a/\r\nX: y", "control character \\r"),
            ("ws+unix://a.sock:/", "whole path"),
        ] {
            let said = Target::parse(url).unwrap_err();
            assert!(said.contains(why), "{url}: {said}");
        }
    }
}
