use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// What a site answers: its status and its body.
pub(super) fn get(address: &str, path: &str) -> std::io::Result<(u16, String)> {
    let mut answer = String::new();
    ask(address, path, "close")?.read_to_string(&mut answer)?;
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    let body = answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default();
    Ok((status, body))
}

/// Waits until an address shows this. While one program takes over from another, either may answer.
pub(super) fn wait_for(address: &str, path: &str, body: &str) {
    let end = Instant::now() + Duration::from_secs(60);
    while get(address, path).unwrap().1 != body {
        assert!(Instant::now() < end, "{path} does not become {body:?}");
    }
}

/// The events that pages listen to while a site is developed.
pub(super) struct Events(BufReader<TcpStream>);

impl Events {
    pub(super) fn open(address: &str) -> Self {
        let mut this = Self(BufReader::new(ask(address, "/__narrows__/reload", "keep-alive").unwrap()));
        this.wait("event: process");
        this
    }

    /// Waits for this line.
    pub(super) fn wait(&mut self, event: &str) {
        let mut line = String::new();
        while self.0.read_line(&mut line).unwrap() > 0 {
            if line.trim_end() == event {
                return;
            }
            line.clear();
        }
        panic!("the stream ended before {event:?}");
    }
}

fn ask(address: &str, path: &str, connection: &str) -> std::io::Result<TcpStream> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(120)))?;
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: {address}\r\nAccept: text/html\r\nConnection: {connection}\r\n\r\n"
    )?;
    Ok(stream)
}
