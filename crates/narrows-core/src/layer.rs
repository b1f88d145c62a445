use std::fmt;
use std::future::Future;
use std::sync::Arc;

use bytes::Bytes;

use crate::{ClaimStore, HistoryStore, PayloadFormat, Position, PresenceStore, Queue, Topic};

/// What carries messages between nodes: one value of it is one node's link to all the others.
///
/// A layer never sees a connection. It is told which topics this node wants, is given payloads to publish,
/// and hands every payload published on a wanted topic – by any node, this one too – to [`Inbound`].
///
/// ```
/// use std::collections::HashSet;
/// use std::sync::Mutex;
/// use bytes::Bytes;
/// use narrows_core::{ChannelLayer, Inbound, LayerError, Topic};
///
/// /// A layer of one node that keeps everything to itself.
/// #[derive(Default)]
/// struct Loopback(Mutex<(HashSet<Topic>, Option<Inbound>)>);
///
/// impl ChannelLayer for Loopback {
///     fn start(&self, inbound: Inbound) {
///         self.0.lock().unwrap().1 = Some(inbound);
///     }
///     async fn subscribe(&self, topic: &Topic) -> Result<(), LayerError> {
///         self.0.lock().unwrap().0.insert(topic.clone());
///         Ok(())
///     }
///     async fn unsubscribe(&self, topic: &Topic) -> Result<(), LayerError> {
///         self.0.lock().unwrap().0.remove(topic);
///         Ok(())
///     }
///     async fn publish(&self, topic: &Topic, payload: Bytes) -> Result<(), LayerError> {
///         let state = self.0.lock().unwrap();
///         if let (true, Some(inbound)) = (state.0.contains(topic), &state.1) {
///             inbound.deliver(topic, payload);
///         }
///         Ok(())
///     }
///     fn new_channel(&self) -> String {
///         "specific.loopback!1".into()
///     }
/// }
/// ```
///
/// # What a layer promises
/// * **Start:** [`start`](Self::start) comes once, before anything else.
/// * **Subscribed means delivered:** when `subscribe` has returned `Ok`, every later `publish` of any node
///   reaches this one, until `unsubscribe` is called. Calls for one topic never overlap, and alternate.
/// * **One order:** all nodes see the messages of a topic in one order. What one task publishes in sequence
///   keeps its sequence.
/// * **At most once, never silently:** a message comes once or not at all; where the layer knows that some
///   were lost, it calls [`Inbound::gap`].
/// * **No waiting forever:** a call answers with an error rather than hang when the link is down.
/// * **Cancelled calls:** a dropped future of `publish` may or may not have published; a dropped `subscribe`
///   or `unsubscribe` does not occur.
///
/// The feature `conformance` holds the suite that checks these.
#[diagnostic::on_unimplemented(message = "`{Self}` is not a channel layer")]
pub trait ChannelLayer: Send + Sync + 'static {
    /// Takes the place where messages for this node go.
    fn start(&self, inbound: Inbound);

    /// How messages are to be written for this layer.
    fn format(&self) -> PayloadFormat {
        PayloadFormat::MsgPack
    }

    /// Asks for the messages of a topic.
    ///
    /// # Errors
    /// When the layer cannot promise delivery; the topic then counts as not subscribed.
    fn subscribe(&self, topic: &Topic) -> impl Future<Output = Result<(), LayerError>> + Send;

    /// Ends what `subscribe` began.
    ///
    /// # Errors
    /// When the layer could not be told; the topic counts as unsubscribed all the same, and what still comes
    /// for it is ignored.
    fn unsubscribe(&self, topic: &Topic) -> impl Future<Output = Result<(), LayerError>> + Send;

    /// Sends a payload, written in [`format`](Self::format), to every node that subscribed to the topic.
    ///
    /// # Errors
    /// When the message was surely or possibly not sent.
    ///
    /// # Cancel safety
    /// A dropped call may or may not have published; it never publishes a part.
    fn publish(&self, topic: &Topic, payload: Bytes) -> impl Future<Output = Result<(), LayerError>> + Send;

    /// Publishes at once, for a layer that never waits for anything. `None`, as here, when it cannot: nothing is
    /// published then, and [`publish`](Self::publish) is called.
    ///
    /// It keeps one order with `publish`, and saves the framework the room for a future with each message.
    ///
    /// # Errors
    /// As for `publish`.
    fn publish_now(&self, topic: &Topic, payload: &Bytes) -> Option<Result<(), LayerError>> {
        let _ = (topic, payload);
        None
    }

    /// A fresh channel name that no other call, on any node, has given or will give.
    fn new_channel(&self) -> String;

    /// Opens a named channel as a queue whose messages all who opened it share, on this node and on others.
    /// `None`, as here, for a layer without queues: who subscribes to the channel gets each message then.
    ///
    /// Messages that are published while anybody has it open wait for those who take, up to what the layer keeps of
    /// a channel; beyond that `publish` answers with [`LayerError::ChannelFull`]. It is the same for every channel of
    /// a layer whether it has queues.
    fn open(&self, channel: &Topic) -> Option<Queue> {
        let _ = channel;
        None
    }

    /// The histories of its groups. `None`, as here, for a layer that keeps none: groups with a history are delivered
    /// like others there, and nothing is recovered.
    fn history(&self) -> Option<HistoryStore> {
        None
    }

    /// Who is in its groups. `None`, as here, for a layer that cannot know: tracking is an error there.
    fn presence(&self) -> Option<PresenceStore> {
        None
    }

    /// What may be used once only. `None`, as here, for a layer that cannot tell: no connection is resumed there.
    fn claims(&self) -> Option<ClaimStore> {
        None
    }
}

