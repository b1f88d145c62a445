use std::io;

use hyper::upgrade::{Parts, Upgraded};
use hyper_util::rt::TokioIo;
use hyper_util::server::conn::auto;
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream};
use tokio::net::{TcpStream, UnixStream};

use crate::shard::Socket;

/// Gets the bare socket back out of hyper, together with what the client sent right behind its handshake.
///
/// The bytes are copied: a slice would keep hyper's whole read buffer for as long as the connection lives.
pub(crate) fn into_socket(upgraded: Upgraded, at_home: bool) -> io::Result<(Socket, Vec<u8>)> {
    let upgraded = match unwrap::<TcpStream>(upgraded) {
        Ok((mut stream, early)) => {
            if !at_home {
                // Moves it from the runtime that accepted it to the one it is to live on.
                stream = TcpStream::from_std(stream.into_std()?)?;
                // A chat message must not wait for the receipt of the one before it, whoever accepted the socket;
                // our own server has set it already. Where it cannot be had the connection is slower, no worse.
                let _ = stream.set_nodelay(true);
            }
            return Ok((Socket::Tcp(stream), early));
        }
        Err(upgraded) => upgraded,
    };
    let upgraded = match unwrap::<UnixStream>(upgraded) {
        Ok((mut stream, early)) => {
            if !at_home {
                stream = UnixStream::from_std(stream.into_std()?)?;
            }
            return Ok((Socket::Unix(stream), early));
        }
        Err(upgraded) => upgraded,
    };
    Ok(match unwrap::<DuplexStream>(upgraded) {
        Ok((stream, early)) => (Socket::Other(Box::new(stream)), early),
        Err(upgraded) => (Socket::Other(Box::new(TokioIo::new(upgraded))), Vec::new()),
    })
}

/// Our own server speaks HTTP/1 by hyper itself; `axum::serve` goes through hyper-util, which wraps the stream once
/// more.
fn unwrap<T>(upgraded: Upgraded) -> Result<(T, Vec<u8>), Upgraded>
where
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    match upgraded.downcast::<TokioIo<T>>() {
        Ok(Parts { io, read_buf, .. }) => Ok((io.into_inner(), read_buf.to_vec())),
        Err(upgraded) => {
            let parts = auto::upgrade::downcast::<TokioIo<T>>(upgraded)?;
            Ok((parts.io.into_inner(), parts.read_buf.to_vec()))
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::extract::Request;
    use axum::routing::get;
    use http::StatusCode;
    use http::header::{CONNECTION, UPGRADE};
    use tokio::io::AsyncWriteExt;
    use tokio::sync::oneshot;

    use super::*;
    use crate::serve::Server;
    use crate::serve::settings::Settings;
    use crate::sync::{Arc, Mutex, lock};

    type Taken = io::Result<(Socket, Vec<u8>)>;

    /// A route that upgrades whoever comes and tells what it got.
    fn upgrading() -> (Router, oneshot::Receiver<Taken>) {
        let (tell, told) = oneshot::channel();
        let tell = Arc::new(Mutex::new(Some(tell)));
        let upgrade = |mut request: Request| async move {
            let upgraded = hyper::upgrade::on(&mut request);
            tokio::spawn(async move {
                let taken = into_socket(upgraded.await.unwrap(), true);
                assert!(lock(&tell).take().unwrap().send(taken).is_ok());
            });
            (StatusCode::SWITCHING_PROTOCOLS, [(CONNECTION, "upgrade"), (UPGRADE, "bytes")])
        };
        (Router::new().route("/", get(upgrade)), told)
    }

    const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: bytes\r\n\r\nearly";

    async fn socket_of(address: &str, told: oneshot::Receiver<Taken>) -> Socket {
        let mut client = TcpStream::connect(address).await.unwrap();
        client.write_all(REQUEST).await.unwrap();
        let (socket, early) = told.await.unwrap().unwrap();
        assert_eq!(early, b"early");
        socket
    }

    #[tokio::test]
    async fn the_bare_socket_comes_back_from_axums_server() {
        let (app, told) = upgrading();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        tokio::spawn(async move { axum::serve(listener, app).await });
        assert!(matches!(socket_of(&address, told).await, Socket::Tcp(_)));
    }

    #[tokio::test]
    async fn the_bare_socket_comes_back_from_our_own_server() {
        let (app, told) = upgrading();
        let channels = crate::Channels::builder().on_this_thread().build();
        let settings = Settings { bind: vec!["127.0.0.1:0".to_owned()], ..Settings::default() };
        let server = Server::new(app, &channels, &settings).listen().await.unwrap();
        let crate::serve::Address::Tcp(address) = server.addresses()[0].clone() else { unreachable!() };
        tokio::spawn(server.run_until(std::future::pending()));
        assert!(matches!(socket_of(&address.to_string(), told).await, Socket::Tcp(_)));
    }
}
