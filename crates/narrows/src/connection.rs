use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

use http::{Extensions, HeaderMap, HeaderName, HeaderValue};
use narrows_core::{Channel, Gap, Group, LayerError, Message, MessageError, PayloadFormat, Topic};

use crate::admission::Permit;
use crate::channels::{BroadcastError, Channels};
use crate::codec::{Codec, EncodeError};
use crate::consumer::Consumer;
use crate::encode::encode_frame;
use crate::hub::Relay;
use crate::identity::{Bound, Identity, NotBound, Since};
use crate::presence::Tracking;
use crate::protocol::Spoken;
use crate::resume::Saver;
use crate::shard::{End, Frame, Mail, Refused, Shard, SlotKey};
use crate::sync::Arc;
use crate::timers::{Timer, Timers};
use crate::transport::RouteSettings;

/// A consumer's hold on its connection: to send, join groups, broadcast and set timers.
///
/// Every method of a [`Consumer`] is lent it. When the connection ends, so does all that was done with it:
/// memberships, timers, what waits to be handed in.
pub struct Connection<C: Consumer> {
    pub(crate) link: Owner,
    pub(crate) timers: Option<Box<Timers<C::Event>>>,
    pub(crate) readers: Vec<(u64, Reader<C>)>,
    pub(crate) gap_reader: Option<fn(Gap) -> C::Event>,
    pub(crate) acceptance: Option<Box<Acceptance>>,
    identity: Option<Bound>,
    /// `None` for a client that does not speak `narrows.v1`.
    pub(crate) spoken: Option<Box<Spoken>>,
    pub(crate) tracking: Option<Box<Tracking>>,
    /// Writes what goes on, where the consumer can be resumed.
    pub(crate) saver: Option<Saver<C>>,
    pub(crate) consumer: PhantomData<fn() -> C>,
}

/// Reads a listened message as the consumer's event.
pub(crate) type Reader<C> = fn(&[u8], PayloadFormat) -> Result<<C as Consumer>::Event, MessageError>;

/// What the answer to the handshake will hold.
#[derive(Debug, Default)]
pub(crate) struct Acceptance {
    pub(crate) offered: Vec<String>,
    pub(crate) subprotocol: Option<String>,
    pub(crate) headers: HeaderMap,
    /// Of the handshake, for a consumer that goes on without extractors.
    pub(crate) extensions: Extensions,
}

impl<C: Consumer> Connection<C> {
    pub(crate) fn new(link: Owner, acceptance: Acceptance) -> Self {
        Self {
            link,
            timers: None,
            readers: Vec::new(),
            gap_reader: None,
            acceptance: Some(Box::new(acceptance)),
            identity: None,
            spoken: None,
            tracking: None,
            saver: None,
            consumer: PhantomData,
        }
    }

    /// Sends a message to this connection's client. Never waits: what the socket does not take at once waits
    /// in the outbox.
    ///
    /// # Errors
    /// [`SendError`] says why nothing was sent; the connection is ending, or the message cannot be written.
    pub fn send(&mut self, msg: &C::Out) -> Result<(), SendError> {
        let key = C::overflow_key(msg).unwrap_or(0);
        let frame = encode_frame(msg, self.link.0.settings.codec, key)?;
        self.link.0.send_frame(frame)
    }

    /// Sends what [`Consumer::malformed`] sends by default: `{"type":"error","code":…,"detail":…}`. Where a reply is due
    /// to the message that is being handled, this error is the [reply](Self::reply_error).
    ///
    /// # Errors
    /// As for [`send`](Self::send).
    pub fn send_error(&mut self, code: &str, detail: &str) -> Result<(), SendError> {
        match self.take_reply() {
            Some(reply) => self.send_reply_error(reply, code, detail),
            None => self.link.0.send_frame(error_frame(code, detail, self.link.0.settings.codec)?),
        }
    }

