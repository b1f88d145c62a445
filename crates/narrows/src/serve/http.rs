use std::convert::Infallible;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio::sync::watch;
use tower_service::Service;

use super::listener::Accepted;
use super::settings::Settings;
use crate::scope::{ByUnixSocket, Front};
use crate::sync::Arc;

/// How long a client that has just connected may take to ask, when the server ends: hyper would close its connection at once, with
/// the request on its way. Who has not sent all of a request's head by then is closed. What has asked before is idle, and is closed
/// at once.
const FIRST_REQUEST: Duration = Duration::from_secs(1);

/// Serves HTTP/1.1 on accepted sockets, up to the upgrade that takes them away from it.
#[derive(Clone)]
pub(super) struct Http(Arc<Inner>);

struct Inner {
    app: Router,
    protocol: http1::Builder,
    front: Arc<Front>,
    /// Turns true when answers in progress are to be the last ones.
    ending: watch::Receiver<bool>,
    /// Held by every connection that still speaks HTTP.
    open: watch::Sender<()>,
}

/// A connection that still speaks HTTP, or will.
pub(super) struct Open(#[expect(dead_code, reason = "held, not read")] watch::Receiver<()>);

impl Http {
    pub(super) fn new(
        app: Router,
        settings: &Settings,
        front: Arc<Front>,
        ending: watch::Receiver<bool>,
    ) -> Self {
        let mut protocol = http1::Builder::new();
        protocol
            .timer(TokioTimer::new())
            .max_header_size(settings.max_header_bytes)
            .max_buf_size(settings.max_header_bytes.max(64 * 1024));
        // hyper has room for its own 100 in place; told a number, even this one, it allocates for each request.
        if settings.max_headers != 100 {
            protocol.max_headers(settings.max_headers);
        }
        let timeout = settings.header_timeout;
        protocol.header_read_timeout((timeout > Duration::ZERO).then_some(timeout));
        Self(Arc::new(Inner { app, protocol, front, ending, open: watch::Sender::new(()) }))
    }

    /// Held for a socket from its acceptance on: the end waits for it also while it is on its way to its shard.
    pub(super) fn open(&self) -> Open {
        Open(self.0.open.subscribe())
    }

    /// Takes an accepted socket into the runtime of the calling shard and serves it.
    pub(super) async fn serve(self, accepted: Accepted, open: Open) {
        if let Err(error) = self.serve_accepted(accepted).await {
            tracing::debug!(%error, "an accepted socket could not be served");
        }
        drop(open);
    }

    async fn serve_accepted(self, Accepted { socket, peer }: Accepted) -> std::io::Result<()> {
        match peer {
            Some(_) => self.serve_stream(TcpStream::from_std(socket.into())?, peer).await,
            None => self.serve_stream(UnixStream::from_std(socket.into())?, None).await,
        }
        Ok(())
    }

    async fn serve_stream<T>(self, stream: T, peer: Option<SocketAddr>)
    where
        T: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let (app, front) = (&self.0.app, &self.0.front);
        let was_asked = AtomicBool::new(false);
        let service = hyper::service::service_fn(|request: Request<Incoming>| {
            was_asked.store(true, Ordering::Relaxed);
            let mut app = app.clone();
            let mut request = request.map(Body::new);
            let extensions = request.extensions_mut();
            extensions.insert(front.clone());
            match peer {
                Some(peer) => drop(extensions.insert(ConnectInfo(peer))),
                None => drop(extensions.insert(ByUnixSocket)),
            }
            async move { Ok::<_, Infallible>(unwrap_infallible(app.call(request).await)) }
        });
        let mut ending = self.0.ending.clone();
        let connection = self.0.protocol.serve_connection(TokioIo::new(stream), service).with_upgrades();
        let mut connection = std::pin::pin!(connection);
        let ending = async move {
            // The flag is not to be held while the connection goes on.
            drop(ending.wait_for(|ending| *ending).await);
        };
        let ended = tokio::select! {
            ended = connection.as_mut() => ended,
            () = ending => {
                let first = poll_fn(|cx| match connection.as_mut().poll(cx) {
                    Poll::Ready(ended) => Poll::Ready(Some(ended)),
                    Poll::Pending if was_asked.load(Ordering::Relaxed) => Poll::Ready(None),
                    Poll::Pending => Poll::Pending,
                });
                match tokio::time::timeout(FIRST_REQUEST, first).await {
                    Ok(Some(ended)) => ended,
                    Ok(None) => {
                        connection.as_mut().graceful_shutdown();
                        connection.await
                    }
                    // Half a head, or nothing: it would hold up the end as long as it likes.
                    Err(_) => Ok(()),
                }
            }
        };
        if let Err(error) = ended {
            tracing::debug!(%error, "an HTTP connection ended early");
        }
    }

    /// Waits until no connection speaks HTTP any more.
    pub(super) async fn idle(&self) {
        self.0.open.closed().await;
    }
}

fn unwrap_infallible<T>(result: Result<T, Infallible>) -> T {
    match result {
        Ok(value) => value,
        Err(never) => match never {},
    }
}
