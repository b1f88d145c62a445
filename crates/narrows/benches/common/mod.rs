//! A group of consumers for the benches of the engine.

use bytes::Bytes;
use narrows::internals::BenchShard;
use narrows::{Close, Connection, Consumer, NoEvent, Overflow, PayloadFormat, Reject};
use serde::{Deserialize, Serialize};

/// What the members are sent, as the chat of Django's tutorial has it.
#[derive(Serialize, Deserialize)]
#[serde(tag = "type", rename = "chat.message")]
pub(crate) struct Said {
    message: String,
}

struct Member;

impl Consumer for Member {
    type Scope = ();
    type In = Said;
    type Out = Said;
    type Event = NoEvent;

    async fn connect((): (), _: &mut Connection<Self>) -> Result<Self, Reject> {
        Ok(Self)
    }

    async fn receive(&mut self, _: Said, _: &mut Connection<Self>) -> Result<(), Close> {
        Ok(())
    }

    fn overflow_key(_: &Said) -> Option<u64> {
        Some(1)
    }
}

/// A shard with one group of so many members.
pub(crate) fn shard(members: usize, overflow: Overflow) -> BenchShard {
    BenchShard::new::<Member, Said>(members, overflow)
}

/// A message as the channel layer hands it in.
pub(crate) fn payload(bytes: usize) -> Bytes {
    let said = Said { message: "x".repeat(bytes) };
    PayloadFormat::default().encode(&said).expect("the message can be written")
}
