use std::sync::Arc;

use narrows_core::{Group, HistoryRange, KeptPage, LayerError, Message, Position, Topic};

use super::Recovery;
use crate::connection::{Connection, JoinError, Link, Way};
use crate::consumer::Consumer;
use crate::hub::{Delivery, Relay};
use crate::protocol::Control;
use crate::shard::{CaughtUp, Frame, Method, Room, Waiting, written};

/// How many messages are read at once.
const PAGE: u32 = 500;

impl<C: Consumer> Connection<C> {
    /// Joins a group with a history from this position on: what the client missed is sent to it first, then what is new, without
    /// a gap and without anything twice.
    ///
    /// For sites that keep positions themselves: [`join`](Self::join) does the same from where the client says that it was.
    ///
    /// ```
    /// use narrows::{Connection, Consumer, Group, JoinError, Position, Recovery};
    ///
    /// async fn follow<C: Consumer<Out = serde_json::Value>>(
    ///     conn: &mut Connection<C>,
    ///     feed: &Group<serde_json::Value>,
    ///     seen: Position,
    /// ) -> Result<bool, JoinError> {
    ///     // When it is lost, show the feed as it is now in the place of what was missed.
    ///     Ok(conn.join_from(feed, seen).await? != Recovery::Lost)
    /// }
    /// ```
    ///
    /// # Errors
    /// [`JoinError`]; the connection is then not a member. That the history cannot be read is one, too.
    ///
    /// # Cancel safety
    /// Dropped before it is done, it joins nothing; what was missed may have been sent.
    pub async fn join_from<M>(&mut self, group: &Group<M>, position: Position) -> Result<Recovery, JoinError>
    where
        M: Message + Into<C::Out>,
    {
        let link = self.link.0.clone();
        let (topic, relay) = (group.topic(), link.relay::<C, M>());
        let recovery = if link.channels.hub().history().is_none() {
            link.enter(&topic, Some(relay), Way::Plain).await?;
            Recovery::Lost
        } else {
            Box::pin(link.recover(&topic, relay, Some(position))).await?.0
        };
        self.forget_position(group);
        Ok(recovery)
    }

    /// What this connection's client had last of a group, as it said when it came; `None` once the group was joined.
    pub fn position<M>(&self, group: &Group<M>) -> Option<Position> {
        self.spoken.as_ref()?.positions.get(group.name())
    }

    /// The group is joined: where the client was before is the past.
    fn forget_position<M>(&mut self, group: &Group<M>) {
        if let Some(spoken) = &mut self.spoken {
            spoken.take_position(group.name());
        }
    }

    /// Joins a group with a history: from where the client was, if it said so.
    pub(crate) async fn join_where_it_was<M>(&mut self, group: &Group<M>) -> Result<(), JoinError>
    where
        M: Message + Into<C::Out>,
    {
        let link = self.link.0.clone();
        let (topic, relay) = (group.topic(), link.relay::<C, M>());
        let position = self.position(group);
        let keeps = link.channels.hub().history().is_some();
        let (recovery, id) = match position {
            Some(_) if keeps => link.recover(&topic, relay, position).await?,
            None if keeps && link.protocol => link.recover(&topic, relay, None).await?,
            _ => {
                let way = if keeps { Way::Kept } else { Way::Plain };
                let id = link.enter(&topic, Some(relay), way).await?;
                (if position.is_some() { Recovery::Lost } else { Recovery::New }, id)
            }
        };
        self.forget_position(group);
        if recovery == Recovery::Lost {
            link.shard.run(move |state| state.note_lost(link.key, id)).await;
        }
        Ok(())
    }
}

/// What a member that comes back missed.
struct Missed {
    /// Where the history stands.
    top: Position,
    /// `None` when it cannot be had any more.
    messages: Option<Vec<Delivery>>,
    /// The bytes of their frames.
    bytes: usize,
}

impl Missed {
    fn nothing(top: Position) -> Self {
        Self { top, messages: Some(Vec::new()), bytes: 0 }
    }

    fn unknown(top: Position) -> Self {
        Self { top, messages: None, bytes: 0 }
    }
}