/// Where a layer hands in what arrived for this node.
///
/// Both calls return at once and may come from any thread.
#[derive(Clone)]
pub struct Inbound(Arc<dyn Receive>);

impl Inbound {
    /// Wraps a receiver; the framework does this.
    pub fn new(receiver: impl Receive) -> Self {
        Self(Arc::new(receiver))
    }

    /// Hands in one message. Calls for one topic must come in the topic's order.
    pub fn deliver(&self, topic: &Topic, payload: Bytes) {
        self.0.deliver(topic, payload);
    }

    /// Hands in one message of a group's history, with its position. Calls for one topic, and those to
    /// [`deliver`](Self::deliver), must come in the topic's order.
    pub fn deliver_at(&self, topic: &Topic, payload: Bytes, position: Position) {
        self.0.deliver_at(topic, payload, position);
    }

    /// Says that messages may have been lost: of one topic, or of any when `topic` is `None`.
    pub fn gap(&self, topic: Option<&Topic>, gap: Gap) {
        self.0.gap(topic, gap);
    }

    /// Counts messages that reached the layer and that it could not hand in.
    pub fn skipped(&self, why: Skipped, count: usize) {
        self.0.skipped(why, count);
    }
}

impl fmt::Debug for Inbound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Inbound")
    }
}

/// The framework's side of [`Inbound`].
pub trait Receive: Send + Sync + 'static {
    /// See [`Inbound::deliver`].
    fn deliver(&self, topic: &Topic, payload: Bytes);
    /// See [`Inbound::deliver_at`].
    fn deliver_at(&self, topic: &Topic, payload: Bytes, position: Position) {
        let _ = position;
        self.deliver(topic, payload);
    }
    /// See [`Inbound::gap`].
    fn gap(&self, topic: Option<&Topic>, gap: Gap);
    /// See [`Inbound::skipped`].
    fn skipped(&self, why: Skipped, count: usize) {
        let _ = (why, count);
    }
}

/// Why messages may be missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Gap {
    /// The layer lost its link and has it back.
    Reconnected,
    /// More arrived than this node or this connection could take.
    Overflow,
    /// Messages of a group with a history are missing, and it keeps them no longer.
    Lost,
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Reconnected => "the channel layer was away",
            Self::Overflow => "more messages arrived than could be taken",
            Self::Lost => "messages are missing that are kept no longer",
        })
    }
}

/// Why a layer did not hand in a message that reached it, or that it should have carried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Skipped {
    /// It is no message, or not in the layer's [format](ChannelLayer::format).
    Malformed,
    /// None of the layer's keys opens it.
    Undecryptable,
    /// It is larger than the layer takes.
    Oversized,
    /// It is for somebody who is not here, or no longer.
    Foreign,
    /// It is older than the layer keeps messages.
    Expired,
    /// The receiver had as many unread messages as the layer keeps for it.
    Full,
}

impl Skipped {
    /// Each of them.
    pub const ALL: [Self; 6] =
        [Self::Malformed, Self::Undecryptable, Self::Oversized, Self::Foreign, Self::Expired, Self::Full];

    /// The name under which logs and metrics show it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::Undecryptable => "undecryptable",
            Self::Oversized => "oversized",
            Self::Foreign => "foreign",
            Self::Expired => "expired",
            Self::Full => "full",
        }
    }
}

/// Why a channel layer could not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LayerError {
    /// The link to the other nodes is down; it may come back.
    #[error("the channel layer is unavailable")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The other side answered, and said no: its memory is full, or a right is missing.
    #[error("the channel layer refused: {0}")]
    Refused(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The layer has no such power: it keeps no history, or knows no presence.
    #[error("this channel layer has no {power}")]
    Unsupported {
        /// What it lacks.
        power: &'static str,
    },
    /// The channel belongs to another process, which alone can receive from it.
    #[error("the channel {channel} belongs to another process")]
    NotOurs {
        /// Its name.
        channel: String,
    },
    /// The receiver has as many unread messages as the layer keeps for it.
    #[error("the channel {channel} is full")]
    ChannelFull {
        /// Its name.
        channel: String,
    },
    /// The payload is larger than the layer carries.
    #[error("the message has {bytes} bytes, more than the {limit} that the channel layer carries")]
    TooLarge {
        /// Its size.
        bytes: usize,
        /// The largest size.
        limit: usize,
    },
    /// The layer has ended and will not come back.
    #[error("the channel layer has ended")]
    Closed,
}
