use std::any::TypeId;

use bytes::Bytes;
use narrows_core::{Message, MessageError, PayloadFormat, Position, Topic};

use crate::codec::{Codec, EncodeError};
use crate::consumer::Consumer;
use crate::encode::encode_at;
use crate::protocol::Mark;
use crate::shard::Frame;
use crate::stats::DropReason;
use crate::sync::{Mutex, lock};

/// How the members of a group that joined with one consumer type and codec want its messages written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Relay {
    key: (TypeId, Codec),
    /// The clients speak `narrows.v1`: they are told where in its history a message stands.
    pub(crate) speaks: bool,
    write: Write,
}

/// Writes a payload as a frame.
type Write = fn(&[u8], PayloadFormat, Codec, Option<Mark<'_>>) -> Result<Frame, RelayError>;

impl Relay {
    pub(crate) fn of<C: Consumer, M: Message + Into<C::Out>>(codec: Codec, speaks: bool) -> Self {
        Self { key: (TypeId::of::<fn(M) -> C>(), codec), speaks, write: write::<C, M> }
    }

    pub(crate) fn codec(&self) -> Codec {
        self.key.1
    }
}

impl PartialEq for Relay {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key && self.speaks == other.speaks
    }
}

fn write<C: Consumer, M: Message + Into<C::Out>>(
    payload: &[u8],
    format: PayloadFormat,
    codec: Codec,
    mark: Option<Mark<'_>>,
) -> Result<Frame, RelayError> {
    let message: C::Out = format.decode::<M>(payload)?.into();
    let key = C::overflow_key(&message).unwrap_or(0);
    Ok(encode_at(&message, codec, key, mark)?)
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum RelayError {
    #[error(transparent)]
    Decode(#[from] MessageError),
    #[error(transparent)]
    Encode(#[from] EncodeError),
    #[error("writing the message panicked")]
    Panicked,
}

/// One message on its way to the members on this node, written once for each way in which they want it.
#[derive(Debug)]
pub(crate) struct Delivery {
    pub(crate) topic: u64,
    pub(crate) payload: Bytes,
    pub(crate) format: PayloadFormat,
    /// Its group and its place there, where that has a history.
    at: Option<(Topic, Position)>,
    written: Mutex<Written>,
}

/// The frames so far. A group mostly has one kind of member: room for one in place, without an allocation.
#[derive(Debug, Default)]
struct Written {
    first: Option<(Relay, Option<Frame>)>,
    more: Vec<(Relay, Option<Frame>)>,
}

impl Written {
    fn find(&self, relay: &Relay) -> Option<&Option<Frame>> {
        self.first.iter().chain(&self.more).find(|(r, _)| r == relay).map(|(_, frame)| frame)
    }

    fn push(&mut self, relay: Relay, frame: Option<Frame>) {
        match &self.first {
            None => self.first = Some((relay, frame)),
            Some(_) => self.more.push((relay, frame)),
        }
    }
}

impl Delivery {
    pub(crate) fn new(topic: u64, payload: Bytes, format: PayloadFormat) -> Self {
        Self { topic, payload, format, at: None, written: Mutex::new(Written::default()) }
    }

    /// A message of a group's history.
    pub(crate) fn at(
        id: u64,
        topic: &Topic,
        position: Position,
        payload: Bytes,
        format: PayloadFormat,
    ) -> Self {
        Self { at: Some((topic.clone(), position)), ..Self::new(id, payload, format) }
    }

    pub(crate) fn position(&self) -> Option<Position> {
        self.at.as_ref().map(|(_, position)| *position)
    }

    /// The group, where it has a history.
    pub(crate) fn group(&self) -> Option<&Topic> {
        self.at.as_ref().map(|(topic, _)| topic)
    }

    /// The frame for a relay's members; the first shard to ask writes it. `None` when it cannot be written:
    /// the first to ask is told why.
    pub(crate) fn frame(&self, relay: &Relay) -> Result<Option<Frame>, RelayError> {
        let mut written = lock(&self.written);
        if let Some(frame) = written.find(relay) {
            return Ok(frame.clone());
        }
        // The message's own code runs here; a panic in it must not take the shard along.
        let mark = self.at.as_ref().filter(|_| relay.speaks);
        let mark = mark.map(|(topic, position)| Mark { group: topic.name(), position: *position });
        let frame = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            (relay.write)(&self.payload, self.format, relay.key.1, mark)
        }))
        .unwrap_or(Err(RelayError::Panicked));
        match frame {
            Ok(frame) => {
                written.push(*relay, Some(frame.clone()));
                Ok(Some(frame))
            }
            Err(error) => {
                written.push(*relay, None);
                Err(error)
            }
        }
    }
}

impl RelayError {
    pub(crate) fn drop_reason(&self) -> DropReason {
        match self {
            Self::Decode(_) => DropReason::Undecodable,
            Self::Encode(_) | Self::Panicked => DropReason::Unencodable,
        }
    }
}
