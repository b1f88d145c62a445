use bytes::Bytes;
use narrows_core::{
    ChannelLayer, ClaimStore, HistoryStore, Inbound, LayerError, PayloadFormat, PresenceStore, Queue, Topic,
};

use crate::core::CoreLayer;
use crate::options::{OptionsError, RedisOptions};
use crate::pubsub::PubSubLayer;

/// Which of the two layers: they do not understand each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Kind {
    /// [`PubSubLayer`], `RedisPubSubChannelLayer` in channels_redis.
    #[default]
    PubSub,
    /// [`CoreLayer`], `RedisChannelLayer` in channels_redis.
    Core,
}

/// Either layer, for a program whose settings say which.
///
/// ```no_run
/// use narrows_redis::{Kind, RedisLayer, RedisOptions};
///
/// let kind: Kind = "core".parse()?;
/// let layer = RedisLayer::new(kind, RedisOptions::new("redis://127.0.0.1:6379".parse()?))?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum RedisLayer {
    /// On publish and subscribe.
    PubSub(PubSubLayer),
    /// On sorted sets.
    Core(CoreLayer),
}

impl RedisLayer {
    /// A layer of one node.
    ///
    /// # Errors
    /// [`OptionsError`] when the options make no such layer.
    pub fn new(kind: Kind, options: RedisOptions) -> Result<Self, OptionsError> {
        Ok(match kind {
            Kind::PubSub => Self::PubSub(PubSubLayer::new(options)?),
            Kind::Core => Self::Core(CoreLayer::new(options)?),
        })
    }
}

/// The text names no layer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no Redis layer; there are \"pubsub\" and \"core\"")]
pub struct ParseKindError(String);

impl std::str::FromStr for Kind {
    type Err = ParseKindError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "pubsub" => Ok(Self::PubSub),
            "core" => Ok(Self::Core),
            other => Err(ParseKindError(other.to_owned())),
        }
    }
}

impl ChannelLayer for RedisLayer {
    fn start(&self, inbound: Inbound) {
        match self {
            Self::PubSub(layer) => layer.start(inbound),
            Self::Core(layer) => layer.start(inbound),
        }
    }

    fn format(&self) -> PayloadFormat {
        match self {
            Self::PubSub(layer) => layer.format(),
            Self::Core(layer) => layer.format(),
        }
    }

    async fn subscribe(&self, topic: &Topic) -> Result<(), LayerError> {
        match self {
            Self::PubSub(layer) => layer.subscribe(topic).await,
            Self::Core(layer) => layer.subscribe(topic).await,
        }
    }

    async fn unsubscribe(&self, topic: &Topic) -> Result<(), LayerError> {
        match self {
            Self::PubSub(layer) => layer.unsubscribe(topic).await,
            Self::Core(layer) => layer.unsubscribe(topic).await,
        }
    }

    async fn publish(&self, topic: &Topic, payload: Bytes) -> Result<(), LayerError> {
        match self {
            Self::PubSub(layer) => layer.publish(topic, payload).await,
            Self::Core(layer) => layer.publish(topic, payload).await,
        }
    }

    fn new_channel(&self) -> String {
        match self {
            Self::PubSub(layer) => layer.new_channel(),
            Self::Core(layer) => layer.new_channel(),
        }
    }

    fn open(&self, channel: &Topic) -> Option<Queue> {
        match self {
            Self::PubSub(layer) => layer.open(channel),
            Self::Core(layer) => layer.open(channel),
        }
    }

    fn history(&self) -> Option<HistoryStore> {
        match self {
            Self::PubSub(layer) => layer.history(),
            Self::Core(layer) => layer.history(),
        }
    }

    fn claims(&self) -> Option<ClaimStore> {
        match self {
            Self::PubSub(layer) => layer.claims(),
            Self::Core(layer) => layer.claims(),
        }
    }

    fn presence(&self) -> Option<PresenceStore> {
        match self {
            Self::PubSub(layer) => layer.presence(),
            Self::Core(layer) => layer.presence(),
        }
    }
}
