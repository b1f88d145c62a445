use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};
use tower_service::Service;

use super::address::Address;

/// Opens connections to one upstream, whatever the address of a request.
#[derive(Clone)]
pub(super) struct Connector {
    address: Address,
    timeout: Duration,
}

impl Connector {
    pub(super) fn new(address: Address, timeout: Duration) -> Self {
        Self { address, timeout }
    }

    async fn connect(self) -> io::Result<TokioIo<Stream>> {
        let connecting = async {
            Ok::<_, io::Error>(match &self.address {
                Address::Tcp(authority) => {
                    let host = authority.host().trim_start_matches('[').trim_end_matches(']');
                    let stream = TcpStream::connect((host, authority.port_u16().unwrap_or(80))).await?;
                    stream.set_nodelay(true)?;
                    Io::Tcp(stream)
                }
                Address::Unix(path) => Io::Unix(UnixStream::connect(path).await?),
            })
        };
        let io = tokio::time::timeout(self.timeout, connecting).await.map_err(io::Error::from)??;
        Ok(TokioIo::new(Stream { io, used: Used::default() }))
    }
}

impl Service<Uri> for Connector {
    type Response = TokioIo<Stream>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<TokioIo<Stream>>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        Box::pin(self.clone().connect())
    }
}

/// Whether a connection has answered before: one that has may have been closed since.
#[derive(Debug, Clone, Default)]
pub(super) struct Used(Arc<AtomicBool>);

impl Used {
    pub(super) fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// A connection to the upstream.
pub(super) struct Stream {
    io: Io,
    used: Used,
}

enum Io {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Connection for Stream {
    fn connected(&self) -> Connected {
        Connected::new().extra(self.used.clone())
    }
}

/// Does the same with either kind.
macro_rules! either {
    // A macro, as a pinned trait object would cost each connection an allocation and a vtable.
    ($stream:expr, $io:ident => $body:expr) => {
        match &mut $stream.get_mut().io {
            Io::Tcp($io) => $body,
            Io::Unix($io) => $body,
        }
    };
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        either!(self, io => Pin::new(io).poll_read(cx, buffer))
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        either!(self, io => Pin::new(io).poll_write(cx, bytes))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        either!(self, io => Pin::new(io).poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        either!(self, io => Pin::new(io).poll_shutdown(cx))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        either!(self, io => Pin::new(io).poll_write_vectored(cx, slices))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }
}
