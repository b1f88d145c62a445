use std::time::Duration;

use axum::Router;
use tokio::sync::watch;

use super::acceptor::Acceptor;
use super::http::Http;
use super::listener::{Address, ListenError, Listener};
use super::settings::Settings;
use super::signals::first_signal;
use crate::Channels;

/// An axum router on its way to being served, on the shards of its [`Channels`].
///
/// See [`serve`](crate::serve) for an example. The whole router runs on the shards: a view that blocks its
/// thread holds up the sockets there, so blocking work belongs on `tokio::task::spawn_blocking`. One that does so for
/// longer than [`long_handler`](crate::Limits::long_handler) is told in the log as the consumer `http`.
#[derive(Debug)]
#[must_use = "`.listen()` opens its sockets"]
pub struct Server {
    app: Router,
    channels: Channels,
    settings: Settings,
}

impl Server {
    /// A server for this router, with its sockets, HTTP limits and drain as the settings say.
    pub fn new(app: Router, channels: &Channels, settings: &Settings) -> Self {
        Self { app, channels: channels.clone(), settings: settings.clone() }
    }

    /// Opens every socket and starts the shards. Clients can connect from here on; they are answered once it runs.
    ///
    /// # Errors
    /// [`ListenError`] names the address that does not work, and why, or says what the shards lack.
    ///
    /// It raises this process's soft limit of open files to the hard one: each connection takes a descriptor, and
    /// the usual 1024 serve nobody.
    pub async fn listen(self) -> Result<Listening, ListenError> {
        raise_open_files();
        let mut listeners = Vec::new();
        if self.settings.inherit {
            listeners.append(&mut Listener::inherited()?);
        }
        for address in &self.settings.bind {
            listeners.append(&mut Listener::tcp(address).await?);
        }
        for path in &self.settings.unix {
            listeners.push(Listener::unix(path)?);
        }
        for listener in &listeners {
            listener.bound_unsent(self.settings.unsent_bytes);
        }
        // Here, where it can still be said why it does not work.
        self.channels.shards().map_err(|source| ListenError::Shards { source })?;
        let addresses = listeners.iter().map(|listener| listener.address.clone()).collect();
        Ok(Listening { server: self, listeners, addresses })
    }
}

/// A server whose sockets are open.
#[must_use = "`.run()` answers its clients"]
pub struct Listening {
    server: Server,
    listeners: Vec<Listener>,
    addresses: Vec<Address>,
}

impl Listening {
    /// Where it listens, with the real ports.
    pub fn addresses(&self) -> &[Address] {
        &self.addresses
    }

    /// Serves until SIGTERM or SIGINT, then drains, and returns when the last handler is done or the drain's
    /// time is over. A second signal ends the process at once, with the status that shells give for it.
    ///
    /// The signals are taken by the call itself: whoever is told of the server after it, and before the
    /// future is awaited, can end it in the orderly way.
    ///
    /// # Panics
    /// Where signals cannot be handled, or outside a tokio runtime with I/O and time.
    pub fn run(self) -> impl Future<Output = ()> {
        let channels = self.server.channels.clone();
        self.run_until(first_signal(move || channels.set_unready()))
    }

    /// Serves as [`run`](Self::run) does, and until `end` is ready at the latest.
    ///
    /// # Panics
    /// As `run`.
    pub fn run_or_until(self, end: impl Future<Output = ()>) -> impl Future<Output = ()> {
        let channels = self.server.channels.clone();
        let signal = first_signal(move || channels.set_unready());
        self.run_until(async {
            tokio::select! {
                () = signal => {}
                () = end => {}
            }
        })
    }

    /// Serves until `end` is ready, then drains as [`run`](Self::run) does.
    ///
    /// # Cancel safety
    /// Dropped, it stops accepting at once and leaves open connections as they are.
    pub async fn run_until(self, end: impl Future<Output = ()>) {
        let Self { server: Server { app, channels, settings }, listeners, .. } = self;
        let (tell_http, ending) = watch::channel(false);
        let http = Http::new(app, &settings, channels.front().clone(), ending);
        let mut acceptor = Acceptor::new(listeners, &channels, &http);
        {
            let mut accepting = std::pin::pin!(acceptor.run());
            tokio::select! {
                () = accepting.as_mut() => {}
                () = end => {
                    channels.set_unready();
                    if settings.drain_delay > Duration::ZERO {
                        tokio::select! {
                            () = accepting.as_mut() => {}
                            () = tokio::time::sleep(settings.drain_delay) => {}
                        }
                    }
                }
            }
        }
        acceptor.stop().await;
        // Nobody listens when every connection has ended already.
        let _ = tell_http.send(true);
        let drained = async {
            channels.drain(settings.drain_window).await;
            tokio::join!(channels.idle(), http.idle());
            // The other nodes are to know that this one is in no group any more.
            channels.identities().let_go();
            channels.live_register().let_go().await;
            channels.hub().settled().await;
            channels.presences().let_go().await;
        };
        if tokio::time::timeout(settings.drain_timeout, drained).await.is_err() {
            let left = channels.stats().connections;
            tracing::warn!(connections = left, "the drain's time is over; what is left is cut");
        }
    }
}

impl std::fmt::Debug for Listening {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Listening").field("addresses", &self.addresses).finish_non_exhaustive()
    }
}

fn raise_open_files() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    if let Err(error) = setrlimit(Resource::Nofile, limit) {
        tracing::debug!(%error, "the limit of open files stays as it is");
    }
}
