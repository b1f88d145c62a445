//! Consumers whose handlers block their thread, on a pool where that harms nobody.

mod adapter;
mod connection;
mod history;

use serde::Serialize;
use serde::de::DeserializeOwned;

pub use self::adapter::Blocking;
pub use self::connection::BlockingConnection;
use crate::codec::{DecodeError, Incoming, Outgoing};
use crate::{Close, Disconnect, Reject};

/// A consumer whose handlers may block: for a database or a library that knows no async.
///
/// ```
/// use std::fs::File;
/// use std::io::Write;
/// use narrows::{BlockingConnection, BlockingConsumer, Close, NoEvent, Reject, Text};
///
/// struct Journal { file: File }
///
/// impl BlockingConsumer for Journal {
///     type Scope = ();
///     type In = Text;
///     type Out = Text;
///     type Event = NoEvent;
///
///     fn connect((): (), _conn: &mut BlockingConnection<Self>) -> Result<Self, Reject> {
///         Ok(Self { file: File::options().append(true).create(true).open("journal.txt")? })
///     }
///
///     fn receive(&mut self, Text(line): Text, conn: &mut BlockingConnection<Self>) -> Result<(), Close> {
///         writeln!(self.file, "{line}")?;
///         self.file.sync_all()?; // takes its time, and holds up this connection only
///         Ok(conn.send(&Text("written".into()))?)
///     }
/// }
///
/// let channels = narrows::Channels::new();
/// let app: axum::Router =
///     axum::Router::new().route("/ws/journal", channels.blocking_consumer::<Journal>().route());
/// ```
///
/// It is a [`Consumer`](crate::Consumer) in all but this: each handler runs on a thread of its shard's pool, from
/// its beginning to its end. The handlers of one connection never overlap and keep the order of its messages, on
/// whichever thread each of them runs. A pool has 64 threads for each shard; when all of them are busy, further
/// handlers wait for one, and async consumers do not notice.
///
/// A handler that was begun cannot be taken back. Where an async one would be dropped – the client went away
/// during `connect`, the connection ended long ago – a blocking one runs on to its end, but what it asks of its
/// connection is refused as closed. Nothing waits for it then but `disconnect`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a blocking consumer",
    label = "not a blocking consumer",
    note = "implement `narrows::BlockingConsumer` for it: four types, `connect` and `receive`"
)]
pub trait BlockingConsumer: Sized + Send + 'static {
    /// What `connect` needs of the handshake, as [`Consumer::Scope`](crate::Consumer::Scope).
    type Scope: Send + 'static;
    /// What a client sends, as [`Consumer::In`](crate::Consumer::In).
    type In: Incoming;
    /// What a client is sent, as [`Consumer::Out`](crate::Consumer::Out).
    type Out: Outgoing;
    /// What groups, timers and channels hand in, as [`Consumer::Event`](crate::Consumer::Event).
    type Event: Send + 'static;

    /// Answers the handshake: `Ok` accepts, [`Reject`] refuses with any HTTP response.
    ///
    /// A value that is made too late, or for a client that went away, is dropped.
    ///
    /// # Errors
    /// Whatever should refuse the handshake; `?` works on any error.
    fn connect(scope: Self::Scope, conn: &mut BlockingConnection<Self>) -> Result<Self, Reject>;

    /// Handles one message of the client.
    ///
    /// # Errors
    /// A [`Close`] ends the connection; `?` on any other error ends it with 1011.
    fn receive(&mut self, msg: Self::In, conn: &mut BlockingConnection<Self>) -> Result<(), Close>;

    /// Handles one event: from a group that it listens to, a timer, or its own channel.
    ///
    /// # Errors
    /// As for [`receive`](Self::receive).
    fn event(&mut self, event: Self::Event, conn: &mut BlockingConnection<Self>) -> Result<(), Close> {
        let _ = (event, conn);
        Ok(())
    }

    /// Handles a message that is not an `In`. By default the client is told, and the connection stays:
    /// `{"type":"error","code":"malformed","detail":"…"}`.
    ///
    /// # Errors
    /// `Err(Close::malformed(&error))` closes with 1007 instead.
    fn malformed(&mut self, error: DecodeError, conn: &mut BlockingConnection<Self>) -> Result<(), Close> {
        Ok(conn.send_error("malformed", &error.to_string())?)
    }

    /// Is told that messages of a group with a history are lost to this client, as
    /// [`Consumer::unrecovered`](crate::Consumer::unrecovered).
    ///
    /// # Errors
    /// As for [`receive`](Self::receive).
    fn unrecovered(&mut self, group: &str, conn: &mut BlockingConnection<Self>) -> Result<(), Close> {
        let _ = (group, conn);
        Ok(())
    }

    /// Is told how the connection ended: exactly once for every connection that was accepted, after a panic of
    /// another handler too, and never while another handler runs.
    fn disconnect(self, end: Disconnect, conn: &mut BlockingConnection<Self>) {
        let _ = (end, conn);
    }

    /// Which message a newer one replaces while the client lags, as
    /// [`Consumer::overflow_key`](crate::Consumer::overflow_key).
    fn overflow_key(msg: &Self::Out) -> Option<u64> {
        let _ = msg;
        None
    }
}

/// A [`BlockingConsumer`] whose connections can go on where they were cut off, as [`Resume`](crate::Resume) says.
///
/// `save` runs on the shard's own thread, and must not block.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be resumed",
    note = "implement `narrows::BlockingResume` for it: what is saved, and how it goes on"
)]
pub trait BlockingResume: BlockingConsumer {
    /// What goes on, as [`Resume::Saved`](crate::Resume::Saved).
    type Saved: Serialize + DeserializeOwned + Send + 'static;

    /// What is to go on, as it is now.
    fn save(&self) -> Self::Saved;

    /// Makes the consumer of a connection that comes back.
    ///
    /// # Errors
    /// As for [`Resume::resume`](crate::Resume::resume).
    fn resume(saved: Self::Saved, conn: &mut BlockingConnection<Self>) -> Result<Self, Reject>;
}
