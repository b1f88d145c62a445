use std::fs::File;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileTypeExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use socket2::{Domain, Protocol, SockRef, Socket, Type};

/// The sockets on which all processes listen, one after another: what comes while none accepts waits in them.
#[derive(Debug)]
pub(super) struct Sockets {
    asked: Addresses,
    open: Vec<Arc<Listening>>,
}

/// What is open for one of the addresses.
#[derive(Debug)]
struct Listening {
    /// As the settings name it.
    name: String,
    sockets: Vec<OwnedFd>,
    /// As a person would open them.
    shown: Vec<String>,
    /// A unix socket's, removed at the end.
    path: Option<PathBuf>,
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
    #[error("cannot listen on {0}: another program does; end it, or take another address with --bind")]
    InUse(SocketAddr),
    #[error("cannot listen on {address}: {source}")]
    Bind { address: String, source: io::Error },
    #[error("{} is in use, or is no socket", .0.display())]
    Occupied(PathBuf),
    #[error("the settings name no address to listen on")]
    Nowhere,
}

impl Sockets {
    /// Opens what is not open already. Nothing is closed before all is open. Paths are those of this folder.
    pub(super) fn open(asked: Addresses, before: Option<&Self>, folder: &Path) -> Result<Self, SocketError> {
        let kept = |name: &str| before?.open.iter().find(|open| open.name == name).cloned();
        let mut open = Vec::new();
        for name in &asked.bind {
            open.push(kept(name).map_or_else(|| tcp(name).map(Arc::new), Ok)?);
        }
        for path in &asked.unix {
            let name = format!("unix:{}", path.display());
            open.push(kept(&name).map_or_else(|| unix(name, folder.join(path)).map(Arc::new), Ok)?);
        }
        if open.is_empty() {
            return Err(SocketError::Nowhere);
        }
        Ok(Self { asked, open })
    }

    pub(super) fn asked(&self) -> &Addresses {
        &self.asked
    }

    pub(super) fn shown(&self) -> String {
        let shown: Vec<&str> = self.open.iter().flat_map(|open| &open.shown).map(String::as_str).collect();
        shown.join(", ")
    }

    /// The sockets once more, for another process.
    pub(super) fn handed_over(&self) -> io::Result<Vec<OwnedFd>> {
        self.open.iter().flat_map(|open| &open.sockets).map(OwnedFd::try_clone).collect()
    }

    /// Whether it is these that are in the way: `0.0.0.0:8000` and `127.0.0.1:8000` are one address too many.
    pub(super) fn are_in_the_way(&self, error: &SocketError) -> bool {
        let SocketError::InUse(wanted) = error else { return false };
        let locals =
            self.open.iter().flat_map(|open| &open.sockets).map(|socket| SockRef::from(socket).local_addr());
        locals.filter_map(|local| local.ok()?.as_socket()).any(|local| local.port() == wanted.port())
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        if let Some(path) = &self.path {
            // Somebody may have removed it already.
            let _ = std::fs::remove_file(path);
        }
    }
}

/// Opens every address that a `host:port` stands for: `localhost` may be two, of which one is enough.
fn tcp(name: &str) -> Result<Listening, SocketError> {
    let named = |source| SocketError::Resolve { address: name.to_owned(), source };
    let resolved: Vec<SocketAddr> = name.to_socket_addrs().map_err(named)?.collect();
    let (mut sockets, mut shown, mut failed) = (Vec::new(), Vec::new(), None);
    for address in resolved {
        match bind(address) {
            Ok(socket) => {
                let local = socket.local_addr().ok().and_then(|local| local.as_socket()).unwrap_or(address);
                shown.push(format!("http://{local}/"));
                sockets.push(socket.into());
            }
            Err(source) if source.kind() == io::ErrorKind::AddrInUse => {
                failed = Some(SocketError::InUse(address));
            }
            Err(source) => failed = Some(SocketError::Bind { address: address.to_string(), source }),
        }
    }
    match failed {
        Some(error) if sockets.is_empty() => Err(error),
        None if sockets.is_empty() => Err(named(io::ErrorKind::NotFound.into())),
        _ => Ok(Listening { name: name.to_owned(), sockets, shown, path: None }),
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

fn unix(name: String, path: PathBuf) -> Result<Listening, SocketError> {
    let failed = |source| SocketError::Bind { address: name.clone(), source };
    if let Ok(there) = std::fs::symlink_metadata(&path) {
        // A socket that nobody answers is what a killed server left behind.
        if !there.file_type().is_socket() || UnixStream::connect(&path).is_ok() {
            return Err(SocketError::Occupied(path));
        }
        std::fs::remove_file(&path).map_err(failed)?;
    }
    let socket = UnixListener::bind(&path).map_err(failed)?;
    Ok(Listening { shown: vec![name.clone()], name, sockets: vec![socket.into()], path: Some(path) })
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