    /// Joins a group: its messages go to this connection's client, as `Out` by its `From<M>`.
    ///
    /// When this returns, no later message is missed: join, then read the state of things, has no gap. Each
    /// message is written once for all members, however many.
    ///
    /// Where the group has a [history](narrows_core::History), a client that comes back and says what it had last gets what it
    /// missed first, and then what is new, without a gap and without anything twice. What it cannot be given any more is told to it
    /// and to [`Consumer::unrecovered`]. The client that comes with Narrows does all of that by itself.
    ///
    /// ```
    /// use std::time::Duration;
    /// use axum::extract::Path;
    /// use narrows::{Close, Connection, Consumer, Group, History, NoEvent, Reject};
    /// # #[derive(Clone, serde::Serialize, serde::Deserialize)]
    /// # #[serde(tag = "type", rename_all = "lowercase")]
    /// # enum Msg { Said { text: String }, Reload }
    ///
    /// struct Room(Group<Msg>);
    ///
    /// /// One function names the group, so that all name it alike.
    /// fn room(name: &str) -> Group<Msg> {
    ///     let group = Group::keyed("room", name).expect("the prefix is legal");
    ///     group.with_history(History::new(200, Duration::from_secs(3600)))
    /// }
    ///
    /// impl Consumer for Room {
    ///     type Scope = Path<String>;
    ///     type In = Msg;
    ///     type Out = Msg;
    ///     type Event = NoEvent;
    ///
    ///     async fn connect(Path(name): Path<String>, conn: &mut Connection<Self>) -> Result<Self, Reject> {
    ///         conn.join(&room(&name)).await?;
    ///         Ok(Self(room(&name)))
    ///     }
    ///
    ///     async fn receive(&mut self, msg: Msg, conn: &mut Connection<Self>) -> Result<(), Close> {
    ///         Ok(conn.broadcast(&self.0, &msg).await?)
    ///     }
    ///
    ///     /// It was away for longer than the history reaches back.
    ///     async fn unrecovered(&mut self, _: &str, conn: &mut Connection<Self>) -> Result<(), Close> {
    ///         Ok(conn.send(&Msg::Reload)?)
    ///     }
    /// }
    /// # let _ = narrows::Channels::new().consumer::<Room>();
    /// ```
    ///
    /// # Errors
    /// [`JoinError`]; the connection is then not a member.
    ///
    /// # Cancel safety
    /// Dropped before it is done, it joins nothing.
    pub async fn join<M>(&mut self, group: &Group<M>) -> Result<(), JoinError>
    where
        M: Message + Into<C::Out>,
    {
        self.watch_presence(&group.topic());
        if group.history().is_some() {
            return Box::pin(self.join_where_it_was(group)).await;
        }
        let relay = self.link.0.relay::<C, M>();
        self.link.0.enter(&group.topic(), Some(relay), Way::Plain).await.map(drop)
    }

    /// Listens to a group: its messages go to [`Consumer::event`], as `Event` by its `From<M>`.
    ///
    /// For a consumer that must think about each message; to pass them on, [`join`](Self::join) costs far less.
    ///
    /// # Errors
    /// [`JoinError`]; nothing is handed in then.
    ///
    /// # Cancel safety
    /// Dropped before it is done, it listens to nothing.
    pub async fn listen<M>(&mut self, group: &Group<M>) -> Result<(), JoinError>
    where
        M: Message + Into<C::Event>,
    {
        self.watch_presence(&group.topic());
        self.listen_to::<M>(&group.topic(), Way::of(group)).await
    }

    /// Leaves a group, whether joined or listened to. `true` if it was.
    ///
    /// # Cancel safety
    /// It does not wait; what was already due to the client still arrives.
    pub async fn leave<M>(&mut self, group: &Group<M>) -> bool {
        let link = &self.link.0;
        let Some(id) = link.channels.hub().id(&group.topic()) else { return false };
        self.readers.retain(|(topic, _)| *topic != id);
        let (key, hub, shard) = (link.key, link.channels.hub(), link.index);
        let left = link.shard.run(move |state| state.leave(key, Some((id, None)))).await.unwrap_or_default();
        for id in &left {
            hub.release(*id, shard);
        }
        if !left.is_empty() && group.history().is_some() {
            link.say_left(group.name());
        }
        !left.is_empty()
    }

    /// Opens this connection's own address, to which [`Channels::send`] sends; its messages go to
    /// [`Consumer::event`]. Every call opens a new one.
    ///
    /// # Errors
    /// [`JoinError`], as for [`listen`](Self::listen).
    pub async fn channel<M>(&mut self) -> Result<Channel<M>, JoinError>
    where
        M: Message + Into<C::Event>,
    {
        let name = self.link.0.channels.hub().new_channel();
        let channel = Channel::new(name).map_err(|_| JoinError::Layer(Arc::new(LayerError::Closed)))?;
        self.listen_to::<M>(&channel.topic(), Way::Plain).await?;
        Ok(channel)
    }

