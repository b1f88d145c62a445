use std::sync::LazyLock;

use bytes::Bytes;
use narrows_core::{History, LayerError, ONCE, Position, Topic};
use redis::Script;

use super::Shared;
use crate::histories::{self, Keeping, Place};
use crate::inlet::Inlet;
use crate::stores::{Stores, millis};
use crate::wire::Wire;

static PUBLISH: LazyLock<Script> = LazyLock::new(|| {
    Script::new(concat!(
        include_str!("../histories/position.lua"),
        include_str!("../histories/append.lua"),
        include_str!("../histories/publish.lua"),
    ))
});

/// On the pub/sub layer a script gives a message its position, appends it and publishes it.
impl Keeping for Shared {
    fn stores(&self) -> &Stores {
        &self.stores
    }

    fn wire(&self) -> &Wire {
        &self.router.wire
    }

    fn inlet(&self) -> &Inlet {
        &self.router.inlet
    }

    async fn publish_kept(
        &self,
        group: &Topic,
        payload: Bytes,
        history: History,
        id: Option<String>,
    ) -> Result<Position, LayerError> {
        let place = Place::of(&self.stores, group);
        let message = histories::seal(&self.router.wire, &self.options, &payload)?;
        let (size, ttl) = histories::bounds(history);
        let mut publish = PUBLISH.key(&place.position);
        publish.key(&place.messages);
        if let Some(id) = id {
            publish.key(place.once(&id)?);
        }
        publish.arg(histories::fresh_epoch()).arg(size).arg(ttl);
        publish.arg(&message.head[..]).arg(message.ending.tail).arg(message.ending.digits);
        publish.arg(millis(ONCE)).arg(self.publish_command()).arg(&*self.name(group));
        histories::position(&self.stores.call(&place.home, &publish).await?)
    }
}
