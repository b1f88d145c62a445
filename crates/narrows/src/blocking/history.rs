use narrows_core::{Group, HistoryRange, LayerError, Message, Position};

use super::{BlockingConnection, BlockingConsumer};
use crate::channels::BroadcastError;
use crate::connection::JoinError;
use crate::history::{HistoryError, HistoryPage, Recovery};

impl<C: BlockingConsumer> BlockingConnection<C> {
    /// Joins a group with a history from this position on, as [`Connection::join_from`](crate::Connection::join_from) does.
    ///
    /// # Errors
    /// [`JoinError`]; the connection is then not a member.
    pub fn join_from<M: Message>(
        &mut self,
        group: &Group<M>,
        position: Position,
    ) -> Result<Recovery, JoinError>
    where
        C::Out: From<M>,
    {
        let group = group.clone();
        let joined = self.ask(move |conn| Box::pin(async move { conn.join_from(&group, position).await }));
        joined.unwrap_or(Err(JoinError::Closed))
    }

    /// What this connection's client had last of a group, as [`Connection::position`](crate::Connection::position) says.
    pub fn position<M: 'static>(&mut self, group: &Group<M>) -> Option<Position> {
        let group = group.clone();
        self.ask(move |conn| Box::pin(std::future::ready(conn.position(&group)))).flatten()
    }

    /// Sends a message to every member of a group once, as [`Connection::broadcast_once`](crate::Connection::broadcast_once)
    /// does.
    ///
    /// # Errors
    /// As there.
    pub fn broadcast_once<M: Message>(
        &mut self,
        group: &Group<M>,
        msg: &M,
    ) -> Result<Option<Position>, BroadcastError> {
        self.publish(group, msg, true)
    }

    /// The message is written here, on the pool's thread.
    pub(super) fn publish<M: Message>(
        &mut self,
        group: &Group<M>,
        msg: &M,
        once: bool,
    ) -> Result<Option<Position>, BroadcastError> {
        let payload = self.channels().hub().format().encode(msg)?;
        let (topic, history) = (group.topic(), group.history());
        let published = self.ask(move |conn| {
            Box::pin(async move {
                let id = if once { conn.next_id() } else { None };
                let hub = conn.link.0.channels.hub();
                let published = match history {
                    None => hub.publish(&topic, payload).await.map(|()| None),
                    Some(history) => hub.publish_at(&topic, payload, history, id.as_deref()).await,
                };
                if once && published.is_err() {
                    conn.put_back(id);
                }
                published
            })
        });
        Ok(published.unwrap_or(Err(LayerError::Closed))?)
    }

    /// Reads what is kept of a group, as [`Channels::history`](crate::Channels::history) does.
    ///
    /// # Errors
    /// As there.
    pub fn history<M: Message>(
        &mut self,
        group: &Group<M>,
        range: HistoryRange,
    ) -> Result<HistoryPage<M>, HistoryError> {
        let group = group.clone();
        let read = self.ask(move |conn| Box::pin(async move { conn.history(&group, range).await }));
        read.unwrap_or(Err(HistoryError::Layer(LayerError::Closed)))
    }
}
