use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::path::{Path, PathBuf};

use listenfd::ListenFd;
use rustix::net::{SocketFlags, acceptfrom_with};
use socket2::{Domain, Protocol, SockRef, Socket, Type};

/// Where a server listens.
///
/// Its text is what a person opens: `http://127.0.0.1:8000/`, or `unix:/run/chat.sock`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// A TCP address; the port is the real one where 0 was asked for.
    Tcp(SocketAddr),
    /// A unix socket.
    Unix(PathBuf),
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => write!(f, "http://{address}/"),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

/// Why a server cannot listen, where it was told to or at all.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ListenError {
    /// The name has no address.
    #[error("bind: {address:?} cannot be resolved; use host:port, for example 127.0.0.1:8000")]
    Resolve {
        /// As it was given.
        address: String,
        /// What the resolver said.
        source: io::Error,
    },
    /// The system does not let this process listen there.
    #[error("bind: cannot listen on {address}: {source}")]
    Bind {
        /// The address or path.
        address: String,
        /// What the system said.
        source: io::Error,
    },
    /// Something that is not an abandoned socket is in the way.
    #[error("unix: {path} is in use, or is no socket; remove it or choose another path")]
    Occupied {
        /// The path.
        path: PathBuf,
    },
    /// `inherit` was asked for, and there is nothing to inherit.
    #[error("inherit: the parent process passed no listening socket (LISTEN_FDS)")]
    NothingInherited,
    /// An inherited descriptor is not a listening TCP or unix socket.
    #[error("inherit: descriptor {index} is not a listening TCP or unix socket")]
    Inherited {
        /// Which one, from 0.
        index: usize,
        /// What the system said.
        source: io::Error,
    },
    /// The system has no threads or descriptors for the shards.
    #[error("shards: they cannot be started: {source}")]
    Shards {
        /// What the system said.
        source: io::Error,
    },
}

/// One open listening socket.
pub(super) struct Listener {
    pub(super) address: Address,
    /// Not tokio's own listener: its sockets come registered with the runtime that accepts, and would have to be
    /// taken out of there again, as each lives on a shard.
    socket: OwnedFd,
    /// Removed when we are done, if we made it.
    path: Option<PathBuf>,
}

/// A connection that no runtime knows yet.
pub(super) struct Accepted {
    pub(super) socket: OwnedFd,
    /// The client's address; `None` on a unix socket.
    pub(super) peer: Option<SocketAddr>,
}

