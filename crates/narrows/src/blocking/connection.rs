use std::fmt;
use std::time::Duration;

use http::{HeaderName, HeaderValue};
use narrows_core::{Channel, Gap, Group, Message, Presence, Roster};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::runtime::Handle;
use tokio::sync::mpsc;

use super::BlockingConsumer;
use super::adapter::{Blocking, BoxFuture, Request};
use crate::channels::{BroadcastError, Channels};
use crate::codec::Codec;
use crate::connection::{Connection, JoinError, SendError, error_frame};
use crate::encode::encode_frame;
use crate::identity::Identity;
use crate::presence::{PresenceError, checked_key, checked_meta};
use crate::protocol::Reply;
use crate::shard::Frame;
use crate::timers::Timer;

/// A blocking consumer's hold on its connection: what [`Connection`] offers, as calls that block.
///
/// Each call goes to the connection's shard and comes back with its answer, which takes some microseconds, and
/// as long as the shard is busy. Once the connection is gone, each is refused as closed.
pub struct BlockingConnection<C: BlockingConsumer> {
    requests: mpsc::Sender<Request<C>>,
    codec: Codec,
    channels: Channels,
}

impl<C: BlockingConsumer> BlockingConnection<C> {
    pub(super) fn new(requests: mpsc::Sender<Request<C>>, codec: Codec, channels: Channels) -> Self {
        Self { requests, codec, channels }
    }

    /// Sends a message to this connection's client, as [`Connection::send`] does. Does not wait for the client.
    ///
    /// # Errors
    /// [`SendError`] says why nothing was sent; the connection is ending, or the message cannot be written.
    pub fn send(&mut self, msg: &C::Out) -> Result<(), SendError> {
        let key = C::overflow_key(msg).unwrap_or(0);
        self.send_frame(encode_frame(msg, self.codec, key)?)
    }

    /// Sends `{"type":"error","code":…,"detail":…}`, as [`Connection::send_error`] does.
    ///
    /// # Errors
    /// As for [`send`](Self::send).
    pub fn send_error(&mut self, code: &str, detail: &str) -> Result<(), SendError> {
        match self.take_reply() {
            Some(reply) => self.send_reply_error(reply, code, detail),
            None => self.send_frame(error_frame(code, detail, self.codec)?),
        }
    }

