use std::io;

/// Why nothing was measured.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BenchError {
    #[error("--url {url}: {why}; use ws://host:port/path, for example ws://127.0.0.1:8000/ws/chat/bench/")]
    Url { url: String, why: &'static str },
    #[error("{name}: {source}; use a host name or address that resolves")]
    Resolve { name: String, source: io::Error },
    #[error(
        "cannot connect to {url} ({number} connections are open): {source}; is the server running there?"
    )]
    Connect { url: String, number: usize, source: io::Error },
    #[error("{url} did not answer the handshake: {source}")]
    Handshake { url: String, source: io::Error },
    #[error("{url} refused the handshake with \"{status}\"; a WebSocket route answers 101")]
    Refused { url: String, status: String },
    #[error(
        "{who} may open {limit} file descriptors, and {connections} connections need {needed}: raise the limit \
         (`ulimit -Hn {needed}` as root, or LimitNOFILE={needed} in a systemd unit), or use fewer connections"
    )]
    Descriptors { who: String, limit: u64, connections: usize, needed: u64 },
    #[error("--pid {pid}: {source}; give the process id of the server, on this machine and on Linux")]
    Process { pid: u32, source: io::Error },
    #[error("the message must have room for its sequence number: --bytes {bytes} is less than {least}")]
    TooShort { bytes: usize, least: usize },
    #[error("the server closed {closed} of {of} connections; the first: {why}")]
    Closed { closed: usize, of: usize, why: String },
    #[error("no message arrived within {seconds} s; does {url} send back to all what one member sends?")]
    Silence { url: String, seconds: u64 },
    #[error("polling: {0}")]
    Poll(#[from] io::Error),
}
