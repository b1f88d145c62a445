use std::sync::LazyLock;

use bytes::Bytes;
use narrows_core::{History, LayerError, ONCE, Position, Topic};
use redis::{FromRedisValue, Script, Value};
use sha1::{Digest, Sha1};

use super::sender::Addition;
use super::{NODE, Shared, now, seconds};
use crate::histories::{self, Keeping, Place};
use crate::inlet::Inlet;
use crate::stores::{Stores, millis, unexpected};
use crate::wire::{To, Unplaced, Wire};

static PUBLISH: LazyLock<Script> = LazyLock::new(|| {
    Script::new(concat!(
        include_str!("../histories/position.lua"),
        include_str!("../histories/append.lua"),
        include_str!("channel.lua"),
        include_str!("publish.lua"),
    ))
});

/// How often a message is written again because a node has come to the group meanwhile, or left it.
const ATTEMPTS: usize = 20;

/// One message for a group's history.
struct Message<'a> {
    place: Place,
    payload: &'a [u8],
    kept: Unplaced,
    history: History,
    once: Option<String>,
}

/// On the core layer the script that writes a message for each process of a group gives it its position, and appends it.
impl Keeping for Shared {
    fn stores(&self) -> &Stores {
        &self.stores
    }

    fn wire(&self) -> &Wire {
        &self.wire
    }

    fn inlet(&self) -> &Inlet {
        &self.inlet
    }

    async fn publish_kept(
        &self,
        group: &Topic,
        payload: Bytes,
        history: History,
        id: Option<String>,
    ) -> Result<Position, LayerError> {
        let place = Place::of(&self.stores, group);
        let once = id.map(|id| place.once(&id)).transpose()?;
        let kept = histories::seal(&self.wire, &self.options, &payload)?;
        let message = Message { place, payload: &payload, kept, history, once };
        let (group, home) = (group.name(), self.host_of(group.name()));
        let deadline = self.hosts[home].link.deadline();
        for _ in 0..ATTEMPTS {
            let members = self.members(group, deadline).await?;
            let mut fan_out =
                self.fan_out(group, &members, |is_node, names| self.write(&message, is_node, names));
            let here = fan_out.take(home);
            let Some((position, is_new, done)) = self.append(&message, &members, &here).await? else {
                continue;
            };
            if !is_new {
                return Ok(position);
            }
            self.settle(group, &here, &done).await;
            // It is kept and has its place, whatever becomes of it on other hosts, which only Django processes are on.
            if let Err(error) = self.send_out(group, fan_out, deadline).await {
                tracing::debug!(group, %error, "a message that is kept did not reach all members");
            }
            return Ok(position);
        }
        Err(LayerError::Unavailable("nodes keep coming to the group and leaving it".into()))
    }
}

impl Shared {
    /// The message for one process: for a node without its position, which follows.
    fn write(&self, message: &Message<'_>, is_node: bool, names: &[&str]) -> (usize, Vec<u8>) {
        if is_node {
            let unplaced = self.wire.seal_unplaced_for(message.payload, To::List(names));
            return (unplaced.len(), unplaced.head);
        }
        let sealed = self.wire.seal_for(message.payload, Some(To::List(names)));
        (sealed.len(), sealed)
    }

    /// Where the message is now, whether it was not there before, and what became of it in each channel. `None` when other nodes are members by now.
    async fn append(
        &self,
        message: &Message<'_>,
        members: &[Vec<u8>],
        additions: &[Addition],
    ) -> Result<Option<(Position, bool, Vec<u8>)>, LayerError> {
        let Message { place, kept, history, once, .. } = message;
        let (size, ttl) = histories::bounds(*history);
        let mut call = PUBLISH.key(&place.position);
        call.key(&place.messages).key(self.group_key(place.home.name()));
        call.arg(histories::fresh_epoch()).arg(size).arg(ttl);
        call.arg(&kept.head[..]).arg(kept.ending.tail).arg(kept.ending.digits);
        match once {
            Some(once) => call.key(once).arg(millis(ONCE)),
            None => call.arg(""),
        };
        call.arg(nodes_digest(members)).arg(format!("{:.6}", now())).arg(seconds(self.options.expiry));
        for Addition { key, capacity, message, is_node, .. } in additions {
            call.key(key).arg(*capacity).arg(&message[..]).arg(u8::from(*is_node));
        }
        let answer = self.stores.call(&place.home, &call).await?;
        match answer {
            Value::Array(answers) if matches!(answers.as_slice(), [Value::BulkString(changed)] if changed.is_empty()) => {
                Ok(None)
            }
            Value::Array(mut answers) if answers.len() >= 2 => {
                let done = Vec::from_redis_value(Value::Array(answers.split_off(2)));
                let done = done.map_err(|error| LayerError::Refused(error.into()))?;
                Ok(Some((histories::position(&answers[0])?, answers[1] == Value::Int(1), done)))
            }
            other => Err(unexpected(&other)),
        }
    }
}

/// The SHA-1 by which the script knows which nodes are members.
fn nodes_digest(members: &[Vec<u8>]) -> String {
    let nodes = members.iter().filter(|member| member.starts_with(NODE.as_bytes()));
    let digest = Sha1::digest(nodes.map(Vec::as_slice).collect::<Vec<_>>().join(&b'\n'));
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}