    /// Answers the message that is being handled, as [`Connection::reply`] does.
    ///
    /// # Errors
    /// As for [`send`](Self::send).
    pub fn reply<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), SendError> {
        match self.take_reply() {
            Some(reply) => self.send_reply(reply, value),
            None => Ok(()),
        }
    }

    /// Answers the message that is being handled with an error, as [`Connection::reply_error`] does.
    ///
    /// # Errors
    /// As for [`send`](Self::send).
    pub fn reply_error(&mut self, code: &str, detail: &str) -> Result<(), SendError> {
        match self.take_reply() {
            Some(reply) => self.send_reply_error(reply, code, detail),
            None => Ok(()),
        }
    }

    /// Takes the reply that is due to the message being handled, as [`Connection::take_reply`] does.
    pub fn take_reply(&mut self) -> Option<Reply> {
        self.now(Connection::take_reply).flatten()
    }

    /// Sends a reply that was taken.
    ///
    /// # Errors
    /// As for [`Connection::send_reply`].
    pub fn send_reply<T: Serialize + ?Sized>(&mut self, reply: Reply, value: &T) -> Result<(), SendError> {
        let frame = reply.value_frame(value, self.codec)?;
        self.now(move |conn| conn.send_reply_frame(&reply, frame)).unwrap_or(Err(SendError::Closed))
    }

    /// Sends an error in place of a reply that was taken.
    ///
    /// # Errors
    /// As for [`Connection::send_reply`].
    pub fn send_reply_error(&mut self, reply: Reply, code: &str, detail: &str) -> Result<(), SendError> {
        let frame = reply.error_frame(code, detail, self.codec)?;
        self.now(move |conn| conn.send_reply_frame(&reply, frame)).unwrap_or(Err(SendError::Closed))
    }

    fn send_frame(&mut self, frame: Frame) -> Result<(), SendError> {
        self.now(move |conn| conn.link.0.send_frame(frame)).unwrap_or(Err(SendError::Closed))
    }

    /// Joins a group: its messages go to this connection's client, as [`Connection::join`] says.
    ///
    /// # Errors
    /// [`JoinError`]; the connection is then not a member.
    pub fn join<M: Message>(&mut self, group: &Group<M>) -> Result<(), JoinError>
    where
        C::Out: From<M>,
    {
        let group = group.clone();
        let joined = self.ask(move |conn| Box::pin(async move { conn.join(&group).await }));
        joined.unwrap_or(Err(JoinError::Closed))
    }

    /// Listens to a group: its messages go to [`BlockingConsumer::event`], as [`Connection::listen`] says.
    ///
    /// # Errors
    /// [`JoinError`]; nothing is handed in then.
    pub fn listen<M: Message>(&mut self, group: &Group<M>) -> Result<(), JoinError>
    where
        C::Event: From<M>,
    {
        let group = group.clone();
        let listening = self.ask(move |conn| Box::pin(async move { conn.listen(&group).await }));
        listening.unwrap_or(Err(JoinError::Closed))
    }

    /// Leaves a group, whether joined or listened to. `true` if it was.
    pub fn leave<M: 'static>(&mut self, group: &Group<M>) -> bool {
        let group = group.clone();
        self.ask(move |conn| Box::pin(async move { conn.leave(&group).await })).unwrap_or(false)
    }

    /// Opens this connection's own address, as [`Connection::channel`] does.
    ///
    /// # Errors
    /// [`JoinError`], as for [`listen`](Self::listen).
    pub fn channel<M: Message>(&mut self) -> Result<Channel<M>, JoinError>
    where
        C::Event: From<M>,
    {
        self.ask(|conn| Box::pin(conn.channel())).unwrap_or(Err(JoinError::Closed))
    }

    /// Asks to be told when messages may have been lost, as [`Connection::listen_gaps`] does.
    pub fn listen_gaps(&mut self)
    where
        C::Event: From<Gap>,
    {
        // A connection that is gone has no gaps.
        let _ = self.ask(|conn| Box::pin(conn.listen_gaps()));
    }

    /// Sends a message to every member of a group, on every node, this connection included if it is one.
    ///
    /// # Errors
    /// [`BroadcastError`] when the message cannot be written or the channel layer did not take it.
    pub fn broadcast<M: Message>(&mut self, group: &Group<M>, msg: &M) -> Result<(), BroadcastError> {
        self.publish(group, msg, false).map(drop)
    }

    /// Puts this connection into a group's presence, as [`Connection::track`] does.
    ///
    /// # Errors
    /// As there.
    pub fn track<T: Serialize>(
        &mut self,
        presence: &Presence<T>,
        key: impl AsRef<str>,
        meta: T,
    ) -> Result<(), PresenceError> {
        let (key, meta) = (checked_key(key.as_ref())?, checked_meta(&meta)?);
        let group = presence.group().to_owned();
        let tracked = self.ask(move |conn| Box::pin(async move { conn.track_text(&group, key, meta).await }));
        tracked.unwrap_or(Err(PresenceError::Closed))
    }

    /// Changes what this connection says of itself in a group's presence, as [`Connection::update`] does.
    ///
    /// # Errors
    /// As there.
    pub fn update<T: Serialize>(&mut self, presence: &Presence<T>, meta: T) -> Result<(), PresenceError> {
        let (group, meta) = (presence.group().to_owned(), checked_meta(&meta)?);
        let updated = self.ask(move |conn| Box::pin(async move { conn.update_text(&group, meta).await }));
        updated.unwrap_or(Err(PresenceError::Closed))
    }

    /// Takes this connection out of a group's presence. `true` if it was in it.
    pub fn untrack<T: 'static>(&mut self, presence: &Presence<T>) -> bool {
        let presence = presence.clone();
        self.ask(move |conn| Box::pin(async move { conn.untrack(&presence).await })).unwrap_or(false)
    }

    /// A page of who is in a group, as [`Channels::roster`] gives it.
    ///
    /// # Errors
    /// As there.
    pub fn roster<T: DeserializeOwned + Send + 'static>(
        &mut self,
        presence: &Presence<T>,
        after: Option<&str>,
    ) -> Result<Roster<T>, PresenceError> {
        let (presence, after) = (presence.clone(), after.map(str::to_owned));
        let read =
            self.ask(move |conn| Box::pin(async move { conn.roster(&presence, after.as_deref()).await }));
        read.unwrap_or(Err(PresenceError::Closed))
    }

    /// How many people are in a group, as [`Channels::count`] says.
    ///
    /// # Errors
    /// As there.
    pub fn count<T: 'static>(&mut self, presence: &Presence<T>) -> Result<u64, PresenceError> {
        let presence = presence.clone();
        let counted = self.ask(move |conn| Box::pin(async move { conn.count(&presence).await }));
        counted.unwrap_or(Err(PresenceError::Closed))
    }

    /// Hands `event` to [`BlockingConsumer::event`] once, after this time.
    pub fn after(&mut self, delay: Duration, event: C::Event) -> Timer {
        self.now(move |conn| conn.after(delay, event)).unwrap_or(Timer::NONE)
    }

    /// Hands what `make` makes to [`BlockingConsumer::event`] again and again, as [`Connection::every`] does.
    /// `make` runs on the shard's own thread, and must not block.
    pub fn every(&mut self, period: Duration, make: impl FnMut() -> C::Event + Send + 'static) -> Timer {
        self.now(move |conn| conn.every(period, make)).unwrap_or(Timer::NONE)
    }

    /// Stops a timer; `false` when it had already run or was stopped.
    pub fn cancel(&mut self, timer: Timer) -> bool {
        self.now(move |conn| conn.cancel(timer)).unwrap_or(false)
    }

    /// The subprotocols that the client offered, the preferred one first. Empty once `connect` has returned.
    pub fn offered_subprotocols(&mut self) -> Vec<String> {
        self.now(|conn| conn.offered_subprotocols().to_vec()).unwrap_or_default()
    }

    /// Chooses a subprotocol for the answer to the handshake, as [`Connection::select_subprotocol`] does.
    pub fn select_subprotocol(&mut self, subprotocol: &str) -> bool {
        let subprotocol = subprotocol.to_owned();
        self.now(move |conn| conn.select_subprotocol(&subprotocol)).unwrap_or(false)
    }

    /// Adds a header, a cookie for example, to the answer to the handshake; without effect outside `connect`.
    pub fn response_header(&mut self, name: HeaderName, value: HeaderValue) {
        // A client that is gone gets no answer.
        let _ = self.now(move |conn| conn.response_header(name, value));
    }

    /// Gives this connection an identity, as [`Connection::belongs_to`] does.
    ///
    /// # Errors
    /// As there.
    pub fn belongs_to(&mut self, identity: Identity) -> Result<(), JoinError> {
        self.ask(|conn| Box::pin(conn.belongs_to(identity))).unwrap_or(Err(JoinError::Closed))
    }

    /// Whose this connection is, as an extractor or [`belongs_to`](Self::belongs_to) said.
    pub fn identity(&mut self) -> Option<Identity> {
        self.now(|conn| conn.identity().cloned()).flatten()
    }

    /// Whether this connection goes on where an earlier one was cut off.
    pub fn is_resumed(&mut self) -> bool {
        self.now(|conn| conn.is_resumed()).unwrap_or(false)
    }

    /// Has the client sent a fresh token, as [`Connection::renew_token`] does.
    pub fn renew_token(&mut self) {
        // A client that is gone has the token that it has.
        let _ = self.now(Connection::renew_token);
    }

    /// What [`BlockingResume::resume`](crate::BlockingResume::resume) has in place of extractors, as
    /// [`Connection::extension`] says.
    pub fn extension<T: Clone + Send + Sync + 'static>(&mut self) -> Option<T> {
        self.now(|conn| conn.extension::<T>().cloned()).flatten()
    }

    /// How typed messages are written on this connection.
    pub fn codec(&self) -> Codec {
        self.codec
    }

    /// Whether messages still reach the client.
    pub fn is_open(&mut self) -> bool {
        self.now(|conn| conn.is_open()).unwrap_or(false)
    }

    /// The channels that this connection belongs to.
    pub fn channels(&self) -> &Channels {
        &self.channels
    }

    /// Runs async code to its end, blocking this handler: for a client or a method that knows nothing else.
    ///
    /// ```
    /// # use narrows::{BlockingConnection, BlockingConsumer, BroadcastError, Group};
    /// fn warn<C: BlockingConsumer>(conn: &mut BlockingConnection<C>) -> Result<(), BroadcastError> {
    ///     let channels = conn.channels().clone();
    ///     conn.block_on(async move { channels.broadcast(&Group::<String>::inbox("ada"), &"!".into()).await })
    /// }
    /// ```
    ///
    /// # Panics
    /// Where async code runs already, such as in a call of this inside the future.
    pub fn block_on<F: Future>(&mut self, future: F) -> F::Output {
        Handle::current().block_on(future)
    }

    /// Has something done at once on the connection's own thread. `None` when the connection is gone.
    fn now<R: Send + 'static>(
        &mut self,
        work: impl FnOnce(&mut Connection<Blocking<C>>) -> R + Send + 'static,
    ) -> Option<R> {
        self.ask(|conn| {
            let done = work(conn);
            Box::pin(std::future::ready(done))
        })
    }

    /// Has something done on the connection's own thread, and waits for it.
    pub(super) fn ask<R: Send + 'static>(
        &mut self,
        work: impl for<'a> FnOnce(&'a mut Connection<Blocking<C>>) -> BoxFuture<'a, R> + Send + 'static,
    ) -> Option<R> {
        let (answer, answered) = std::sync::mpsc::sync_channel(1);
        let request: Request<C> = Box::new(move |conn| {
            let work = work(conn);
            Box::pin(async move {
                // The handler waits below, and nowhere else.
                let _ = answer.send(work.await);
            })
        });
        self.requests.try_send(request).ok()?;
        answered.recv().ok()
    }
}

impl<C: BlockingConsumer> fmt::Debug for BlockingConnection<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BlockingConnection").field("codec", &self.codec).finish_non_exhaustive()
    }
}
