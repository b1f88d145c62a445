//! Servers that do what they should not, and a few that do one thing right.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

pub(crate) const TEXT: u8 = 1;
pub(crate) const CLOSE: u8 = 8;
pub(crate) const PING: u8 = 9;
pub(crate) const PONG: u8 = 10;

/// The server's side of one WebSocket.
pub(crate) struct Peer(pub(crate) TcpStream);

/// Starts a server that treats each connection so, for as long as the test runs: its address.
pub(crate) fn start(treat: impl Fn(TcpStream) + Clone + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("ws://{}/{{room}}/", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let treat = treat.clone();
            std::thread::spawn(move || treat(stream.unwrap()));
        }
    });
    url
}

/// Starts a server that answers each message with those that `answer`, made anew for each connection, gives for it.
pub(crate) fn answering<A>(make: impl Fn() -> A + Clone + Send + 'static) -> String
where
    A: FnMut(Vec<u8>) -> Vec<Vec<u8>>,
{
    start(move |stream| {
        let Some(mut peer) = Peer::accept(stream) else { return };
        let mut answer = make();
        while let Some((opcode, payload)) = peer.read() {
            let answers = match opcode {
                TEXT => answer(payload),
                PING => vec![],
                _ => return peer.send(CLOSE, &payload),
            };
            if opcode == PING {
                peer.send(PONG, b"");
            }
            answers.iter().for_each(|payload| peer.send(TEXT, payload));
        }
    })
}

impl Peer {
    /// Answers the handshake.
    pub(crate) fn accept(stream: TcpStream) -> Option<Self> {
        Self::accept_with(stream, "")
    }

    /// The same with more headers, each with its line end.
    pub(crate) fn accept_with(mut stream: TcpStream, headers: &str) -> Option<Self> {
        let request = read_head(&mut stream)?;
        let mut lines = request.lines().filter_map(|line| line.split_once(": "));
        let (_, key) = lines.find(|(name, _)| name.eq_ignore_ascii_case("sec-websocket-key"))?;
        stream.set_nodelay(true).unwrap();
        let head = format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n{headers}\
             Sec-WebSocket-Accept: {}\r\n\r\n",
            derive_accept_key(key.as_bytes())
        );
        stream.write_all(head.as_bytes()).ok()?;
        Some(Self(stream))
    }

    /// The opcode and payload of the next frame; `None` when the client is gone.
    pub(crate) fn read(&mut self) -> Option<(u8, Vec<u8>)> {
        let [first, second] = self.take()?;
        let length = match second & 0x7f {
            126 => usize::from(u16::from_be_bytes(self.take()?)),
            127 => usize::try_from(u64::from_be_bytes(self.take()?)).unwrap(),
            length => usize::from(length),
        };
        let key: [u8; 4] = self.take()?;
        let mut payload = vec![0; length];
        self.0.read_exact(&mut payload).ok()?;
        payload.iter_mut().zip(key.iter().cycle()).for_each(|(byte, key)| *byte ^= key);
        Some((first & 0xf, payload))
    }

    /// Sends one frame of less than 64 KiB. A client that is gone is the test's business.
    pub(crate) fn send(&mut self, opcode: u8, payload: &[u8]) {
        let mut frame = vec![0x80 | opcode];
        match payload.len() {
            length @ 0..126 => frame.push(length as u8),
            length => {
                frame.push(126);
                frame.extend(u16::try_from(length).unwrap().to_be_bytes());
            }
        }
        frame.extend(payload);
        // It may be gone.
        let _ = self.0.write_all(&frame);
    }

    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let mut bytes = [0; N];
        self.0.read_exact(&mut bytes).ok()?;
        Some(bytes)
    }
}

/// Reads a request's head; `None` when the client is gone.
pub(crate) fn read_head(stream: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).ok()?;
        head.extend(byte);
    }
    String::from_utf8(head).ok()
}