impl Listener {
    fn new_tcp(listener: std::net::TcpListener) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        // A chat message must not wait for the receipt of the one before it. Each accepted socket inherits it.
        SockRef::from(&listener).set_tcp_nodelay(true)?;
        let address = Address::Tcp(listener.local_addr()?);
        Ok(Self { address, socket: listener.into(), path: None })
    }

    fn new_unix(listener: std::os::unix::net::UnixListener, path: Option<PathBuf>) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        let name = listener.local_addr()?.as_pathname().map(Path::to_owned).unwrap_or_default();
        Ok(Self { address: Address::Unix(name), socket: listener.into(), path })
    }

    /// Opens every address that a `host:port` stands for.
    pub(super) async fn tcp(address: &str) -> Result<Vec<Self>, ListenError> {
        let named = |source| ListenError::Resolve { address: address.to_owned(), source };
        let resolved: Vec<SocketAddr> = tokio::net::lookup_host(address).await.map_err(named)?.collect();
        if resolved.is_empty() {
            return Err(named(io::ErrorKind::NotFound.into()));
        }
        let mut open = Vec::new();
        let mut failed = None;
        for address in resolved {
            match bind(address) {
                Ok(listener) => open.push(listener),
                Err(source) => failed = Some(ListenError::Bind { address: address.to_string(), source }),
            }
        }
        // `localhost` may name an IPv6 address that this machine does not have; one that works is enough.
        match failed {
            Some(error) if open.is_empty() => Err(error),
            _ => Ok(open),
        }
    }

    /// Keeps the kernel from holding more than this for a client that does not read. Each accepted socket inherits
    /// it.
    pub(super) fn bound_unsent(&self, bytes: usize) {
        #[cfg(any(target_os = "linux", target_os = "android"))]
        if let (Address::Tcp(_), 1..) = (&self.address, bytes) {
            let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
            if let Err(error) = SockRef::from(&self.socket).set_tcp_notsent_lowat(bytes) {
                tracing::debug!(%error, "what the kernel holds unsent is left to it");
            }
        }
    }

    pub(super) fn unix(path: &Path) -> Result<Self, ListenError> {
        let failed = |source| ListenError::Bind { address: format!("unix:{}", path.display()), source };
        if path.try_exists().map_err(failed)? {
            use std::os::unix::fs::FileTypeExt;
            let is_socket = std::fs::metadata(path).map_err(failed)?.file_type().is_socket();
            // A socket that nobody answers is what a killed server left behind.
            if !is_socket || std::os::unix::net::UnixStream::connect(path).is_ok() {
                return Err(ListenError::Occupied { path: path.to_owned() });
            }
            std::fs::remove_file(path).map_err(failed)?;
        }
        let listener = std::os::unix::net::UnixListener::bind(path).map_err(failed)?;
        Self::new_unix(listener, Some(path.to_owned())).map_err(failed)
    }

    /// Takes over what systemd or another parent opened.
    pub(super) fn inherited() -> Result<Vec<Self>, ListenError> {
        let mut passed = ListenFd::from_env();
        if passed.len() == 0 {
            return Err(ListenError::NothingInherited);
        }
        (0..passed.len())
            .map(|index| take(&mut passed, index).map_err(|source| ListenError::Inherited { index, source }))
            .collect()
    }

    /// The next connection, if one is there.
    pub(super) fn accept(&self) -> io::Result<Accepted> {
        let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
        let (socket, peer) = acceptfrom_with(&self.socket, flags)?;
        let peer = match &self.address {
            // Nobody is to pass for a neighbour on a unix socket because the address is missing.
            Address::Tcp(_) => Some(peer.ok_or(io::ErrorKind::ConnectionAborted)?.try_into()?),
            Address::Unix(_) => None,
        };
        Ok(Accepted { socket, peer })
    }
}

impl AsRawFd for Listener {
    fn as_raw_fd(&self) -> RawFd {
        self.socket.as_raw_fd()
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        if let Some(path) = &self.path {
            // Somebody may have removed it already.
            let _ = std::fs::remove_file(path);
        }
    }
}

fn bind(address: SocketAddr) -> io::Result<Listener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    // A restart must not wait for the old connections' last minute.
    socket.set_reuse_address(true)?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.bind(&address.into())?;
    socket.listen(4096)?;
    Listener::new_tcp(socket.into())
}

fn take(passed: &mut ListenFd, index: usize) -> io::Result<Listener> {
    if let Ok(Some(listener)) = passed.take_tcp_listener(index) {
        return Listener::new_tcp(listener);
    }
    Listener::new_unix(passed.take_unix_listener(index)?.ok_or(io::ErrorKind::NotFound)?, None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_accepted_socket_waits_for_nothing_and_knows_its_client() {
        let listener = Listener::tcp("127.0.0.1:0").await.unwrap().remove(0);
        listener.bound_unsent(4096);
        let Address::Tcp(address) = listener.address.clone() else { unreachable!() };
        let client = tokio::net::TcpStream::connect(address).await.unwrap();
        // On the same machine the handshake is over when the client has connected.
        let Accepted { socket, peer } = listener.accept().unwrap();
        assert_eq!(peer, Some(client.local_addr().unwrap()));
        let accepted = std::net::TcpStream::from(socket);
        assert!(accepted.nodelay().unwrap(), "inherited from the listener");
        #[cfg(target_os = "linux")]
        assert_eq!(SockRef::from(&accepted).tcp_notsent_lowat().unwrap(), 4096, "inherited as well");
        let read = std::io::Read::read(&mut &accepted, &mut [0]);
        assert_eq!(read.unwrap_err().kind(), io::ErrorKind::WouldBlock);
    }
}
