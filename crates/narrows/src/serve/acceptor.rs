use std::io;
use std::os::fd::{AsRawFd, RawFd};
use std::time::Duration;

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::sync::oneshot;

use super::http::Http;
use super::listener::{Accepted, Listener};
use crate::Channels;
use crate::sync::Arc;

/// How often somebody who is not on a shard looks whether the one that accepts still can.
const LOOK: Duration = Duration::from_millis(100);

/// Accepts for ever, on one of the shards.
///
/// A thread beside them would take turns with them on their cores, two switches for a connection; each shard on its
/// own would have all woken for every one. So one shard does it for all, and another takes over when that one is
/// held up by a handler or has much more to do.
///
/// # Cancel safety
/// Dropped, it accepts no more; the listening sockets close with the shard's next turn. [`stop`](Self::stop) waits
/// for that.
pub(super) struct Acceptor {
    listeners: Vec<Arc<Listener>>,
    channels: Channels,
    http: Http,
    turn: Option<Turn>,
}

/// One shard's turn; it ends when this is dropped.
struct Turn {
    shard: usize,
    _running: oneshot::Sender<()>,
    ended: oneshot::Receiver<()>,
}

impl Acceptor {
    pub(super) fn new(listeners: Vec<Listener>, channels: &Channels, http: &Http) -> Self {
        let listeners = listeners.into_iter().map(Arc::new).collect();
        Self { listeners, channels: channels.clone(), http: http.clone(), turn: None }
    }

    /// Sees to it that one shard accepts. Never ready.
    pub(super) async fn run(&mut self) {
        loop {
            let now = self.turn.as_ref().map(|turn| turn.shard);
            match self.channels.host(now) {
                Ok(shard) if now != Some(shard) => self.turn = Some(self.begin(shard)),
                Ok(_) => {}
                Err(error) => tracing::error!(%error, "the shards cannot be started"),
            }
            if self.turn.is_some() && self.channels.shards().is_ok_and(|shards| shards.len() == 1) {
                // Nobody could take over: nothing to look at.
                std::future::pending::<()>().await;
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    fn begin(&self, shard: usize) -> Turn {
        let (running, mut stopped) = oneshot::channel::<()>();
        let (done, ended) = oneshot::channel();
        let accepting: Vec<_> = self
            .listeners
            .iter()
            .map(|listener| accept(listener.clone(), self.channels.clone(), self.http.clone()))
            .collect();
        self.channels.spawn_on(shard, async move {
            let accepting = futures_util::future::join_all(accepting);
            tokio::select! {
                biased;
                _ = &mut stopped => {}
                _ = accepting => {}
            }
            // Dropped with all that has a hold on the listeners; nobody may wait for it.
            let _ = done.send(());
        });
        Turn { shard, _running: running, ended }
    }

    /// Closes the listening sockets: a new process can take their place. A shard that is held up keeps them open, but
    /// not for longer than it is waited for here: what it has not accepted then is refused.
    pub(super) async fn stop(self) {
        let Self { listeners, turn, .. } = self;
        drop(listeners);
        if let Some(Turn { _running, ended, .. }) = turn {
            drop(_running);
            // Either way there is nothing left to wait for.
            let _ = tokio::time::timeout(Duration::from_secs(1), ended).await;
        }
    }
}

/// A listener as the runtime of one shard knows it.
struct Shared(Arc<Listener>);

impl AsRawFd for Shared {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}

#[allow(
    deprecated,
    reason = "its successor is unsafe, for types that close their descriptor; this one owns it"
)]
fn register(listener: Arc<Listener>) -> io::Result<AsyncFd<Shared>> {
    AsyncFd::with_interest(Shared(listener), Interest::READABLE)
}

async fn accept(listener: Arc<Listener>, channels: Channels, http: Http) {
    let address = listener.address.clone();
    let trouble = |error: io::Error| {
        // Out of descriptors or memory: trying again at once would only burn the processor.
        tracing::error!(%error, %address, "cannot accept");
        tokio::time::sleep(Duration::from_millis(100))
    };
    let ready = loop {
        match register(listener.clone()) {
            Ok(ready) => break ready,
            Err(error) => trouble(error).await,
        }
    };
    drop(listener);
    loop {
        match ready.async_io(Interest::READABLE, |listener| listener.0.accept()).await {
            Ok(accepted) => place(accepted, &channels, &http),
            Err(error) if is_the_clients(&error) => {}
            Err(error) => trouble(error).await,
        }
    }
}

fn place(accepted: Accepted, channels: &Channels, http: &Http) {
    let (http, open) = (http.clone(), http.open());
    if let Err(error) = channels.place_socket(move || http.serve(accepted, open)) {
        tracing::error!(%error, "the shards cannot be started");
    }
}

/// The client gave up before it was accepted; no concern of ours.
fn is_the_clients(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}
