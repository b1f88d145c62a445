use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use rustix::net::SendFlags;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};

/// Any other byte stream: TLS, HTTP/2, the test kit's pipes.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin + 'static {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin + 'static> Stream for T {}

/// The byte stream under a connection, in the form that lets a tick write it with one system call.
pub(crate) enum Socket {
    /// The handshake is not through: what is sent waits.
    Pending,
    Tcp(TcpStream),
    Unix(UnixStream),
    Other(Box<dyn Stream>),
}

/// What one write brought about.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sent {
    pub(super) bytes: usize,
    /// Nothing is left in a buffer of the stream's own.
    pub(super) flushed: bool,
}

impl Socket {
    /// Writes what fits at once. Goes past tokio's readiness flags, as a look at them is a cache miss for each
    /// of a group's members; where the kernel says no, the session's own write puts them right.
    pub(super) fn send(&mut self, bytes: &[u8]) -> io::Result<Sent> {
        const FLAGS: SendFlags = SendFlags::DONTWAIT.union(SendFlags::NOSIGNAL);
        match self {
            Self::Pending => Err(io::ErrorKind::WouldBlock.into()),
            Self::Tcp(s) => Ok(Sent { bytes: rustix::net::send(s, bytes, FLAGS)?, flushed: true }),
            Self::Unix(s) => Ok(Sent { bytes: rustix::net::send(s, bytes, FLAGS)?, flushed: true }),
            Self::Other(s) => fenced(|| send_other(&mut **s, bytes))?,
        }
    }

    pub(super) fn poll_write_vectored(
        &mut self,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self {
            Self::Pending => Poll::Pending,
            Self::Tcp(s) => Pin::new(s).poll_write_vectored(cx, slices),
            Self::Unix(s) => Pin::new(s).poll_write_vectored(cx, slices),
            Self::Other(s) => fenced(|| Pin::new(&mut **s).poll_write_vectored(cx, slices))?,
        }
    }

    pub(super) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Other(s) => fenced(|| Pin::new(&mut **s).poll_flush(cx))?,
            _ => Poll::Ready(Ok(())),
        }
    }

    /// Ends our direction, so that the client sees the end after the last byte.
    pub(super) fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Pending => Poll::Ready(Ok(())),
            Self::Tcp(s) => Pin::new(s).poll_shutdown(cx),
            Self::Unix(s) => Pin::new(s).poll_shutdown(cx),
            Self::Other(s) => fenced(|| Pin::new(&mut **s).poll_shutdown(cx))?,
        }
    }

    /// Reads into `buffer`; `Ok(0)` is the end of the stream.
    pub(super) fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        let mut buffer = ReadBuf::new(buffer);
        let polled = match self {
            Self::Pending => Poll::Pending,
            Self::Tcp(s) => Pin::new(s).poll_read(cx, &mut buffer),
            Self::Unix(s) => Pin::new(s).poll_read(cx, &mut buffer),
            Self::Other(s) => fenced(|| Pin::new(&mut **s).poll_read(cx, &mut buffer))?,
        };
        polled.map_ok(|()| buffer.filled().len())
    }
}

/// Calls a stream that is not ours: its panic ends its connection, and not the shard in whose midst it happens.
fn fenced<R>(call: impl FnOnce() -> R) -> io::Result<R> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(call))
        .map_err(|_| io::Error::other("the connection's stream panicked"))
}

fn send_other(stream: &mut dyn Stream, bytes: &[u8]) -> io::Result<Sent> {
    let mut attempt = pin!(tokio::task::unconstrained(poll_fn(|cx| {
        let written = match Pin::new(&mut *stream).poll_write(cx, bytes) {
            Poll::Ready(written) => written?,
            Poll::Pending => return Poll::Ready(Err(io::ErrorKind::WouldBlock.into())),
        };
        match Pin::new(&mut *stream).poll_flush(cx) {
            Poll::Ready(Err(e)) => Poll::Ready(Err(e)),
            flushed => Poll::Ready(Ok(Sent { bytes: written, flushed: flushed.is_ready() })),
        }
    })));
    // Nobody is to be woken by this attempt: a refusal fills the outbox, and that wakes the session. Nor is it
    // to count against tokio's budget of the shard's own task: that would refuse all but the first 128 of a tick.
    match attempt.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(sent) => sent,
        Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
    }
}
