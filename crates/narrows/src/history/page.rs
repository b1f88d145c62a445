use std::fmt;

use narrows_core::{Group, HistoryRange, LayerError, Message, Position};

use crate::channels::Channels;
use crate::connection::Connection;
use crate::consumer::Consumer;
use crate::stats::DropReason;

/// A part of a group's history, as [`Channels::history`] gives it.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct HistoryPage<M> {
    /// The messages with their positions, the oldest first, whatever the direction.
    pub messages: Vec<(Position, M)>,
    /// The newest position of the group, whether its message is still kept or not.
    pub top: Position,
    /// Reading after a position: that every message since then is here, or comes when it is asked for from the last one on.
    /// Reading backwards: that nothing older is kept.
    pub complete: bool,
}

impl<M> fmt::Debug for HistoryPage<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HistoryPage")
            .field("messages", &self.messages.len())
            .field("top", &self.top)
            .field("complete", &self.complete)
            .finish()
    }
}

impl Channels {
    /// Reads what is kept of a group: the newest messages, a page before a position, or what came after one.
    ///
    /// ```
    /// use std::time::Duration;
    /// use narrows::{Channels, Group, History, HistoryRange};
    /// # #[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize)]
    /// # struct Said { text: String }
    /// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
    ///
    /// let channels = Channels::new();
    /// let room = Group::new("room")?.with_history(History::new(100, Duration::from_secs(3600)));
    /// for text in ["one", "two", "three"] {
    ///     channels.broadcast(&room, &Said { text: text.into() }).await?;
    /// }
    /// let newest = channels.history(&room, HistoryRange::newest(2)).await?;
    /// assert_eq!((newest.messages[0].1.text.as_str(), newest.complete), ("two", false));
    /// let before = channels.history(&room, HistoryRange::before(newest.messages[0].0, 2)).await?;
    /// assert_eq!((before.messages[0].1.text.as_str(), before.complete), ("one", true));
    /// # Ok::<(), Box<dyn std::error::Error>>(()) })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// A message that is no `M` is left out, and counted as [`DropReason::Undecodable`]. How much one call may read is for the
    /// caller to say: a limit that comes from a client is to be bounded.
    ///
    /// # Errors
    /// [`HistoryError`] when the channel layer keeps no histories, or could not be asked.
    ///
    /// # Cancel safety
    /// A dropped call changes nothing.
    pub async fn history<M: Message>(
        &self,
        group: &Group<M>,
        range: HistoryRange,
    ) -> Result<HistoryPage<M>, HistoryError> {
        let hub = self.hub();
        let store = hub.history().ok_or(LayerError::Unsupported { power: "history" })?;
        let page = store.read(&group.topic(), range).await?;
        let mut messages = Vec::with_capacity(page.messages.len());
        for (offset, payload) in page.messages {
            match hub.format().decode::<M>(&payload) {
                Ok(message) => messages.push((Position { offset, ..page.top }, message)),
                Err(error) => {
                    self.counters().drop_of(DropReason::Undecodable, 1);
                    tracing::warn!(group = group.name(), offset, %error, "a message of a history was skipped");
                }
            }
        }
        Ok(HistoryPage { messages, top: page.top, complete: page.complete })
    }
}

impl<C: Consumer> Connection<C> {
    /// Reads what is kept of a group, as [`Channels::history`] does.
    ///
    /// # Errors
    /// As there.
    ///
    /// # Cancel safety
    /// As there.
    pub async fn history<M: Message>(
        &mut self,
        group: &Group<M>,
        range: HistoryRange,
    ) -> Result<HistoryPage<M>, HistoryError> {
        self.channels().history(group, range).await
    }
}

/// Why a group's history was not read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HistoryError {
    /// The channel layer keeps none, or could not be asked.
    #[error(transparent)]
    Layer(#[from] LayerError),
}
