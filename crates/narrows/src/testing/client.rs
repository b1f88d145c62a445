use std::fmt;
use std::panic::Location;
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use http::header::SEC_WEBSOCKET_PROTOCOL;
use serde::Serialize;
use tokio::io::DuplexStream;
use tokio::sync::{mpsc, oneshot};

use super::pump::{Command, Handle, Pump};
use super::received::Received;
use super::server::Times;
use crate::codec::Codec;
use crate::transport::frame::Opcode;

/// One WebSocket of a test, as a browser would hold it.
///
/// See [the module](super) for an example. It reads and answers pings all the time, whether the test waits
/// for a message or not, so a message that the server sends is never late because of the client; messages
/// wait for the test in their order. Dropped, it is gone without a word, as when TCP is lost.
///
/// Every method that waits panics when its time is over, and says what came in place of what should have.
/// The panic names the line of the test that called.
pub struct TestClient {
    commands: mpsc::UnboundedSender<Command>,
    pub(super) received: mpsc::UnboundedReceiver<Received>,
    pongs: mpsc::UnboundedReceiver<Bytes>,
    headers: HeaderMap,
    pub(super) codec: Codec,
    pub(super) times: Times,
    /// How it ended, once the test has seen it.
    pub(super) end: Option<Received>,
}

impl TestClient {
    pub(super) fn new(
        stream: DuplexStream,
        early: Vec<u8>,
        headers: HeaderMap,
        codec: Codec,
        times: Times,
    ) -> Self {
        let Handle { commands, received, pongs } = Pump::start(stream, early);
        Self { commands, received, pongs, headers, codec, times, end: None }
    }

    /// The subprotocol that the server chose.
    pub fn subprotocol(&self) -> Option<&str> {
        self.headers.get(SEC_WEBSOCKET_PROTOCOL)?.to_str().ok()
    }