impl Link {
    /// Makes sure that this node knows where a topic with a history stands, and so notices what is missing.
    pub(crate) async fn stand(&self, topic: &Topic) -> Result<(), JoinError> {
        let hub = self.channels.hub();
        if hub.history().is_some() {
            let top = match hub.position(topic) {
                Some(_) => None,
                None => Some(self.read(topic, HistoryRange::newest(0)).await?.top),
            };
            hub.settle(topic, self.index, top);
        }
        Ok(())
    }

    /// Tells a client that speaks `narrows.v1` to forget a group's position.
    pub(crate) fn say_left(&self, group: &str) {
        if self.protocol && self.channels.hub().history().is_some() {
            let said = self.control(&Control::Left { group: group.into() });
            // A connection that is closing needs to forget nothing.
            let _ = said.map(|frame| self.send_frame(frame));
        }
    }

    /// Joins a topic with a history: what was missed since `position`, then what came meanwhile, then what is new.
    async fn recover(
        &self,
        topic: &Topic,
        relay: Relay,
        position: Option<Position>,
    ) -> Result<(Recovery, u64), JoinError> {
        let hub = self.channels.hub();
        let entering = self.begin(topic, Some(relay), Way::Held).await?;
        let id = entering.id;
        if !entering.joined {
            return Ok((Recovery::New, entering.finish()));
        }
        // All that is newer than this comes to the held member, or is found missing.
        let known = hub.position(topic);
        let missed = match (known, position) {
            (Some(top), None) => Missed::unknown(top),
            (Some(top), Some(at)) if at == top => Missed::nothing(top),
            (_, None) => Missed::unknown(self.read(topic, HistoryRange::newest(0)).await?.top),
            (_, Some(at)) => self.missed(topic, id, &relay, at).await?,
        };
        hub.settle(topic, self.index, Some(missed.top).filter(|_| known.is_none()));
        let catching = Catching::new(self, topic, id, relay, position, missed);
        let recovery = catching.run().await?;
        entering.finish();
        Ok((recovery, id))
    }

    /// Reads what came after a position.
    async fn missed(
        &self,
        topic: &Topic,
        id: u64,
        relay: &Relay,
        mut at: Position,
    ) -> Result<Missed, JoinError> {
        let room = Room::of(&self.settings.outbox);
        let format = self.channels.hub().format();
        let (mut missed, mut bytes) = (Vec::new(), 0);
        loop {
            let page = self.read(topic, HistoryRange::after(at, PAGE)).await?;
            let top = page.top;
            if !page.complete {
                return Ok(Missed::unknown(top));
            }
            // A page may be shorter than it could be, and not the last one.
            let more = page.messages.last().is_some_and(|(last, _)| *last < top.offset);
            for (offset, payload) in page.messages {
                at.offset = offset;
                let delivery = Delivery::at(id, topic, at, payload, format);
                bytes += self.write(&delivery, relay).map_or(0, |frame| frame.bytes.len());
                missed.push(delivery);
                if !room.takes(missed.len(), bytes) {
                    return Ok(Missed::unknown(top));
                }
            }
            if !more {
                return Ok(Missed { top, messages: Some(missed), bytes });
            }
        }
    }

    async fn read(&self, topic: &Topic, range: HistoryRange) -> Result<KeptPage, JoinError> {
        let Some(store) = self.channels.hub().history() else {
            return Err(JoinError::Layer(Arc::new(LayerError::Unsupported { power: "history" })));
        };
        store.read(topic, range).await.map_err(|error| JoinError::Layer(Arc::new(error)))
    }

    /// The message's frame, written the first time. Its own code runs here, while nothing is borrowed.
    fn write(&self, delivery: &Delivery, relay: &Relay) -> Option<Frame> {
        let _mark = self.shard.mark(self.settings.code(Method::Encode));
        written(delivery, relay, self.channels.counters())
    }

    /// What is said beside the messages, to a client that listens to that.
    fn control(&self, control: &Control) -> Option<Frame> {
        let frame = self.protocol.then(|| control.frame(self.settings.codec))?;
        frame.inspect_err(|error| tracing::error!(%error, "a notice cannot be written")).ok()
    }
}

/// A held member that is given what it missed and what waits for it.
struct Catching<'a> {
    link: &'a Link,
    topic: &'a Topic,
    id: u64,
    relay: Relay,
    /// The newest message that it has.
    at: Position,
    missed: std::iter::Peekable<std::vec::IntoIter<Delivery>>,
    missed_bytes: usize,
    /// The newest position when what it missed was read.
    top: Position,
    frames: Vec<Frame>,
    /// How many of them are messages.
    messages: usize,
    recovery: Recovery,
}

