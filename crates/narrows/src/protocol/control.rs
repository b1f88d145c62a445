use narrows_core::Position;
use serde::Serialize;

use crate::codec::{Codec, EncodeError};
use crate::encode::encode_value;
use crate::shard::{Frame, FrameKind};

/// What the server says to a client that speaks `narrows.v1`.
#[derive(Debug, Serialize)]
#[serde(tag = "type")]
pub(crate) enum Control {
    /// The first frame.
    #[serde(rename = "narrows.welcome")]
    Welcome {
        resumed: bool,
        /// When the client has sent nothing for so long, in milliseconds, it pings.
        heartbeat: u64,
        /// After a close with 1012 it waits a random part of this, in milliseconds.
        retry: u64,
        /// For how long it may come back, in milliseconds.
        window: u64,
        #[serde(skip_serializing_if = "Option::is_none")]
        token: Option<String>,
    },
    /// The answer to its ping.
    #[serde(rename = "narrows.pong")]
    Pong {
        #[serde(skip_serializing_if = "Option::is_none")]
        token: Option<String>,
    },
    /// Messages of the group follow from here. A client that brought a position is told whether what it missed comes
    /// first.
    #[serde(rename = "narrows.joined")]
    Joined {
        group: Box<str>,
        at: Position,
        #[serde(skip_serializing_if = "Option::is_none")]
        recovered: Option<bool>,
    },
    /// Messages before this position are lost to the client.
    #[serde(rename = "narrows.lost")]
    Lost { group: Box<str>, at: Position },
    /// Its messages come no longer.
    #[serde(rename = "narrows.left")]
    Left { group: Box<str> },
}

impl Control {
    pub(crate) fn frame(&self, codec: Codec) -> Result<Frame, EncodeError> {
        Ok(Frame { kind: FrameKind::Control, ..encode_value(self, codec)? })
    }
}