    /// Asks to be told when messages may have been lost on their way here: by the channel layer, or because
    /// the inbox was full. The notice comes as an event.
    pub async fn listen_gaps(&mut self)
    where
        C::Event: From<Gap>,
    {
        let key = self.link.0.key;
        self.gap_reader = Some(C::Event::from);
        self.link.0.shard.run(move |state| state.want_gaps(key)).await;
    }

    async fn listen_to<M>(&mut self, topic: &Topic, way: Way) -> Result<(), JoinError>
    where
        M: Message + Into<C::Event>,
    {
        let reader: Reader<C> = |payload, format| Ok(format.decode::<M>(payload)?.into());
        let id = self.link.0.enter(topic, None, way).await?;
        self.readers.retain(|(topic, _)| *topic != id);
        self.readers.push((id, reader));
        Ok(())
    }

    /// Sends a message to every member of a group, on every node, this connection included if it is one.
    ///
    /// It waits only while this node has far more to deliver than it can.
    ///
    /// # Errors
    /// [`BroadcastError`] when the message cannot be written or the channel layer did not take it.
    ///
    /// # Cancel safety
    /// Dropped before it is done, the message may or may not have been sent; never in part.
    pub async fn broadcast<M: Message>(&mut self, group: &Group<M>, msg: &M) -> Result<(), BroadcastError> {
        self.link.0.channels.broadcast(group, msg).await
    }

    /// Hands `event` to [`Consumer::event`] once, after this time.
    pub fn after(&mut self, delay: Duration, event: C::Event) -> Timer {
        self.timers.get_or_insert_with(|| Box::new(Timers::new())).after(delay, event)
    }

    /// Hands what `make` makes to [`Consumer::event`] again and again, the first time after one period.
    ///
    /// A connection that was held up gets one event, not all that it missed. Periods below 1 ms are 1 ms.
    pub fn every(&mut self, period: Duration, make: impl FnMut() -> C::Event + Send + 'static) -> Timer {
        self.timers.get_or_insert_with(|| Box::new(Timers::new())).every(period, make)
    }

    /// Stops a timer; `false` when it had already run or was stopped.
    pub fn cancel(&mut self, timer: Timer) -> bool {
        self.timers.as_mut().is_some_and(|timers| timers.cancel(timer))
    }

    /// The subprotocols that the client offered, the preferred one first. Empty once `connect` has returned.
    pub fn offered_subprotocols(&self) -> &[String] {
        self.acceptance.as_ref().map(|a| a.offered.as_slice()).unwrap_or_default()
    }

    /// Chooses a subprotocol for the answer to the handshake; without effect outside `connect`.
    ///
    /// A subprotocol that the client did not offer is not sent, as clients must fail the connection then
    /// (RFC 6455, 4.1): `false` in that case.
    pub fn select_subprotocol(&mut self, subprotocol: &str) -> bool {
        let Some(acceptance) = &mut self.acceptance else { return false };
        let offered = acceptance.offered.iter().any(|o| o == subprotocol);
        if offered {
            acceptance.subprotocol = Some(subprotocol.to_owned());
        }
        offered
    }

    /// Adds a header, a cookie for example, to the answer to the handshake; without effect outside `connect`.
    pub fn response_header(&mut self, name: HeaderName, value: HeaderValue) {
        if let Some(acceptance) = &mut self.acceptance {
            acceptance.headers.append(name, value);
        }
    }

    /// Gives this connection an identity, in place of the one it has: for a consumer that finds out only now, such as
    /// from a token in a message. An extractor calls [`Identity::bind`].
    ///
    /// When this returns, no later end is missed. One that came shortly before could have been: an identity with a
    /// check is checked at once.
    ///
    /// # Errors
    /// [`JoinError::Layer`] when the channel layer cannot promise that ends will be heard, and [`JoinError::Closed`]
    /// when the connection or the identity has ended. The connection's identity is then what it was.
    ///
    /// # Cancel safety
    /// Dropped before it is done, it changes nothing.
    pub async fn belongs_to(&mut self, identity: Identity) -> Result<(), JoinError> {
        let bound = match self.link.0.channels.bind(identity, Since::UNKNOWN).await {
            Ok(bound) => bound,
            Err(NotBound::Layer(error)) => return Err(JoinError::Layer(error)),
            Err(NotBound::Ended | NotBound::Shards(_)) => return Err(JoinError::Closed),
        };
        if !self.settle(bound) {
            return Err(JoinError::Closed);
        }
        if let Some(returns) = self.spoken.as_mut().and_then(|spoken| spoken.returns.as_mut()) {
            returns.belongs_to_another();
        }
        Ok(())
    }

