use narrows_core::{Group, LayerError, Message, Position, Topic};

use crate::channels::{BroadcastError, Channels};
use crate::connection::Connection;
use crate::consumer::Consumer;
use crate::hub::Hub;

/// Longest id of a message, in bytes.
const MAX_ID: usize = 128;

impl Channels {
    /// Sends a message to every member of a group once, however often this is called with the same `id` within five minutes, on
    /// whichever node: for senders that try again when they do not know whether they were heard.
    ///
    /// It gives the message's position, where the group has a [history](narrows_core::History) and the channel layer keeps it.
    /// Otherwise nobody can know what was sent before: the message is sent as by [`broadcast`](Self::broadcast), and `None` says so.
    ///
    /// ```
    /// use std::time::Duration;
    /// use narrows::{Channels, Group, History};
    /// # #[derive(serde::Serialize, serde::Deserialize)]
    /// # struct Paid { order: u32 }
    /// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
    ///
    /// let channels = Channels::new();
    /// let till = Group::new("till")?.with_history(History::new(100, Duration::from_secs(3600)));
    /// let first = channels.broadcast_once(&till, &Paid { order: 7 }, "order-7").await?;
    /// let again = channels.broadcast_once(&till, &Paid { order: 7 }, "order-7").await?;
    /// assert_eq!(first, again);
    /// # Ok::<(), Box<dyn std::error::Error>>(()) })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As for [`broadcast`](Self::broadcast), and [`BroadcastError::Id`] for an id that is empty or has more than 128 bytes.
    ///
    /// # Cancel safety
    /// As for [`broadcast`](Self::broadcast).
    pub async fn broadcast_once<M: Message>(
        &self,
        group: &Group<M>,
        msg: &M,
        id: &str,
    ) -> Result<Option<Position>, BroadcastError> {
        if id.is_empty() || id.len() > MAX_ID {
            return Err(BroadcastError::Id { bytes: id.len() });
        }
        self.broadcast_with(group, msg, Some(id)).await
    }

    pub(crate) async fn broadcast_with<M: Message>(
        &self,
        group: &Group<M>,
        msg: &M,
        id: Option<&str>,
    ) -> Result<Option<Position>, BroadcastError> {
        let payload = self.hub().format().encode(msg)?;
        match group.history() {
            None => {
                self.hub().publish(&group.topic(), payload).await?;
                Ok(None)
            }
            Some(history) => Ok(self.hub().publish_at(&group.topic(), payload, history, id).await?),
        }
    }
}

impl<C: Consumer> Connection<C> {
    /// Sends a message to every member of a group once, however often the client sends the message that is being handled: a client
    /// that speaks `narrows.v1` sends it again when it does not know whether it arrived.
    ///
    /// Otherwise as [`broadcast`](Self::broadcast), and as [`Channels::broadcast_once`] where the message has a `ref`. A handler
    /// may call it several times: each call is told from the others by its place among them, so a handler that runs again for
    /// the same message makes the same calls in the same order. One that failed may be made again, and keeps its place.
    ///
    /// # Errors
    /// As there.
    ///
    /// # Cancel safety
    /// As there.
    pub async fn broadcast_once<M: Message>(
        &mut self,
        group: &Group<M>,
        msg: &M,
    ) -> Result<Option<Position>, BroadcastError> {
        let id = self.next_id();
        let sent = self.link.0.channels.broadcast_with(group, msg, id.as_deref()).await;
        if sent.is_err() {
            self.put_back(id);
        }
        sent
    }

    /// The id of what is broadcast once for the message that is being handled.
    pub(crate) fn next_id(&mut self) -> Option<Box<str>> {
        self.spoken.as_mut().and_then(|spoken| spoken.next_id())
    }

    /// The broadcast failed: the next may be another attempt.
    pub(crate) fn put_back(&mut self, id: Option<Box<str>>) {
        if let Some(spoken) = &mut self.spoken {
            spoken.message_id = id;
        }
    }
}

impl Hub {
    /// Publishes through the layer's histories, where it keeps any; the position of the message there.
    pub(crate) async fn publish_at(
        &self,
        topic: &Topic,
        payload: bytes::Bytes,
        history: narrows_core::History,
        id: Option<&str>,
    ) -> Result<Option<Position>, LayerError> {
        let Some(store) = self.history() else {
            self.publish(topic, payload).await?;
            return Ok(None);
        };
        let position = match store.publish_now(topic, &payload, history, id) {
            Some(published) => published?,
            None => store.publish(topic, payload, history, id).await?,
        };
        self.room().await;
        Ok(Some(position))
    }
}
