use std::io;

use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use hyper_util::server::conn::auto::upgrade::downcast;
use tokio::io::DuplexStream;
use tokio::net::{TcpStream, UnixStream};

use crate::shard::Socket;

/// Gets the bare socket back out of hyper, together with what the client sent right behind its handshake.
///
/// The bytes are copied: a slice would keep hyper's whole read buffer for as long as the connection lives.
pub(crate) fn into_socket(upgraded: Upgraded, at_home: bool) -> io::Result<(Socket, Vec<u8>)> {
    let upgraded = match downcast::<TokioIo<TcpStream>>(upgraded) {
        Ok(parts) => {
            let mut stream = parts.io.into_inner();
            if !at_home {
                // Moves it from the runtime that accepted it to the one it is to live on.
                stream = TcpStream::from_std(stream.into_std()?)?;
            }
            // A chat message must not wait for the receipt of the one before it, whoever accepted the socket. Where
            // it cannot be had the connection is slower, and no worse.
            let _ = stream.set_nodelay(true);
            return Ok((Socket::Tcp(stream), parts.read_buf.to_vec()));
        }
        Err(upgraded) => upgraded,
    };
    let upgraded = match downcast::<TokioIo<UnixStream>>(upgraded) {
        Ok(parts) => {
            let mut stream = parts.io.into_inner();
            if !at_home {
                stream = UnixStream::from_std(stream.into_std()?)?;
            }
            return Ok((Socket::Unix(stream), parts.read_buf.to_vec()));
        }
        Err(upgraded) => upgraded,
    };
    Ok(match downcast::<TokioIo<DuplexStream>>(upgraded) {
        Ok(parts) => (Socket::Other(Box::new(parts.io.into_inner())), parts.read_buf.to_vec()),
        Err(upgraded) => (Socket::Other(Box::new(TokioIo::new(upgraded))), Vec::new()),
    })
}