impl<'a> Catching<'a> {
    fn new(
        link: &'a Link,
        topic: &'a Topic,
        id: u64,
        relay: Relay,
        position: Option<Position>,
        missed: Missed,
    ) -> Self {
        let (at, recovery) = match (position, &missed.messages) {
            (None, _) => (missed.top, Recovery::New),
            (Some(_), None) => (missed.top, Recovery::Lost),
            (Some(at), Some(messages)) => (at, Recovery::Recovered { messages: messages.len() }),
        };
        let (top, missed_bytes) = (missed.top, missed.bytes);
        let missed = missed.messages.unwrap_or_default().into_iter().peekable();
        let (frames, messages) = (Vec::new(), 0);
        Self { link, topic, id, relay, at, missed, missed_bytes, top, frames, messages, recovery }
    }

    /// Gives it all there is, until nothing comes in between. On the shard's own thread that is one stretch.
    async fn run(mut self) -> Result<Recovery, JoinError> {
        let (key, id, link) = (self.link.key, self.id, self.link);
        let taken = link.shard.run(move |state| state.take_waiting(key, id)).await;
        let mut waiting = taken.flatten().ok_or(JoinError::Closed)?;
        if !waiting.room.takes(self.missed.len(), self.missed_bytes) {
            // Other joins before this one filled its outbox.
            self.pass_over(self.top);
        }
        if waiting.dropped {
            // Too much came already.
            self.pass_over(waiting.stands.unwrap_or(self.at));
            waiting.dropped = false;
        }
        let recovered = match self.recovery {
            Recovery::New => None,
            Recovery::Recovered { .. } => Some(true),
            Recovery::Lost => Some(false),
        };
        self.say(&Control::Joined { group: self.topic.name().into(), at: self.at, recovered });
        loop {
            self.merge(waiting);
            let (at, frames) =
                (self.at, (std::mem::take(&mut self.frames), std::mem::take(&mut self.messages)));
            let caught_up = link.shard.run(move |state| state.catch_up(key, id, frames, at)).await;
            match caught_up {
                Some(CaughtUp::Member) => return Ok(self.recovery),
                Some(CaughtUp::More(more)) => waiting = more,
                Some(CaughtUp::Gone) | None => return Err(JoinError::Closed),
            }
        }
    }

    /// Does without what was missed, up to this position. That is no loss to one who has yet to come.
    fn pass_over(&mut self, at: Position) {
        if self.recovery != Recovery::New {
            self.recovery = Recovery::Lost;
        }
        (self.missed, self.at) = (Vec::new().into_iter().peekable(), at);
    }

    /// What was missed and what waits, by their positions; what has none keeps its place among those that wait.
    fn merge(&mut self, waiting: Waiting) {
        if waiting.dropped {
            self.lose(waiting.stands.unwrap_or(self.at));
        }
        for delivery in waiting.deliveries {
            let Some(at) = delivery.position() else {
                self.write(&delivery);
                continue;
            };
            self.write_missed(Some(at));
            if at.epoch != self.at.epoch || at.offset > self.at.offset.saturating_add(1) {
                self.lose(Position { offset: at.offset.saturating_sub(1), ..at });
            }
            if at.offset > self.at.offset {
                self.at = at;
                self.write(&delivery);
            }
        }
        self.write_missed(None);
    }

    fn write_missed(&mut self, before: Option<Position>) {
        let is_before = |at: Position| before.is_none_or(|b| b.epoch != at.epoch || at.offset < b.offset);
        while let Some(missed) = self.missed.next_if(|missed| missed.position().is_some_and(is_before)) {
            if let Some(at) = missed.position().filter(|at| at.offset > self.at.offset) {
                self.at = at;
                self.write(&missed);
            }
        }
    }

    /// Messages up to here are lost to it.
    fn lose(&mut self, at: Position) {
        self.at = at;
        self.recovery = Recovery::Lost;
        self.say(&Control::Lost { group: self.topic.name().into(), at });
    }

    fn say(&mut self, control: &Control) {
        self.frames.extend(self.link.control(control));
    }

    fn write(&mut self, delivery: &Delivery) {
        if let Some(frame) = self.link.write(delivery, &self.relay) {
            self.frames.push(frame);
            self.messages += 1;
        }
    }
}