    /// Whose this connection is, as an extractor or [`belongs_to`](Self::belongs_to) said.
    pub fn identity(&self) -> Option<&Identity> {
        self.identity.as_ref().map(Bound::identity)
    }

    /// Takes an identity that was bound for this connection; `false` when it has ended on the way.
    pub(crate) fn settle(&mut self, bound: Bound) -> bool {
        let holds = bound.settle(&self.link.0.shard, self.link.0.key);
        if holds {
            let (key, identity) = (self.link.0.key, bound.identity().clone());
            self.link.0.shard.local(|state| state.identify(key, identity));
            self.identity = Some(bound);
        }
        holds
    }

    /// Whether its identity has ended.
    pub(crate) fn has_ended(&self) -> bool {
        let key = self.link.0.key;
        self.identity.is_some()
            && self.link.0.shard.local(|state| state.end_of(key)).flatten() == Some(End::SessionEnded)
    }

    /// Whether the client speaks `narrows.v1`: it is told positions, may ask for replies and rosters, and comes back by
    /// itself. Others, such as a bare `WebSocket`, get the consumer's own messages and nothing else.
    pub fn speaks_narrows(&self) -> bool {
        self.link.0.protocol
    }

    /// How typed messages are written on this connection.
    pub fn codec(&self) -> Codec {
        self.link.0.settings.codec
    }

    /// Whether messages still reach the client.
    pub fn is_open(&self) -> bool {
        let key = self.link.0.key;
        self.link.0.shard.local(|state| state.is_open(key)).unwrap_or(true)
    }

    /// The channels that this connection belongs to.
    pub fn channels(&self) -> &Channels {
        &self.link.0.channels
    }
}

impl<C: Consumer> fmt::Debug for Connection<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").field("consumer", &self.link.0.settings.name).finish_non_exhaustive()
    }
}

pub(crate) fn error_frame(code: &str, detail: &str, codec: Codec) -> Result<Frame, EncodeError> {
    #[derive(serde::Serialize)]
    #[serde(tag = "type", rename = "error")]
    struct Problem {
        code: String,
        detail: String,
    }
    encode_frame(&Problem { code: code.to_owned(), detail: detail.to_owned() }, codec, 0)
}

/// Which connection, on which shard, of which node.
#[derive(Clone)]
pub(crate) struct Link {
    pub(crate) shard: Arc<Shard>,
    pub(crate) index: u16,
    pub(crate) key: SlotKey,
    /// The client speaks `narrows.v1`.
    pub(crate) protocol: bool,
    pub(crate) channels: Channels,
    pub(crate) settings: Arc<RouteSettings>,
}

impl Link {
    pub(crate) fn send_frame(&self, frame: Frame) -> Result<(), SendError> {
        let key = self.key;
        let mut frame = Some(frame);
        let sent = self.shard.local(|state| state.send(key, frame.take().expect("sent once")));
        match (sent, frame) {
            (Some(Ok(())), _) => Ok(()),
            (Some(Err(Refused::Slow)), _) => Err(SendError::Slow),
            (Some(Err(Refused::Closed)), _) => Err(SendError::Closed),
            (None, Some(frame)) => {
                // From another thread the answer would have to be waited for; a closed connection takes nothing.
                let send = Mail::Run(Box::new(move |state| {
                    let _ = state.send(key, frame);
                }));
                if self.shard.post_if_room(send) { Ok(()) } else { Err(SendError::Slow) }
            }
            (None, None) => Err(SendError::Closed),
        }
    }

    /// How its clients want the messages of a group.
    pub(crate) fn relay<C: Consumer, M: Message + Into<C::Out>>(&self) -> Relay {
        Relay::of::<C, M>(self.settings.codec, self.protocol)
    }

    /// Whether the connection is in this topic, as member or listener.
    pub(crate) async fn is_member(&self, topic: &Topic) -> bool {
        let (key, Some(id)) = (self.key, self.channels.hub().id(topic)) else { return false };
        let is_in =
            move |state: &mut crate::shard::State| state.is_in(key, id, false) || state.is_in(key, id, true);
        self.shard.run(is_in).await.unwrap_or(false)
    }

