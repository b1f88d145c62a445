use std::future::Future;
use std::pin::Pin;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::connection::Connection;
use crate::consumer::Consumer;
use crate::reject::Reject;

/// A [`Consumer`] whose connections can go on where they were cut off: on another node, too, and without asking anything
/// again.
///
/// What [`save`](Self::save) gives travels in a sealed token: the client gets it with the welcome, and a fresh one every
/// half of the [window](crate::ChannelsBuilder::resume_window). A client whose connection was lost brings it, and
/// [`resume`](Self::resume) makes the consumer of it. The scope's extractors do not run then, and
/// [`connect`](Consumer::connect) is not called.
///
/// ```
/// use axum::extract::Path;
/// use narrows::{Close, Connection, Consumer, Group, NoEvent, Reject, Resume};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Serialize, Deserialize)]
/// struct Room { room: String }
///
/// impl Consumer for Room {
/// #   type In = String; type Out = String; type Event = NoEvent;
///     type Scope = Path<String>;
///     // …
///     async fn connect(Path(room): Path<String>, conn: &mut Connection<Self>) -> Result<Self, Reject> {
///         // Here a database may be asked who this is, and whether they may come in.
///         Self::resume(room, conn).await
///     }
/// #   async fn receive(&mut self, _: String, _: &mut Connection<Self>) -> Result<(), Close> { Ok(()) }
/// }
///
/// impl Resume for Room {
///     type Saved = String;
///
///     fn save(&self) -> String {
///         self.room.clone()
///     }
///
///     async fn resume(room: String, conn: &mut Connection<Self>) -> Result<Self, Reject> {
///         conn.join(&Group::<String>::keyed("room", &room)?).await?;
///         Ok(Self { room })
///     }
/// }
///
/// let channels = narrows::Channels::new();
/// let app: axum::Router =
///     axum::Router::new().route("/ws/{room}", channels.consumer::<Room>().resumable().route());
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be resumed",
    note = "implement `narrows::Resume` for it: what is saved, and how it goes on"
)]
pub trait Resume: Consumer {
    /// What goes on, at most 2 KiB of it. A token whose state does not decode any more, as of an earlier version of the
    /// program, makes an ordinary connection.
    type Saved: Serialize + DeserializeOwned + Send + 'static;

    /// What is to go on, as it is now: when the handshake is answered, with each fresh token, and after
    /// [`Connection::renew_token`]. What changed since is lost to the connection that comes back.
    fn save(&self) -> Self::Saved;

    /// Makes the consumer of a connection that comes back. It joins and tracks as `connect` does; the connection has the
    /// identity that it had.
    ///
    /// # Errors
    /// As for [`Consumer::connect`]. The token is used up then: when the client tries again, `connect` is called.
    ///
    /// # Cancel safety
    /// As for [`Consumer::connect`].
    fn resume(
        saved: Self::Saved,
        conn: &mut Connection<Self>,
    ) -> impl Future<Output = Result<Self, Reject>> + Send;
}

/// What a route needs of a consumer that implements [`Resume`].
pub(crate) struct Resumer<C: Consumer> {
    pub(crate) save: Saver<C>,
    /// Reads what was saved; `None` when it is none of this consumer's.
    pub(crate) start: fn(&[u8]) -> Option<Starter<C>>,
}

pub(crate) type Saver<C> = fn(&C) -> Result<Vec<u8>, rmp_serde::encode::Error>;
pub(crate) type Starter<C> = Box<dyn for<'a> FnOnce(&'a mut Connection<C>) -> Resuming<'a, C> + Send>;
type Resuming<'a, C> = Pin<Box<dyn Future<Output = Result<C, Reject>> + Send + 'a>>;

impl<C: Resume> Resumer<C> {
    pub(crate) fn new() -> Self {
        Self {
            save: |consumer| rmp_serde::to_vec_named(&consumer.save()),
            start: |saved| {
                let saved: C::Saved = rmp_serde::from_slice(saved).ok()?;
                Some(Box::new(move |conn| Box::pin(C::resume(saved, conn))))
            },
        }
    }
}

impl<C: Consumer> Clone for Resumer<C> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<C: Consumer> Copy for Resumer<C> {}

impl<C: Consumer> std::fmt::Debug for Resumer<C> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Resumer")
    }
}
