use std::net::SocketAddr;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

/// Longer than anything takes that happens at all.
const PATIENCE: Duration = Duration::from_secs(30);

/// A WebSocket to a site of ours, by a client that is not ours.
pub(super) struct Socket(WebSocketStream<TcpStream>);

impl Socket {
    /// Connects; gives the status of the answer when it is refused.
    pub(super) async fn connect(
        address: SocketAddr,
        target: &str,
        headers: &[(&'static str, &str)],
    ) -> Result<Self, u16> {
        let stream = TcpStream::connect(address).await.unwrap();
        let mut request = format!("ws://{address}{target}").into_client_request().unwrap();
        // As a page of the site itself.
        request.headers_mut().insert("origin", format!("http://{address}").parse().unwrap());
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        match client_async(request, stream).await {
            Ok((socket, _)) => Ok(Self(socket)),
            Err(Error::Http(answer)) => Err(answer.status().as_u16()),
            Err(error) => panic!("no socket: {error}"),
        }
    }

    /// The next message.
    pub(super) async fn receive(&mut self) -> Value {
        match self.next().await {
            Message::Text(text) => serde_json::from_str(&text).unwrap(),
            other => panic!("a message was expected, not {other:?}"),
        }
    }

    /// Waits for the server's close, and gives its code.
    pub(super) async fn closed(&mut self) -> u16 {
        let close = async {
            loop {
                // The server's pings are none of ours.
                if let Message::Close(frame) = self.next().await {
                    return frame.expect("a close has a code").code.into();
                }
            }
        };
        tokio::time::timeout(PATIENCE, close).await.expect("it is closed in time")
    }

    /// Makes sure that the server still answers on it, which it does only after all that it had to say.
    pub(super) async fn is_open(&mut self) {
        self.0.send(Message::Ping("here".into())).await.unwrap();
        match self.next().await {
            Message::Pong(_) => {}
            other => panic!("it is open, but for {other:?}"),
        }
    }

    async fn next(&mut self) -> Message {
        let next = tokio::time::timeout(PATIENCE, self.0.next()).await;
        next.expect("in time").expect("the socket is open").unwrap()
    }
}
