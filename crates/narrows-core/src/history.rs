use std::fmt;
use std::future::Future;
use std::num::ParseIntError;
use std::pin::Pin;
use std::str::FromStr;
use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{LayerError, Topic};

/// What a group keeps of its messages: the newest of them, for a time.
///
/// ```
/// use std::time::Duration;
/// use narrows_core::{Group, History};
///
/// let room = Group::<()>::new("room.lobby")?
///     .with_history(History::new(100, Duration::from_secs(3600)));
/// assert_eq!(room.history().map(|history| history.size()), Some(100));
/// # Ok::<(), narrows_core::NameError>(())
/// ```
///
/// All who broadcast to a group name it alike, mostly by one function: what is broadcast to the bare group is delivered,
/// and not kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct History {
    size: u32,
    ttl: Duration,
}

impl History {
    /// The newest `size` messages, at least 1, each for as long as `ttl`, at least a second and at most a hundred years: clocks end.
    pub fn new(size: u32, ttl: Duration) -> Self {
        Self { size: size.max(1), ttl: ttl.clamp(Self::TTL.0, Self::TTL.1) }
    }

    const TTL: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(100 * 365 * 86_400));

    /// How many messages are kept.
    pub fn size(&self) -> u32 {
        self.size
    }

    /// How long a message is kept.
    pub fn ttl(&self) -> Duration {
        self.ttl
    }
}

/// Where a message stands in the history of its group.
///
/// Its text, as clients keep it and give it back, is `{epoch}-{offset}`, the epoch in hexadecimal.
///
/// ```
/// use narrows_core::Position;
///
/// let position: Position = "9f3c2a10-1042".parse()?;
/// assert_eq!((position.epoch, position.offset), (0x9f3c_2a10, 1042));
/// assert_eq!(position.to_string(), "9f3c2a10-1042");
/// # Ok::<(), narrows_core::ParsePositionError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Position {
    /// Which history: a random number, another one when the history was lost and began anew.
    pub epoch: u64,
    /// The number of the message: the first is 1, each has one more than the one before it. 0 is before all.
    pub offset: u64,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}-{}", self.epoch, self.offset)
    }
}

/// The text is no [`Position`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a position is written as epoch-offset, such as 9f3c2a10-1042")]
pub struct ParsePositionError(#[source] Option<ParseIntError>);

impl FromStr for Position {
    type Err = ParsePositionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (epoch, offset) = text.split_once('-').ok_or(ParsePositionError(None))?;
        let wrong = |error| ParsePositionError(Some(error));
        // `+` is a sign to Rust's numbers, and no digit.
        if text.contains('+') {
            return Err(ParsePositionError(None));
        }
        Ok(Self {
            epoch: u64::from_str_radix(epoch, 16).map_err(wrong)?,
            offset: offset.parse().map_err(wrong)?,
        })
    }
}

impl Serialize for Position {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Position {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// Which of a group's messages to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HistoryRange {
    /// Where to begin.
    pub from: HistoryFrom,
    /// How many at the most.
    pub limit: u32,
}

/// Where a [`HistoryRange`] begins, and its direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HistoryFrom {
    /// The newest, and backwards.
    Newest,
    /// The one before this position, and backwards.
    Before(Position),
    /// The one after this position, and forwards.
    After(Position),
}

impl HistoryRange {
    /// The newest messages.
    pub fn newest(limit: u32) -> Self {
        Self { from: HistoryFrom::Newest, limit }
    }

    /// The page before a position.
    pub fn before(position: Position, limit: u32) -> Self {
        Self { from: HistoryFrom::Before(position), limit }
    }

    /// What came after a position.
    pub fn after(position: Position, limit: u32) -> Self {
        Self { from: HistoryFrom::After(position), limit }
    }
}

/// What a layer read of a group's history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptPage {
    /// The newest position, whether its message is still kept or not; offset 0 where none was ever sent.
    pub top: Position,
    /// The messages by their offsets, in ascending order, whatever the direction. There may be fewer than were asked for
    /// though more follow: a layer bounds how many bytes a page has.
    pub messages: Vec<(u64, Bytes)>,
    /// Reading after a position: that every message from it on is here, or follows when it is asked for from the last
    /// one. `false` when the position is of another epoch, ahead of `top`, or older than what is kept.
    /// Reading backwards: that nothing older is kept; of a position of another epoch nothing is.
    pub complete: bool,
}

/// What a [`KeepHistory`] answers with.
pub type Kept<'a, T> = Pin<Box<dyn Future<Output = Result<T, LayerError>> + Send + 'a>>;

/// What a layer that keeps histories does; an optional power of a [`ChannelLayer`](crate::ChannelLayer).
///
/// # What it promises
/// * **One step:** a message gets its position, is kept and is published in one step: all nodes get the messages of a
///   group in the order of their offsets, through [`Inbound::deliver_at`](crate::Inbound::deliver_at). Positions have
///   no holes.
/// * **An end is an epoch:** when a history is lost, or was not used for so long that its last position is forgotten,
///   the next one has another epoch.
/// * **Bounds:** no more than [`History::size`] messages are kept, each for [`History::ttl`] at the most, as the last
///   publisher said. The position outlives the messages.
/// * **Cancelled calls:** as for the layer's own.
pub trait KeepHistory: Send + Sync + 'static {
    /// Keeps a message and publishes it.
    ///
    /// With an `id`, at most 128 bytes, it does so once: a message that was published to this group with this id less
    /// than [`ONCE`] ago is neither kept nor published again, and its position is returned.
    fn publish<'a>(
        &'a self,
        group: &'a Topic,
        payload: Bytes,
        history: History,
        id: Option<&'a str>,
    ) -> Kept<'a, Position>;

    /// The same at once, for a store that never waits. `None`, as here, when it cannot: nothing is published then.
    fn publish_now(
        &self,
        group: &Topic,
        payload: &Bytes,
        history: History,
        id: Option<&str>,
    ) -> Option<Result<Position, LayerError>> {
        let _ = (group, payload, history, id);
        None
    }

    /// Reads what is kept. An unknown group is one with nothing in it; its position is a promise all the same: a
    /// message that follows has offset 1 of that epoch.
    fn read<'a>(&'a self, group: &'a Topic, range: HistoryRange) -> Kept<'a, KeptPage>;
}

/// For how long an id of a message is known: longer than any client tries to send one again.
pub const ONCE: Duration = Duration::from_secs(300);
