use std::io;
use std::net::SocketAddr;
use std::path::Path;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream, lookup_host};
use tokio::time::{Instant, timeout_at};

use super::arguments::Connect;
use super::error::ConnectError;
use super::tls;

/// A connection to the server, of whatever kind.
pub(super) trait Stream: AsyncRead + AsyncWrite + Unpin {}

impl<S: AsyncRead + AsyncWrite + Unpin> Stream for S {}

/// Connects as far as TCP and TLS go.
///
/// # Cancel safety
///
/// When dropped, the connection that was being made is dropped with it.
pub(super) async fn open(options: &Connect, deadline: Instant) -> Result<Box<dyn Stream>, ConnectError> {
    let Connect { url, unix, .. } = options;
    match unix.as_ref().or(url.unix.as_ref()) {
        Some(path) => secured(unix_stream(path).await?, options).await,
        None => secured(tcp_stream(&url.host, url.port, deadline).await?, options).await,
    }
}

async fn unix_stream(path: &Path) -> Result<UnixStream, ConnectError> {
    let connected = UnixStream::connect(path).await;
    connected.map_err(|source| ConnectError::Connect { to: path.display().to_string(), source })
}

/// Tries the addresses of the name in turn; none of them may use up the time of the others.
async fn tcp_stream(host: &str, port: u16, deadline: Instant) -> Result<TcpStream, ConnectError> {
    let unresolved = |source| ConnectError::Resolve { host: host.to_owned(), source };
    let addresses: Vec<SocketAddr> = lookup_host((host, port)).await.map_err(unresolved)?.collect();
    let mut failed = unresolved(io::ErrorKind::NotFound.into());
    for (number, address) in addresses.iter().enumerate() {
        let others = u32::try_from(addresses.len() - number).unwrap_or(u32::MAX);
        let left = deadline.saturating_duration_since(Instant::now()) / others;
        let source = match timeout_at(Instant::now() + left, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => {
                // A line typed is to be on its way at once; where this is not possible it is only late.
                let _ = stream.set_nodelay(true);
                return Ok(stream);
            }
            Ok(Err(source)) => source,
            Err(_) => io::ErrorKind::TimedOut.into(),
        };
        failed = ConnectError::Connect { to: address.to_string(), source };
    }
    Err(failed)
}

async fn secured<S: Stream + 'static>(stream: S, options: &Connect) -> Result<Box<dyn Stream>, ConnectError> {
    if options.url.is_secure { tls::secure(stream, options).await } else { Ok(Box::new(stream)) }
}
