//! The floor under every server that writes to each member once for each message: one thread, one epoll, one `send`.
//!
//! With `batched` as its second argument what is due when the turn of the loop ends goes out in one `send` for each
//! member: the floor where several messages are under way at once.
//!
//! No server at all, but a measure: it trusts its clients, knows one group, and understands no more of WebSocket than
//! the messages of 126 bytes and more that the load generator sends.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind, Read, Write};

use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};

const LISTENER: Token = Token(usize::MAX >> 1);
/// To the key that the generator sends, which is the sample of RFC 6455.
const ANSWER: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

struct Member {
    stream: TcpStream,
    accepted: bool,
}

fn main() -> io::Result<()> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:0".to_owned());
    let address = address.parse().map_err(io::Error::other)?;
    let batched = std::env::args().nth(2).is_some_and(|word| word == "batched");
    let mut listener = TcpListener::bind(address)?;
    println!("listening on http://{}/", listener.local_addr()?);
    let mut poll = Poll::new()?;
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
    let mut events = Events::with_capacity(1024);
    let mut members = BTreeMap::new();
    let mut next = 0;
    let mut buffer = vec![0; 64 * 1024];
    let mut due = Vec::new();
    loop {
        poll.poll(&mut events, None)?;
        for event in &events {
            if event.token() == LISTENER {
                while let Ok((mut stream, _)) = listener.accept() {
                    stream.set_nodelay(true)?;
                    poll.registry().register(&mut stream, Token(next), Interest::READABLE)?;
                    members.insert(next, Member { stream, accepted: false });
                    next += 1;
                }
                continue;
            }
            let Some(member) = members.get_mut(&event.token().0) else { continue };
            match member.stream.read(&mut buffer) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Ok(0) | Err(_) => drop(members.remove(&event.token().0)),
                Ok(_) if !member.accepted => {
                    member.stream.write_all(ANSWER)?;
                    member.accepted = true;
                }
                Ok(filled) => {
                    for frame in frames(&buffer[..filled]) {
                        due.extend(frame);
                        if !batched {
                            publish(&mut members, &mut due);
                        }
                    }
                }
            }
        }
        publish(&mut members, &mut due);
    }
}

/// Sends what is due to every member.
fn publish(members: &mut BTreeMap<usize, Member>, due: &mut Vec<u8>) {
    if due.is_empty() {
        return;
    }
    for member in members.values_mut() {
        // Who is full or gone has lost it: a floor keeps nothing for anyone.
        let _ = member.stream.write(due);
    }
    due.clear();
}

/// The frames of clients as a server sends them: without the mask.
fn frames(mut bytes: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    std::iter::from_fn(move || {
        let [0x81, 0xfe, high, low, a, b, c, d, rest @ ..] = bytes else { return None };
        let length = usize::from(u16::from_be_bytes([*high, *low])).min(rest.len());
        let (payload, after) = rest.split_at(length);
        let mut frame = vec![0x81, 126, *high, *low];
        frame.extend(payload.iter().zip([a, b, c, d].into_iter().cycle()).map(|(byte, key)| byte ^ key));
        bytes = after;
        Some(frame)
    })
}