    /// Enters a topic; its id once the layer has promised delivery.
    pub(crate) async fn enter(
        &self,
        topic: &Topic,
        relay: Option<Relay>,
        way: Way,
    ) -> Result<u64, JoinError> {
        let entering = self.begin(topic, relay, way).await?;
        if way == Way::Kept {
            Box::pin(self.stand(topic)).await?;
        }
        Ok(entering.finish())
    }

    /// Begins to enter a topic: from here on its messages come, whatever the caller has yet to do.
    pub(crate) async fn begin(
        &self,
        topic: &Topic,
        relay: Option<Relay>,
        way: Way,
    ) -> Result<Entering<'_>, JoinError> {
        let (key, limit) = (self.key, self.settings.limits.max_groups);
        let (id, subscribed) = self.channels.hub().acquire(topic, self.index);
        let mut entering = Entering { link: self, id, listens: relay.is_none(), joined: false, done: false };
        let joined = self.shard.run(move |state| {
            if state.groups(key) >= limit && !state.is_in(key, id, relay.is_none()) {
                return Err(JoinError::TooManyGroups { limit });
            }
            Ok(match (way, relay) {
                (Way::Held, Some(relay)) => state.join_held(key, id, relay),
                (_, relay) => state.join(key, id, relay),
            })
        });
        entering.joined = joined.await.ok_or(JoinError::Closed)??;
        subscribed.wait().await.map_err(JoinError::Layer)?;
        Ok(entering)
    }
}

/// How a connection enters a topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    Plain,
    /// The topic has a history: the node is to know where it stands, so that it notices what is missing.
    Kept,
    /// The same, and what comes waits until the connection has what it missed.
    Held,
}

impl Way {
    fn of<M>(group: &Group<M>) -> Self {
        if group.history().is_some() { Self::Kept } else { Self::Plain }
    }
}

/// Takes an unfinished `enter` back.
pub(crate) struct Entering<'a> {
    link: &'a Link,
    pub(crate) id: u64,
    listens: bool,
    /// It was not there before.
    pub(crate) joined: bool,
    done: bool,
}

impl Entering<'_> {
    /// It stays.
    pub(crate) fn finish(mut self) -> u64 {
        self.done = self.joined;
        self.id
    }
}

impl Drop for Entering<'_> {
    fn drop(&mut self) {
        if self.done {
            return;
        }
        let (key, id, listens) = (self.link.key, self.id, self.listens);
        if self.joined && self.link.shard.local(|state| state.leave(key, Some((id, Some(listens))))).is_none()
        {
            let leave =
                move |state: &mut crate::shard::State| drop(state.leave(key, Some((id, Some(listens)))));
            self.link.shard.post(Mail::Run(Box::new(leave)));
        }
        self.link.channels.hub().release(id, self.link.index);
    }
}

/// The one that ends the connection's place in its shard when it is dropped.
pub(crate) struct Owner(pub(crate) Link, #[expect(dead_code, reason = "counts out when dropped")] Permit);

impl Owner {
    pub(crate) fn new(link: Link, permit: Permit) -> Self {
        Self(link, permit)
    }

    pub(crate) fn leave_all(&self) {
        let link = &self.0;
        let left = link.shard.local(|state| state.leave(link.key, None)).unwrap_or_default();
        for id in left {
            link.channels.hub().release(id, link.index);
        }
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        self.leave_all();
        self.0.shard.remove(self.0.key);
    }
}

/// Why a message was not sent to a client.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// The client does not read fast enough and is being closed with 1013.
    #[error("the client reads too slowly")]
    Slow,
    /// The connection is ending.
    #[error("the connection is closed")]
    Closed,
    /// The message cannot be written.
    #[error(transparent)]
    Encode(#[from] EncodeError),
}

/// Why a connection could not join or listen.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JoinError {
    /// It is in as many groups as [`max_groups`](crate::Limits::max_groups) allows.
    #[error("a connection can be in {limit} groups at the most")]
    TooManyGroups {
        /// The limit.
        limit: usize,
    },
    /// The channel layer could not promise delivery.
    #[error("the channel layer did not subscribe")]
    Layer(#[source] Arc<LayerError>),
    /// The connection or its shard has ended.
    #[error("the connection is closed")]
    Closed,
}
