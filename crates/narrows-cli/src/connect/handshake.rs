use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, timeout, timeout_at};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::client::generate_key;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};

use super::arguments::Connect;
use super::body;
use super::error::ConnectError;
use super::head::{Head, MAX_HEAD_BYTES};
use super::refusal::Refusal;
use super::request::Request;
use super::stream::{self, Stream};

/// How long the body of a refusal may take, which is only shown.
const BODY_TIME: Duration = Duration::from_secs(2);

pub(super) type WebSocket = WebSocketStream<Box<dyn Stream>>;

/// An open connection.
pub(super) struct Opened {
    pub(super) socket: WebSocket,
    pub(super) head: Head,
}

/// Connects and does the opening handshake (RFC 6455, 4.1), within the time that there is for it.
///
/// The library's own handshake reads no more of a refusal than came with its head, and has one error for all that can
/// be wrong with an answer.
pub(super) async fn connect(options: &Connect) -> Result<Opened, ConnectError> {
    let within = options.connect_timeout;
    let deadline = Instant::now() + within;
    let to = name(options);
    let opened = timeout_at(deadline, async {
        let stream = stream::open(options, deadline).await?;
        shake_hands(stream, options).await
    });
    opened.await.unwrap_or(Err(ConnectError::TimedOut { to, within }))
}

/// What the server is called in messages.
pub(super) fn name(options: &Connect) -> String {
    options.unix.as_ref().map_or_else(|| options.url.name(), |path| path.display().to_string())
}

async fn shake_hands(mut stream: Box<dyn Stream>, options: &Connect) -> Result<Opened, ConnectError> {
    let to = name(options);
    let request = Request::new(options, generate_key());
    let lost = |source| ConnectError::Lost { to: to.clone(), source };
    stream.write_all(&request.bytes).await.map_err(lost)?;
    stream.flush().await.map_err(lost)?;
    let mut bytes = Vec::new();
    let head = loop {
        let head = read_head(&mut stream, &mut bytes, &to).await?;
        // 100 and 103 come before the answer.
        if !(100..200).contains(&head.status) || head.status == 101 {
            break head;
        }
    };
    if head.status != 101 {
        // What did not come in time is not shown.
        let _ = timeout(BODY_TIME, body::read(&mut stream, &head, &mut bytes)).await;
        let body = body::decoded(&head, bytes);
        return Err(ConnectError::Refused(Refusal::status(&head, body, &request)));
    }
    check(&head, &request).map_err(|why| ConnectError::Refused(Refusal::wrong(why)))?;
    let config = WebSocketConfig::default()
        .max_message_size(Some(options.max_message_bytes))
        .max_frame_size(Some(options.max_message_bytes));
    let socket = WebSocketStream::from_partially_read(stream, bytes, Role::Client, Some(config)).await;
    Ok(Opened { socket, head })
}

/// Reads a head and leaves what follows it.
async fn read_head(
    stream: &mut Box<dyn Stream>,
    bytes: &mut Vec<u8>,
    to: &str,
) -> Result<Head, ConnectError> {
    loop {
        if !bytes.is_empty() {
            match Head::parse(bytes) {
                Ok(Some((head, length))) => {
                    bytes.drain(..length);
                    return Ok(head);
                }
                Ok(None) => {}
                Err(why) => return Err(not_http(bytes, why, to)),
            }
        }
        if bytes.len() >= MAX_HEAD_BYTES {
            return Err(not_http(bytes, format!("the head is longer than {MAX_HEAD_BYTES} bytes"), to));
        }
        let read = stream.read_buf(bytes).await;
        match read.map_err(|source| ConnectError::Lost { to: to.to_owned(), source })? {
            0 if bytes.is_empty() => return Err(ConnectError::NoAnswer { to: to.to_owned() }),
            0 => return Err(not_http(bytes, "the answer ends within its head".to_owned(), to)),
            _ => {}
        }
    }
}

fn not_http(bytes: &[u8], why: String, to: &str) -> ConnectError {
    // An alert or a handshake record (RFC 8446, 5.1).
    let is_tls = matches!(bytes, [0x15 | 0x16, 0x03, ..]);
    let (why, hint) = if is_tls {
        ("it answers in TLS".to_owned(), "try wss://")
    } else {
        (why, "is this the right port?")
    };
    ConnectError::NotHttp { to: to.to_owned(), why, hint }
}

/// Whether a 101 is the answer to this request.
fn check(head: &Head, request: &Request) -> Result<(), String> {
    if !head.has("upgrade", "websocket") || !head.has("connection", "upgrade") {
        return Err("the server's 101 is no upgrade to WebSocket".to_owned());
    }
    let accept = head.value("sec-websocket-accept").unwrap_or_default();
    if accept != derive_accept_key(request.key.as_bytes()) {
        return Err("the server's Sec-WebSocket-Accept is no answer to our key".to_owned());
    }
    if let Some(extensions) = head.value("sec-websocket-extensions").filter(|list| !list.is_empty()) {
        return Err(format!("the server chose an extension that was not offered: {extensions:?}"));
    }
    let offered = || request.offered.join(", ");
    match head.value("sec-websocket-protocol").filter(|name| !name.is_empty()) {
        Some(chosen) if request.offered.contains(&chosen) => Ok(()),
        Some(chosen) if request.offered.is_empty() => {
            Err(format!("the server chose the subprotocol {chosen:?}, and none was offered"))
        }
        Some(chosen) => {
            Err(format!("the server chose the subprotocol {chosen:?}, and {} was offered", offered()))
        }
        // A browser ends the connection here too (WHATWG WebSockets, "establish a WebSocket connection").
        None if !request.offered.is_empty() => {
            Err(format!("the server chose none of the subprotocols that were offered: {}", offered()))
        }
        None => Ok(()),
    }
}
