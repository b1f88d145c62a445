use std::any::TypeId;

use bytes::Bytes;
use narrows_core::{Message, MessageError, PayloadFormat};

use crate::codec::{Codec, EncodeError};
use crate::consumer::Consumer;
use crate::encode::encode_frame;
use crate::shard::Frame;
use crate::stats::DropReason;
use crate::sync::{Mutex, lock};

/// How the members of a group that joined with one consumer type and codec want its messages written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Relay {
    key: (TypeId, Codec),
    write: fn(&[u8], PayloadFormat, Codec) -> Result<Frame, RelayError>,
}

impl Relay {
    pub(crate) fn of<C: Consumer, M: Message + Into<C::Out>>(codec: Codec) -> Self {
        Self { key: (TypeId::of::<fn(M) -> C>(), codec), write: write::<C, M> }
    }
}

impl PartialEq for Relay {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

fn write<C: Consumer, M: Message + Into<C::Out>>(
    payload: &[u8],
    format: PayloadFormat,
    codec: Codec,
) -> Result<Frame, RelayError> {
    let message: C::Out = format.decode::<M>(payload)?.into();
    let key = C::overflow_key(&message).unwrap_or(0);
    Ok(encode_frame(&message, codec, key)?)
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
        Self { topic, payload, format, written: Mutex::new(Written::default()) }
    }

    /// The frame for a relay's members; the first shard to ask writes it. `None` when it cannot be written:
    /// the first to ask is told why.
    pub(crate) fn frame(&self, relay: &Relay) -> Result<Option<Frame>, RelayError> {
        let mut written = lock(&self.written);
        if let Some(frame) = written.find(relay) {
            return Ok(frame.clone());
        }
        // The message's own code runs here; a panic in it must not take the shard along.
        let frame = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            (relay.write)(&self.payload, self.format, relay.key.1)
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
