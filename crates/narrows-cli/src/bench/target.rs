use std::net::{IpAddr, SocketAddr, ToSocketAddrs};

use super::error::BenchError;

/// What all `--url` stand for; at least one.
#[derive(Debug, Clone)]
pub(super) struct Targets(Vec<Target>);

/// What one `--url` stands for.
#[derive(Debug, Clone)]
pub(super) struct Target {
    pub(super) url: String,
    pub(super) address: SocketAddr,
    /// For the `Host` header.
    pub(super) authority: String,
    pub(super) path: String,
}

impl Targets {
    /// Of at least one address.
    pub(super) fn new(urls: &[String]) -> Result<Self, BenchError> {
        assert!(!urls.is_empty(), "the command line has an address");
        urls.iter().map(|url| Target::new(url)).collect::<Result<_, _>>().map(Self)
    }

    /// Where the connection with this number goes: they take turns.
    pub(super) fn of(&self, number: usize) -> &Target {
        &self.0[number % self.0.len()]
    }

    pub(super) fn ips(&self) -> impl Iterator<Item = IpAddr> {
        self.0.iter().map(|target| target.address.ip())
    }

    /// All addresses, for people.
    pub(super) fn urls(&self) -> String {
        self.0.iter().map(|target| target.url.as_str()).collect::<Vec<_>>().join(", ")
    }
}

impl Target {
    pub(super) fn new(url: &str) -> Result<Self, BenchError> {
        let wrong = |why| BenchError::Url { url: url.to_owned(), why };
        let rest = match url.split_once("://") {
            Some(("ws", rest)) => rest,
            Some(("wss", _)) => return Err(wrong("TLS is not spoken here")),
            Some(_) => return Err(wrong("this is no WebSocket address")),
            None => return Err(wrong("the scheme is missing")),
        };
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        if authority.is_empty() {
            return Err(wrong("the host is missing"));
        }
        if url.bytes().any(|b| b.is_ascii_control() || b == b' ') {
            return Err(wrong("an address holds no spaces"));
        }
        let port = authority.rsplit_once(':').filter(|(_, port)| port.parse::<u16>().is_ok());
        let name = if port.is_some() { authority.to_owned() } else { format!("{authority}:80") };
        let failed = |source| BenchError::Resolve { name: name.clone(), source };
        let mut found = name.to_socket_addrs().map_err(failed)?;
        let address = found.next().ok_or_else(|| failed(std::io::ErrorKind::NotFound.into()))?;
        let path = if path.is_empty() { "/" } else { path };
        Ok(Self { url: url.to_owned(), address, authority: authority.to_owned(), path: path.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_taken_apart() {
        let target = Target::new("ws://127.0.0.1:8000/ws/chat/a/?x=1").unwrap();
        assert_eq!(target.address, "127.0.0.1:8000".parse().unwrap());
        assert_eq!((target.authority.as_str(), target.path.as_str()), ("127.0.0.1:8000", "/ws/chat/a/?x=1"));
        let short = Target::new("ws://[::1]").unwrap();
        assert_eq!((short.address.port(), short.path.as_str()), (80, "/"));
    }

    #[test]
    fn connections_take_turns_at_several_addresses() {
        let urls = ["ws://127.0.0.1:1/a", "ws://127.0.0.1:2/b"].map(str::to_owned);
        let targets = Targets::new(&urls).unwrap();
        let paths: Vec<_> = (0..3).map(|number| targets.of(number).path.as_str()).collect();
        assert_eq!(paths, ["/a", "/b", "/a"]);
        assert_eq!(targets.urls(), "ws://127.0.0.1:1/a, ws://127.0.0.1:2/b");
    }

    #[test]
    fn what_is_wrong_with_an_address_is_said() {
        for (url, why) in [
            ("http://127.0.0.1/", "no WebSocket"),
            ("127.0.0.1:8000", "scheme"),
            ("ws:///x", "host"),
            ("wss://127.0.0.1/", "TLS"),
            ("ws://127.0.0.1/a b", "spaces"),
        ] {
            let said = Target::new(url).unwrap_err().to_string();
            assert!(said.contains(why) && said.contains(url), "{said}");
        }
    }
}
