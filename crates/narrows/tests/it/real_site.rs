//! A server on a free port and a unix socket, for the tests that need a real one.

use std::future::Future;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use axum::Router;
use futures_util::{SinkExt, StreamExt};
use narrows::Channels;
use narrows::serve::settings::Settings;
use narrows::serve::{Address, Server};
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

pub(crate) struct Site {
    pub(crate) address: SocketAddr,
    unix: PathBuf,
    end: oneshot::Sender<()>,
    running: JoinHandle<()>,
}

impl Site {
    pub(crate) async fn start(app: Router, channels: &Channels) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("narrows-{}-{}.sock", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let unix = std::env::temp_dir().join(name);
        let mut settings = Settings::default();
        settings.bind = vec!["127.0.0.1:0".to_owned()];
        settings.unix = vec![unix.clone()];
        settings.drain_window = std::time::Duration::ZERO;
        // A connection that waits for its next request is not to end while a slow machine tests.
        settings.header_timeout = std::time::Duration::ZERO;
        let server = Server::new(app, channels, &settings).listen().await.unwrap();
        let Address::Tcp(address) = server.addresses()[0] else { panic!("the first address is TCP") };
        let (end, ended) = oneshot::channel();
        let running = tokio::spawn(server.run_until(async {
            // A test that fails drops the sender, which ends the server as well.
            let _ = ended.await;
        }));
        Self { address, unix, end, running }
    }

    /// Drains the server; the future ends with it.
    pub(crate) fn stop(self) -> impl Future<Output = ()> {
        self.end.send(()).unwrap();
        async { self.running.await.unwrap() }
    }

    pub(crate) async fn tcp(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    pub(crate) async fn unix(&self) -> UnixStream {
        UnixStream::connect(&self.unix).await.unwrap()
    }

    pub(crate) async fn connect(&self, path: &str, headers: &[(&str, &str)]) -> Client<TcpStream> {
        Client::over(self.tcp().await, path, headers).await.unwrap()
    }
}

/// The body of the answer to a GET request.
pub(crate) async fn get(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    target: &str,
    headers: &[(&str, &str)],
) -> String {
    let mut request = format!("GET {target} HTTP/1.1\r\nconnection: close\r\n");
    if !headers.iter().any(|(name, _)| *name == "host") {
        request.push_str("host: site.example\r\n");
    }
    for (name, value) in headers {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    stream.write_all(format!("{request}\r\n").as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer.split_once("\r\n\r\n").unwrap().1.to_owned()
}

pub(crate) struct Client<T>(pub(crate) WebSocketStream<T>);

impl<T: AsyncRead + AsyncWrite + Unpin> Client<T> {
    /// The status where the handshake is refused.
    pub(crate) async fn over(stream: T, path: &str, headers: &[(&str, &str)]) -> Result<Self, u16> {
        let request = handshake(path, headers);
        match client_async(request, stream).await {
            Ok((socket, _)) => Ok(Self(socket)),
            Err(Error::Http(response)) => Err(response.status().as_u16()),
            Err(error) => panic!("no answer to the handshake: {error}"),
        }
    }

    pub(crate) async fn say(&mut self, text: &str) {
        self.0.send(Message::text(text)).await.unwrap();
    }

    pub(crate) async fn hear(&mut self) -> String {
        self.0.next().await.unwrap().unwrap().into_text().unwrap().to_string()
    }

    pub(crate) async fn hear_json(&mut self) -> Value {
        serde_json::from_str(&self.hear().await).unwrap()
    }

    /// The code of the close frame that comes next.
    pub(crate) async fn close_code(&mut self) -> u16 {
        match self.0.next().await {
            Some(Ok(Message::Close(Some(frame)))) => frame.code.into(),
            other => panic!("expected a close frame: {other:?}"),
        }
    }
}

fn handshake(path: &str, headers: &[(&str, &str)]) -> http::Request<()> {
    let mut request = format!("ws://site.example{path}").into_client_request().unwrap();
    for (name, value) in headers {
        let name: http::HeaderName = name.parse().unwrap();
        let value = value.parse().unwrap();
        if name == "host" {
            request.headers_mut().insert(name, value);
        } else {
            request.headers_mut().append(name, value);
        }
    }
    request
}

/// The headers of the answer that accepts a handshake.
pub(crate) async fn answer_to_handshake(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    path: &str,
    headers: &[(&str, &str)],
) -> http::HeaderMap {
    client_async(handshake(path, headers), stream).await.unwrap().1.headers().clone()
}
