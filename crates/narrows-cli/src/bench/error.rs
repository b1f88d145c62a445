use std::io;
use std::net::IpAddr;
use std::path::PathBuf;

/// Why nothing was measured.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BenchError {
    #[error("--url {url}: {why}; use ws://host:port/path, for example ws://127.0.0.1:8000/ws/chat/bench/")]
    Url { url: String, why: &'static str },
    #[error("{name}: {source}; use a host name or address that resolves")]
    Resolve { name: String, source: io::Error },
    #[error("{url} has no {{room}} in it: all rooms would be one; put {{room}} where the room's name goes")]
    NoRoom { url: String },
    #[error(
        "cannot connect to {url} ({number} connections are open): {source}; is the server running there?"
    )]
    Connect { url: String, number: usize, source: io::Error },
    #[error(
        "{connections} connections to {to} need as many ports, and one address has {ports} to spare: widen \
         net.ipv4.ip_local_port_range, connect to 127.0.0.1 (where several source addresses are used), or use fewer \
         connections"
    )]
    Ports { to: IpAddr, connections: usize, ports: usize },
    #[error(
        "no port is free for connection {number}: other connections, open or just closed (`ss -s`), hold them; wait a \
         minute, widen net.ipv4.ip_local_port_range, or use fewer connections"
    )]
    NoPort { number: usize },
    #[error("{url} did not answer the handshake ({number} connections are open): {source}")]
    Handshake { url: String, number: usize, source: io::Error },
    #[error("{url} refused the handshake with \"{status}\"; a WebSocket route answers 101")]
    Refused { url: String, status: String },
    #[error("{url} does not speak as expected: {what}")]
    Garbage { url: String, what: String },
    #[error(
        "{who} may open {limit} file descriptors, and {connections} connections need {needed}: raise the limit \
         (`ulimit -Hn {needed}` as root, `ulimit -n {needed}`, or LimitNOFILE={needed} in a systemd unit), or use \
         fewer connections"
    )]
    Descriptors { who: String, limit: u64, connections: usize, needed: u64 },
    #[error("--pid {pid}: {source}; give the process id of the server, on this machine and on Linux")]
    Process { pid: u32, source: io::Error },
    #[error(
        "idle connections cost nothing that is seen from outside: give the server's process id with --pid"
    )]
    NoPid,
    #[error("the message must have room for its sequence number: --bytes {bytes} is less than {least}")]
    TooShort { bytes: usize, least: usize },
    #[error("the server closed {closed} of {of} connections; the first: {why}")]
    Closed { closed: usize, of: usize, why: String },
    #[error("no message arrived within {seconds} s; does {url} send back to all what one member sends?")]
    Silence { url: String, seconds: f64 },
    #[error("--stalled {stalled} of --members {members} leaves nobody who reads: at least one member must")]
    NoReader { stalled: usize, members: usize },
    #[error("no visitor came, got a message and left; use more --seconds, or --patience less than that")]
    NoVisit,
    #[error("no member was told who is there; does {url} send presence?")]
    NoPresence { url: String },
    #[error("no cycle was completed, and {failed} failed: {why}")]
    NoCycle { failed: u64, why: String },
    #[error("--plot {}: {source}", path.display())]
    Plot { path: PathBuf, source: io::Error },
    #[error("polling: {0}")]
    Poll(#[from] io::Error),
}
