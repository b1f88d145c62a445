use std::fs::File;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileTypeExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use socket2::{Domain, Protocol, Socket, Type};

/// The sockets on which all processes listen, one after another: what comes while none accepts waits in them.
#[derive(Debug)]
pub(super) struct Sockets {
    asked: Addresses,
    open: Vec<OwnedFd>,
    /// As a person would open them.
    shown: Vec<String>,
    /// Removed at the end.
    paths: Vec<PathBuf>,
}

/// Where the settings say that the program listens.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Addresses {
    pub(super) bind: Vec<String>,
    pub(super) unix: Vec<PathBuf>,
}

/// Why there is nothing to listen on.
#[derive(Debug, thiserror::Error)]
pub(super) enum SocketError {
    #[error("{address:?} cannot be resolved: {source}; use host:port, for example 127.0.0.1:8000")]
    Resolve { address: String, source: io::Error },
    #[error("cannot listen on {address}: {source}")]
    Bind { address: String, source: io::Error },
    #[error("{} is in use, or is no socket", .0.display())]
    Occupied(PathBuf),
    #[error("the settings name no address to listen on")]
    Nowhere,
}

impl Sockets {
    pub(super) fn open(asked: Addresses) -> Result<Self, SocketError> {
        let mut this =
            Self { asked: Addresses::default(), open: Vec::new(), shown: Vec::new(), paths: Vec::new() };
        for address in &asked.bind {
            this.tcp(address)?;
        }
        for path in &asked.unix {
            this.open.push(unix(path)?.into());
            this.shown.push(format!("unix:{}", path.display()));
            this.paths.push(path.clone());
        }
        if this.open.is_empty() {
            return Err(SocketError::Nowhere);
        }
        this.asked = asked;
        Ok(this)
    }

    /// Opens every address that a `host:port` stands for: `localhost` may be two, of which one is enough.
    fn tcp(&mut self, address: &str) -> Result<(), SocketError> {
        let named = |source| SocketError::Resolve { address: address.to_owned(), source };
        let resolved: Vec<SocketAddr> = address.to_socket_addrs().map_err(named)?.collect();
        let (before, mut failed) = (self.open.len(), None);
        for address in resolved {
            match bind(address) {
                Ok(socket) => {
                    let local =
                        socket.local_addr().ok().and_then(|local| local.as_socket()).unwrap_or(address);
                    self.shown.push(format!("http://{local}/"));
                    self.open.push(socket.into());
                }
                Err(source) => failed = Some(SocketError::Bind { address: address.to_string(), source }),
            }
        }
        match failed {
            Some(error) if self.open.len() == before => Err(error),
            _ if self.open.len() == before => Err(named(io::ErrorKind::NotFound.into())),
            _ => Ok(()),
        }
    }

    pub(super) fn asked(&self) -> &Addresses {
        &self.asked
    }

    pub(super) fn shown(&self) -> String {
        self.shown.join(", ")
    }

    /// The sockets once more, for another process.
    pub(super) fn handed_over(&self) -> io::Result<Vec<OwnedFd>> {
        self.open.iter().map(OwnedFd::try_clone).collect()
    }
}

impl Drop for Sockets {
    fn drop(&mut self) {
        for path in &self.paths {
            // Somebody may have removed it already.
            let _ = std::fs::remove_file(path);
        }
    }
}

fn bind(address: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.bind(&address.into())?;
    socket.listen(4096)?;
    Ok(socket)
}

fn unix(path: &Path) -> Result<UnixListener, SocketError> {
    let failed = |source| SocketError::Bind { address: format!("unix:{}", path.display()), source };
    if let Ok(there) = std::fs::symlink_metadata(path) {
        // A socket that nobody answers is what a killed server left behind.
        if !there.file_type().is_socket() || UnixStream::connect(path).is_ok() {
            return Err(SocketError::Occupied(path.to_owned()));
        }
        std::fs::remove_file(path).map_err(failed)?;
    }
    UnixListener::bind(path).map_err(failed)
}

/// Takes the low descriptors, for as long as it is held.
///
/// Those are the ones that a child gets its sockets as. Between fork and exec the standard library has a pipe of its
/// own, which is not to be one of them.
#[derive(Debug)]
pub(super) struct LowDescriptors {
    _held: Vec<File>,
}

impl LowDescriptors {
    pub(super) fn take() -> io::Result<Self> {
        Ok(Self { _held: (0..16).map(|_| File::open("/dev/null")).collect::<io::Result<_>>()? })
    }
}
