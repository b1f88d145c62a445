//! A network on which a part of a node's connections can be lost, and the others not.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// Which connections: those by which messages come, or the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Messages,
    Commands,
}

/// Stands before a Redis for as long as the test's runtime.
pub(crate) struct Tap {
    port: u16,
    lost: watch::Sender<Option<Part>>,
    connections: Arc<AtomicU64>,
}

impl Tap {
    pub(crate) async fn to(port: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port is free");
        let (lost, losing) = watch::channel(None);
        let connections = Arc::<AtomicU64>::default();
        let tap = Self { port: listener.local_addr().expect("it is bound").port(), lost, connections };
        let connections = tap.connections.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                connections.fetch_add(1, Ordering::SeqCst);
                let Ok(server) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await else { continue };
                let ((from_client, to_client), (from_server, to_server)) =
                    (client.into_split(), server.into_split());
                let takes = Arc::<AtomicBool>::default();
                tokio::spawn(pass(from_client, to_server, losing.clone(), takes.clone()));
                tokio::spawn(pass(from_server, to_client, losing.clone(), takes));
            }
        });
        tap
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// How many there were so far.
    pub(crate) fn connections(&self) -> u64 {
        self.connections.load(Ordering::SeqCst)
    }

    /// Passes nothing more of these, and keeps them open.
    pub(crate) fn lose(&self, part: Part) {
        self.lost.send_replace(Some(part));
    }

    pub(crate) fn mend(&self) {
        self.lost.send_replace(None);
    }
}

async fn pass(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut lost: watch::Receiver<Option<Part>>,
    takes: Arc<AtomicBool>,
) {
    let mut buffer = vec![0; 65_536];
    while let Ok(count @ 1..) = from.read(&mut buffer).await {
        let bytes = &buffer[..count];
        if contains(bytes, b"SUBSCRIBE") || contains(bytes, b"BZPOPMIN") {
            takes.store(true, Ordering::SeqCst);
        }
        let part = if takes.load(Ordering::SeqCst) { Part::Messages } else { Part::Commands };
        if lost.wait_for(|lost| *lost != Some(part)).await.is_err() || to.write_all(bytes).await.is_err() {
            return;
        }
    }
}

fn contains(bytes: &[u8], word: &[u8]) -> bool {
    bytes.windows(word.len()).any(|window| window == word)
}