    /// The headers of the acceptance.
    pub fn response_headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// Sends a value, written by the client's codec.
    ///
    /// # Panics
    /// When the value cannot be written, and as [`send_text`](Self::send_text).
    #[track_caller]
    pub fn send<T: Serialize + ?Sized>(&mut self, value: &T) -> impl Future<Output = ()> + Send + use<'_, T> {
        let written = match self.codec {
            Codec::Json => serde_json::to_vec(value).map_err(|error| error.to_string()),
            Codec::MsgPack => rmp_serde::to_vec_named(value).map_err(|error| error.to_string()),
        };
        let (opcode, at) = (opcode_of(self.codec), Location::caller());
        let bytes = match written {
            Ok(bytes) => bytes,
            Err(error) => panic!("the value cannot be written: {error}"),
        };
        self.write(at, move |taken| Command::Frame(opcode, bytes, taken))
    }

    /// Sends a text message. Ready when the pipe has taken it, which is before the server has handled it.
    ///
    /// # Panics
    /// When the connection has ended, or the server does not read.
    #[track_caller]
    pub fn send_text(&mut self, text: impl Into<String>) -> impl Future<Output = ()> + Send + '_ {
        let bytes = text.into().into_bytes();
        self.write(Location::caller(), move |taken| Command::Frame(Opcode::Text, bytes, taken))
    }

    /// Sends a binary message.
    ///
    /// # Panics
    /// As [`send_text`](Self::send_text).
    #[track_caller]
    pub fn send_binary(&mut self, bytes: impl Into<Vec<u8>>) -> impl Future<Output = ()> + Send + '_ {
        let bytes = bytes.into();
        self.write(Location::caller(), move |taken| Command::Frame(Opcode::Binary, bytes, taken))
    }

    /// Sends bytes as they are, for a client that breaks the rules: any frame must be masked by hand.
    ///
    /// # Panics
    /// As [`send_text`](Self::send_text).
    #[track_caller]
    pub fn send_raw(&mut self, bytes: impl Into<Vec<u8>>) -> impl Future<Output = ()> + Send + '_ {
        let bytes = bytes.into();
        self.write(Location::caller(), move |taken| Command::Bytes(bytes, taken))
    }

    /// Sends a ping and waits for its pong: all that was sent before has been handled then.
    ///
    /// # Panics
    /// When no pong with this payload comes.
    #[track_caller]
    pub fn ping(&mut self, payload: impl Into<Vec<u8>>) -> impl Future<Output = ()> + Send + '_ {
        let (at, payload) = (Location::caller(), payload.into());
        assert!(payload.len() <= 125, "a ping holds at most 125 bytes");
        async move {
            self.write(at, |taken| Command::Frame(Opcode::Ping, payload.clone(), taken)).await;
            let answered = async {
                while let Some(pong) = self.pongs.recv().await {
                    if pong == payload {
                        return true;
                    }
                }
                false
            };
            match tokio::time::timeout(self.times.receive, answered).await {
                Ok(true) => {}
                Ok(false) => panic!("no pong came, but {}\n  at {at}", self.how_it_ended()),
                Err(_) => panic!("no pong came within {:?}\n  at {at}", self.times.receive),
            }
        }
    }

    /// Closes as a page does: sends a close frame and waits for the server's, past all messages that come
    /// before it. A code of 1005 sends a close frame without one.
    ///
    /// # Panics
    /// When the server does not answer.
    #[track_caller]
    pub fn close(mut self, code: u16, reason: &str) -> impl Future<Output = ()> + Send + use<> {
        let at = Location::caller();
        let mut payload = Vec::new();
        if code != 1005 {
            payload.extend_from_slice(&code.to_be_bytes());
            payload.extend_from_slice(reason.as_bytes());
        }
        assert!(payload.len() <= 125, "a close reason holds at most 123 bytes");
        async move {
            self.write(at, |taken| Command::Frame(Opcode::Close, payload, taken)).await;
            loop {
                match self.next().await {
                    Some(Received::Closed { code: 1006, .. }) => {
                        panic!("the connection was lost before the server closed\n  at {at}")
                    }
                    Some(Received::Closed { .. }) => return,
                    Some(_) => {}
                    None => panic!("the server did not answer the close frame\n  at {at}"),
                }
            }
        }
    }

    /// Is gone without a word, as when TCP is lost.
    pub fn abort(self) {}

    /// Stops reading: what the server sends fills the pipe and then waits on the server's side.
    pub fn stop_reading(&mut self) {
        self.command(Command::Read(false));
    }

    /// Reads again after [`stop_reading`](Self::stop_reading).
    pub fn go_on_reading(&mut self) {
        self.command(Command::Read(true));
    }

    /// Whether pings are answered, as they are unless this says otherwise.
    pub fn answer_pings(&mut self, answer: bool) {
        self.command(Command::AnswerPings(answer));
    }

    /// Waits for this client's next message or end so long, in place of the server's
    /// [`receive_timeout`](super::TestServer::receive_timeout).
    pub fn receive_timeout(&mut self, time: Duration) {
        self.times.receive = time;
    }

    fn command(&mut self, command: Command) {
        // After the end there is nothing left to command.
        let _ = self.commands.send(command);
    }

    async fn write(
        &mut self,
        at: &'static Location<'static>,
        command: impl FnOnce(oneshot::Sender<()>) -> Command,
    ) {
        let (tell, taken) = oneshot::channel();
        self.command(command(tell));
        match tokio::time::timeout(self.times.receive, taken).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => panic!("nothing can be sent: {}\n  at {at}", self.how_it_ended()),
            Err(_) => panic!("the server read nothing for {:?}\n  at {at}", self.times.receive),
        }
    }

    fn how_it_ended(&mut self) -> String {
        while let Ok(received) = self.received.try_recv() {
            if matches!(received, Received::Closed { .. }) {
                self.end = Some(received);
            }
        }
        self.end.as_ref().map_or("the connection is gone".to_owned(), ToString::to_string)
    }
}

impl fmt::Debug for TestClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestClient").field("subprotocol", &self.subprotocol()).finish_non_exhaustive()
    }
}

fn opcode_of(codec: Codec) -> Opcode {
    match codec {
        Codec::Json => Opcode::Text,
        Codec::MsgPack => Opcode::Binary,
    }
}
