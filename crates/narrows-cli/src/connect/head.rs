/// Most bytes of a head that are read.
pub(super) const MAX_HEAD_BYTES: usize = 64 << 10;

const MAX_HEADERS: usize = 128;

/// The head of an answer in HTTP/1.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) status: u16,
    pub(super) reason: String,
    pub(super) headers: Vec<(String, String)>,
}

impl Head {
    /// Reads a head, if it is complete, and says how long it is.
    pub(super) fn parse(bytes: &[u8]) -> Result<Option<(Self, usize)>, String> {
        let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
        let mut response = httparse::Response::new(&mut headers);
        let length = match response.parse(bytes).map_err(|error| error.to_string())? {
            httparse::Status::Complete(length) => length,
            httparse::Status::Partial => return Ok(None),
        };
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        let headers = response.headers.iter().map(|header| (header.name.to_owned(), text(header.value)));
        let head = Self {
            status: response.code.expect("a complete head has a status"),
            reason: response.reason.unwrap_or_default().to_owned(),
            headers: headers.collect(),
        };
        Ok(Some((head, length)))
    }

    /// A header, all its lines as one list; none if there is no such line.
    pub(super) fn value(&self, name: &str) -> Option<String> {
        let lines = self.headers.iter().filter(|(found, _)| found.eq_ignore_ascii_case(name));
        let values: Vec<_> = lines.map(|(_, value)| value.trim()).collect();
        (!values.is_empty()).then(|| values.join(", "))
    }

    /// Whether a header that is a list has this item.
    pub(super) fn has(&self, name: &str, item: &str) -> bool {
        let value = self.value(name).unwrap_or_default();
        value.split(',').any(|found| found.trim().eq_ignore_ascii_case(item))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_read_once_it_is_whole() {
        let bytes = b"HTTP/1.1 101 Switching\r\nA: 1\r\na: 2\r\nConnection: keep-alive, Upgrade\r\n\r\nrest";
        assert!(Head::parse(&bytes[..30]).unwrap().is_none());
        let (head, length) = Head::parse(bytes).unwrap().unwrap();
        assert_eq!((head.status, head.reason.as_str(), &bytes[length..]), (101, "Switching", &b"rest"[..]));
        assert_eq!(head.value("a").as_deref(), Some("1, 2"));
        assert!(head.has("connection", "upgrade") && head.value("b").is_none());
        assert!(Head::parse(b"SSH-2.0-OpenSSH_9\r\n").is_err());
    }
}
