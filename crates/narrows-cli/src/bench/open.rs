use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};

use super::error::BenchError;
use super::member::Member;
use super::target::Target;

/// How many connections one source address makes: a system has some 28 000 ports for that.
const PER_ADDRESS: usize = 28_000;
/// The key of RFC 6455, 1.3, and its answer; a load generator needs no other.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// Opens so many connections, one after another. `{n}` in the path stands for the connection's number.
pub(super) fn open_all(target: &Target, count: usize) -> Result<Vec<Member>, BenchError> {
    let request = |number: usize| {
        let path = target.path.replace("{n}", &number.to_string());
        format!(
            "GET {path} HTTP/1.1\r\nHost: {}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: {KEY}\r\n\
         Sec-WebSocket-Version: 13\r\n\r\n",
            target.authority
        )
    };
    (0..count)
        .map(|number| {
            let stream = connect(target.address, number).map_err(|source| BenchError::Connect {
                url: target.url.clone(),
                number,
                source,
            })?;
            handshake(target, stream, &request(number))
        })
        .collect()
}

fn connect(to: SocketAddr, number: usize) -> io::Result<TcpStream> {
    let socket = Socket::new(Domain::for_address(to), Type::STREAM, Some(Protocol::TCP))?;
    if let Some(from) = source_address(to.ip(), number) {
        socket.bind(&SocketAddr::new(from, 0).into())?;
    }
    socket.connect_timeout(&to.into(), Duration::from_secs(10))?;
    socket.set_tcp_nodelay(true)?;
    let stream = TcpStream::from(socket);
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    Ok(stream)
}

/// The loopback address to come from, where one is not enough: 127.0.0.2 and on.
fn source_address(to: IpAddr, number: usize) -> Option<IpAddr> {
    let block = u32::try_from(number / PER_ADDRESS).ok().filter(|block| *block > 0)?;
    let IpAddr::V4(to) = to else { return None };
    to.is_loopback().then(|| Ipv4Addr::from_bits(Ipv4Addr::LOCALHOST.to_bits() + block).into())
}

fn handshake(target: &Target, mut stream: TcpStream, request: &str) -> Result<Member, BenchError> {
    let failed = |source| BenchError::Handshake { url: target.url.clone(), source };
    stream.write_all(request.as_bytes()).map_err(failed)?;
    let mut answer = Vec::new();
    let mut buffer = [0; 2048];
    let end = loop {
        match stream.read(&mut buffer).map_err(failed)? {
            0 => return Err(failed(io::ErrorKind::UnexpectedEof.into())),
            n => answer.extend_from_slice(&buffer[..n]),
        }
        if let Some(at) = answer.windows(4).position(|window| window == b"\r\n\r\n") {
            break at + 4;
        }
    };
    let head = String::from_utf8_lossy(&answer[..end]);
    let status = head.lines().next().unwrap_or_default();
    if status.split(' ').nth(1) != Some("101") || !head.contains(ACCEPT) {
        let status = status.trim_start_matches("HTTP/1.1 ").to_owned();
        return Err(BenchError::Refused { url: target.url.clone(), status });
    }
    stream.set_nonblocking(true).map_err(failed)?;
    Ok(Member::new(mio::net::TcpStream::from_std(stream), answer[end..].to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_connections_to_this_machine_come_from_several_addresses() {
        let local: IpAddr = Ipv4Addr::LOCALHOST.into();
        assert_eq!(source_address(local, 27_999), None);
        assert_eq!(source_address(local, 28_000), Some("127.0.0.2".parse().unwrap()));
        assert_eq!(source_address(local, 60_000), Some("127.0.0.3".parse().unwrap()));
        assert_eq!(source_address("10.0.0.1".parse().unwrap(), 60_000), None);
    }
}
