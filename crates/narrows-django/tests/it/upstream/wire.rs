use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;

/// Waits for something that must come.
pub(super) async fn in_time<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(30), future).await.expect("it comes within 30 s")
}

/// One end of a connection.
pub(super) struct Wire<S = TcpStream> {
    pub(super) stream: S,
    read: Vec<u8>,
}

/// The first line of a message, and its headers.
#[derive(Debug)]
pub(super) struct Head(String);

impl Wire {
    pub(super) async fn connect(address: SocketAddr) -> Self {
        Self::new(TcpStream::connect(address).await.unwrap())
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Wire<S> {
    pub(super) fn new(stream: S) -> Self {
        Self { stream, read: Vec::new() }
    }

    pub(super) async fn say(&mut self, text: &str) {
        self.stream.write_all(text.as_bytes()).await.unwrap();
    }

    /// Reads a message up to its body.
    pub(super) async fn head(&mut self) -> Head {
        Head(self.until("\r\n\r\n").await)
    }

    /// Reads up to this text and past it.
    pub(super) async fn until(&mut self, end: &str) -> String {
        loop {
            if let Some(at) = self.read.windows(end.len()).position(|found| found == end.as_bytes()) {
                let text: Vec<u8> = self.read.drain(..at + end.len()).collect();
                return String::from_utf8(text).unwrap();
            }
            assert!(self.more().await, "{end:?} did not come; there is {:?}", self.text());
        }
    }

    /// Reads that many bytes.
    pub(super) async fn bytes(&mut self, count: usize) -> String {
        while self.read.len() < count {
            assert!(self.more().await, "it ended before {count} bytes: {:?}", self.text());
        }
        String::from_utf8(self.read.drain(..count).collect()).unwrap()
    }

    /// Reads to the end, which may be a reset.
    pub(super) async fn rest(&mut self) -> String {
        while self.more().await {}
        self.text()
    }

    async fn more(&mut self) -> bool {
        let read = in_time(self.stream.read_buf(&mut self.read)).await;
        read.unwrap_or_default() > 0
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.read).into_owned()
    }
}

impl Head {
    pub(super) fn first(&self) -> &str {
        self.0.lines().next().unwrap()
    }

    pub(super) fn status(&self) -> u16 {
        self.first().split(' ').nth(1).unwrap().parse().unwrap()
    }

    /// All values of a header, in order.
    pub(super) fn all(&self, name: &str) -> Vec<&str> {
        let fields = self.0.lines().skip(1).filter_map(|line| line.split_once(':'));
        fields.filter(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim()).collect()
    }

    /// The one value of a header, or nothing.
    pub(super) fn one(&self, name: &str) -> &str {
        let all = self.all(name);
        assert!(all.len() < 2, "{name} is there {} times", all.len());
        all.first().copied().unwrap_or_default()
    }

    pub(super) fn has(&self, name: &str) -> bool {
        !self.all(name).is_empty()
    }
}
