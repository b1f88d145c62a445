//! What the two layers have in common of histories: where they are, and how they are read.

use std::sync::{Arc, LazyLock};

use bytes::Bytes;
use narrows_core::{
    History, HistoryFrom, HistoryRange, KeepHistory, Kept, KeptPage, LayerError, Position, Topic,
};
use redis::{FromRedisValue, Script, Value};

use crate::inlet::Inlet;
use crate::options::RedisOptions;
use crate::stores::{Home, Stores, millis, unexpected};
use crate::wire::{Unplaced, Wire};

static READ: LazyLock<Script> =
    LazyLock::new(|| Script::new(concat!(include_str!("position.lua"), include_str!("read.lua"))));

/// So many bytes are read at once, and one message more: what is left is asked for again.
const PAGE_BYTES: usize = 1 << 20;

/// The longest id of a message.
const MAX_ID: usize = 128;

/// The histories of a layer's groups.
pub(crate) struct Histories<L>(pub(crate) Arc<L>);

/// A layer that keeps them.
pub(crate) trait Keeping: Send + Sync + 'static {
    fn stores(&self) -> &Stores;
    fn wire(&self) -> &Wire;
    fn inlet(&self) -> &Inlet;

    /// See [`KeepHistory::publish`].
    fn publish_kept(
        &self,
        group: &Topic,
        payload: Bytes,
        history: History,
        id: Option<String>,
    ) -> impl Future<Output = Result<Position, LayerError>> + Send;
}

impl<L: Keeping> KeepHistory for Histories<L> {
    fn publish<'a>(
        &'a self,
        group: &'a Topic,
        payload: Bytes,
        history: History,
        id: Option<&'a str>,
    ) -> Kept<'a, Position> {
        let (layer, group, id) = (self.0.clone(), group.clone(), id.map(str::to_owned));
        Box::pin(self.0.stores().run(async move { layer.publish_kept(&group, payload, history, id).await }))
    }

    fn read<'a>(&'a self, group: &'a Topic, range: HistoryRange) -> Kept<'a, KeptPage> {
        let (layer, group) = (self.0.clone(), group.clone());
        let read = async move { read(layer.stores(), layer.wire(), layer.inlet(), &group, range).await };
        Box::pin(self.0.stores().run(read))
    }
}

/// Where a group's history is.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) home: Home,
    /// The key of its position, which outlives the messages.
    pub(crate) position: String,
    /// The key of its messages, a stream.
    pub(crate) messages: String,
}

impl Place {
    pub(crate) fn of(stores: &Stores, group: &Topic) -> Self {
        let home = stores.of_group(group.name());
        Self { position: home.key("position"), messages: home.key("history"), home }
    }

    /// The key that knows an id of a message.
    pub(crate) fn once(&self, id: &str) -> Result<String, LayerError> {
        match id.len() {
            ..=MAX_ID => Ok(format!("{}:{id}", self.home.key("once"))),
            bytes => {
                Err(LayerError::Refused(format!("an id has at most {MAX_ID} bytes, not {bytes}").into()))
            }
        }
    }
}

/// An epoch, for the case that a history has none.
pub(crate) fn fresh_epoch() -> String {
    hex(rand::random())
}

fn hex(epoch: u64) -> String {
    format!("{epoch:016x}")
}

/// What a script is told of a history: how many messages, and for how many milliseconds.
pub(crate) fn bounds(history: History) -> (u32, u64) {
    (history.size(), millis(history.ttl()))
}

/// A message that is to have a position, within the limits.
pub(crate) fn seal(wire: &Wire, options: &RedisOptions, payload: &[u8]) -> Result<Unplaced, LayerError> {
    let not_a_map = |_| LayerError::Refused("a message is a map".into());
    let message = wire.seal_unplaced(payload).map_err(not_a_map)?;
    options.fits_bytes(message.len())?;
    Ok(message)
}

/// The position in a script's answer.
pub(crate) fn position(answer: &Value) -> Result<Position, LayerError> {
    let text = match answer {
        Value::BulkString(text) => std::str::from_utf8(text).ok(),
        _ => None,
    };
    text.and_then(|text| text.parse().ok()).ok_or_else(|| unexpected(answer))
}

/// Reads a page of a group's history.
async fn read(
    stores: &Stores,
    wire: &Wire,
    inlet: &Inlet,
    group: &Topic,
    range: HistoryRange,
) -> Result<KeptPage, LayerError> {
    let place = Place::of(stores, group);
    let (direction, epoch, offset) = match range.from {
        HistoryFrom::Newest => ("before", String::new(), u64::MAX),
        HistoryFrom::Before(position) => ("before", hex(position.epoch), position.offset),
        HistoryFrom::After(position) => ("after", hex(position.epoch), position.offset),
    };
    let mut read = READ.key(&place.position);
    read.key(&place.messages).arg(fresh_epoch()).arg(direction).arg(epoch).arg(offset);
    read.arg(range.limit).arg(PAGE_BYTES);
    let answer = stores.call(&place.home, &read).await?;
    let found = Found::from(answer)?;
    // A message that cannot be opened is one that is missing.
    let messages = found.messages.into_iter().filter_map(|(offset, message)| match wire.open(message) {
        Ok(opened) => Some((offset, opened.payload)),
        Err(why) => {
            inlet.skip(why, &place.messages);
            None
        }
    });
    let mut messages: Vec<_> = messages.collect();
    let complete = match range.from {
        HistoryFrom::After(position) => {
            let offsets = messages.iter().map(|(offset, _)| *offset);
            position.epoch == found.top.epoch
                && is_whole(position.offset, offsets, found.next, found.top.offset)
        }
        HistoryFrom::Newest | HistoryFrom::Before(_) => {
            messages.reverse();
            found.next == 0
        }
    };
    Ok(KeptPage { top: found.top, messages, complete })
}

/// Whether these follow a position without a hole, up to `next`, or to `top` where there is none.
fn is_whole(after: u64, offsets: impl Iterator<Item = u64>, next: u64, top: u64) -> bool {
    let mut expected = after.saturating_add(1);
    for offset in offsets {
        if offset != expected {
            return false;
        }
        expected += 1;
    }
    expected == if next == 0 { top + 1 } else { next }
}

/// What the script found.
struct Found {
    top: Position,
    next: u64,
    messages: Vec<(u64, Vec<u8>)>,
}

impl Found {
    fn from(answer: Value) -> Result<Self, LayerError> {
        let shape = <(String, u64, u64, Vec<(u64, Vec<u8>)>)>::from_redis_value(answer);
        let (epoch, offset, next, messages) = shape.map_err(|error| LayerError::Refused(error.into()))?;
        let epoch = u64::from_str_radix(&epoch, 16).map_err(|error| LayerError::Refused(error.into()))?;
        Ok(Self { top: Position { epoch, offset }, next, messages })
    }
}
