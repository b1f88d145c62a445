use std::convert::Infallible;
use std::future::{self, Future};

use crate::codec::{DecodeError, Incoming, Outgoing};
use crate::connection::Connection;
use crate::{Close, Disconnect, Reject};

/// The code for one connection: a value of it lives exactly as long as its WebSocket.
///
/// ```
/// use axum::extract::Path;
/// use narrows::{Close, Connection, Consumer, Group, NoEvent, Reject};
/// use serde::{Deserialize, Serialize};
///
/// struct ChatRoom { room: Group<ServerMsg> }
///
/// #[derive(Deserialize)]
/// #[serde(tag = "type", rename_all = "lowercase")]
/// enum ClientMsg { Say { text: String } }
///
/// #[derive(Clone, Serialize, Deserialize)]
/// #[serde(tag = "type", rename_all = "lowercase")]
/// enum ServerMsg { Said { text: String } }
///
/// impl Consumer for ChatRoom {
///     type Scope = Path<String>;
///     type In = ClientMsg;
///     type Out = ServerMsg;
///     type Event = NoEvent;
///
///     async fn connect(Path(room): Path<String>, conn: &mut Connection<Self>) -> Result<Self, Reject> {
///         let room = Group::keyed("room", room)?;
///         conn.join(&room).await?;
///         Ok(Self { room })
///     }
///
///     async fn receive(&mut self, msg: ClientMsg, conn: &mut Connection<Self>) -> Result<(), Close> {
///         let ClientMsg::Say { text } = msg;
///         conn.broadcast(&self.room, &ServerMsg::Said { text }).await?;
///         Ok(())
///     }
/// }
///
/// let channels = narrows::Channels::new();
/// let app: axum::Router = axum::Router::new()
///     .route("/ws/chat/{room}", channels.consumer::<ChatRoom>().route());
/// ```
///
/// One task owns the value: its methods never overlap, and messages are handled in the order in which they
/// came. A method that awaits holds up this connection only, and its client by TCP; a method that blocks the
/// thread holds up every connection of the shard: see [`BlockingConsumer`](crate::BlockingConsumer) for such code. One
/// that does so for longer than [`long_handler`](crate::Limits::long_handler) is counted and named in the log.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a consumer",
    label = "not a consumer",
    note = "implement `narrows::Consumer` for it: four types, `connect` and `receive`"
)]
pub trait Consumer: Sized + Send + 'static {
    /// What `connect` needs of the handshake: one axum extractor or a tuple of them. Where one rejects, the
    /// handshake is refused with its response.
    type Scope: Send + 'static;
    /// What a client sends: a type that serde reads, usually an enum with `#[serde(tag = "type")]`, or
    /// [`Raw`](crate::Raw).
    type In: Incoming;
    /// What a client is sent: a type that serde writes, or [`Raw`](crate::Raw).
    type Out: Outgoing;
    /// What [`Connection::listen`], a timer or a channel hands in; [`NoEvent`] for none.
    type Event: Send + 'static;

    /// Answers the handshake: `Ok` accepts, [`Reject`] refuses with any HTTP response.
    ///
    /// What is sent here arrives right after the acceptance. Without an answer within
    /// [`connect_timeout`](crate::Limits::connect_timeout) the client gets a 503, and after a panic a 500.
    ///
    /// # Errors
    /// Whatever should refuse the handshake; `?` works on any error.
    ///
    /// # Cancel safety
    /// Dropped where it stands when the client goes away or the time is over; what it joined is left.
    fn connect(
        scope: Self::Scope,
        conn: &mut Connection<Self>,
    ) -> impl Future<Output = Result<Self, Reject>> + Send;

    /// Handles one message of the client.
    ///
    /// # Errors
    /// A [`Close`] ends the connection; `?` on any other error ends it with 1011.
    fn receive(
        &mut self,
        msg: Self::In,
        conn: &mut Connection<Self>,
    ) -> impl Future<Output = Result<(), Close>> + Send;

    /// Handles one event: from a group that it listens to, a timer, or its own channel.
    ///
    /// # Errors
    /// As for [`receive`](Self::receive).
    fn event(
        &mut self,
        event: Self::Event,
        conn: &mut Connection<Self>,
    ) -> impl Future<Output = Result<(), Close>> + Send {
        drop(event);
        let _ = conn;
        future::ready(Ok(()))
    }

    /// Handles a message that is not an `In`. By default the client is told, and the connection stays:
    /// `{"type":"error","code":"malformed","detail":"…"}`.
    ///
    /// # Errors
    /// `Err(Close::malformed(&error))` closes with 1007 instead.
    fn malformed(
        &mut self,
        error: DecodeError,
        conn: &mut Connection<Self>,
    ) -> impl Future<Output = Result<(), Close>> + Send {
        let sent = conn.send_error("malformed", &error.to_string());
        future::ready(sent.map_err(Close::from))
    }

    /// Is told that messages of a group with a history are lost to this client, which gets what comes from now on: the place to
    /// send the newest state of things.
    ///
    /// It is called when [`join`](Connection::join) could not recover what the client missed – right after the acceptance, for
    /// what was joined in `connect` – and later, when this node missed messages that are kept no longer.
    ///
    /// # Errors
    /// As for [`receive`](Self::receive).
    fn unrecovered(
        &mut self,
        group: &str,
        conn: &mut Connection<Self>,
    ) -> impl Future<Output = Result<(), Close>> + Send {
        let _ = (group, conn);
        future::ready(Ok(()))
    }

    /// Is told how the connection ended: exactly once for every value that `connect` made, whatever the cause.
    ///
    /// Groups are left already, and nothing more can be sent to this client; broadcasting works. It has
    /// [`disconnect_timeout`](crate::Limits::disconnect_timeout).
    fn disconnect(self, end: Disconnect, conn: &mut Connection<Self>) -> impl Future<Output = ()> + Send {
        let _ = (end, conn);
        future::ready(())
    }

    /// Which message a newer one replaces while the client lags, for
    /// [`Overflow::KeepLatest`](crate::Overflow::KeepLatest). Any number but 0; `None` replaces nothing.
    fn overflow_key(msg: &Self::Out) -> Option<u64> {
        let _ = msg;
        None
    }
}

/// The event type of a consumer that handles no events; it has no values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoEvent {}

impl From<Infallible> for NoEvent {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}
