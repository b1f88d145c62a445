//! Histories, for the layers that keep them: one order and no hole over all nodes, bounds, ids, and pages both ways.

use std::collections::HashSet;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

use super::churn::polled;
use super::node::{Mark, Node};
use super::suite::{Failure, NODES, Suite, ensure, fail, fresh_group};
use crate::history::{History, HistoryRange, Kept, KeptPage, Position};
use crate::store::HistoryStore;
use crate::{ChannelLayer, Topic};

/// Publishers on each node: their calls overlap on one link, too.
const PUBLISHERS: u32 = 2;

/// Longer than any check takes.
const LONG: Duration = Duration::from_secs(600);

impl<L: ChannelLayer, F: AsyncFn(usize) -> Vec<L>> Suite<F> {
    /// Whatever publishes at once: all nodes get one order, with positions from 1 on that have no hole, and that is what
    /// is kept.
    ///
    /// # Errors
    /// When a position is missing, comes twice or is another message's, or a publisher's messages changed places.
    pub async fn a_history_is_one_order_without_holes_on_all_nodes(&self) -> Result<(), Failure> {
        let Some(nodes) = self.with_histories().await else { return Ok(()) };
        let topic = fresh_group();
        for node in &nodes {
            node.node.subscribe(&topic).await?;
        }
        let each = (self.burst / (NODES * PUBLISHERS as usize)).max(2) as u32;
        let total = (NODES as u32 * PUBLISHERS * each) as usize;
        let mut publishing = JoinSet::new();
        for from in 0..NODES as u32 * PUBLISHERS {
            let (node, topic) = (nodes[from as usize % NODES].clone(), topic.clone());
            publishing.spawn(async move {
                let mut told = Vec::new();
                for number in 0..each {
                    let mark = Mark { from, number };
                    told.push((node.publish(&topic, mark, History::new(10_000, LONG), None).await?, mark));
                }
                Ok(told)
            });
        }
        let mut told = Vec::new();
        for of_publisher in publishing.join_all().await {
            told.extend(of_publisher?);
        }
        told.sort_unstable_by_key(|(position, _)| position.offset);
        let kept = nodes[1].read_all(&topic, 7).await?;
        ensure(kept == told, || format!("publishers were told {told:?}, and these are kept: {kept:?}"))?;
        for (node, n) in nodes.iter().zip(0..) {
            node.node.wait_for(&topic, total).await?;
            let arrived = node.arrived(&topic)?;
            ensure(arrived == told, || format!("node {n} got {arrived:?}, and published was {told:?}"))?;
        }
        let epoch = told[0].0.epoch;
        for ((position, mark), offset) in told.iter().zip(1..) {
            let expected = Position { epoch, offset };
            ensure(*position == expected, || {
                format!("{mark:?} is at {position} in the place of {expected}")
            })?;
        }
        for from in 0..NODES as u32 * PUBLISHERS {
            let own = told.iter().filter(|(_, mark)| mark.from == from).map(|(_, mark)| mark.number);
            ensure(own.eq(0..each), || format!("publisher {from}'s messages changed places"))?;
        }
        Ok(())
    }

    /// What is published to the bare group in between comes in its place, without a position, and is not kept.
    ///
    /// # Errors
    /// When it comes elsewhere, or with a position, or takes one.
    pub async fn plain_messages_come_in_between_and_are_not_kept(&self) -> Result<(), Failure> {
        let Some(nodes) = self.with_histories().await else { return Ok(()) };
        let topic = fresh_group();
        nodes[1].node.subscribe(&topic).await?;
        let count = 30;
        for number in 0..count {
            let mark = Mark { from: 0, number };
            if number.is_multiple_of(3) {
                nodes[0].node.publish_mark(&topic, mark).await?;
            } else {
                nodes[0].publish(&topic, mark, History::new(100, LONG), None).await?;
            }
        }
        nodes[1].node.wait_for(&topic, count as usize).await?;
        let arrived = nodes[1].node.arrivals(&topic)?;
        let mut offset = 0;
        for ((position, mark), number) in arrived.iter().zip(0..) {
            ensure(mark.number == number, || format!("{mark:?} came as number {number}"))?;
            let expected = (!number.is_multiple_of(3)).then(|| {
                offset += 1;
                offset
            });
            let found = position.map(|position| position.offset);
            ensure(found == expected, || {
                format!("{mark:?} came with the offset {found:?}, not {expected:?}")
            })?;
        }
        let kept = nodes[2].read_all(&topic, 100).await?;
        ensure(kept.len() == offset as usize, || format!("{} of {offset} messages are kept", kept.len()))
    }

    /// No more messages are kept than the last publisher said, the newest; for however long it said.
    ///
    /// # Errors
    /// When there are more or others, or positions changed with the number.
    pub async fn a_history_keeps_the_newest_messages_only(&self) -> Result<(), Failure> {
        let Some(nodes) = self.with_histories().await else { return Ok(()) };
        let topic = fresh_group();
        let mut number = 0;
        for (size, count, expected) in [(5, 12, 8..=12), (9, 2, 8..=14), (3, 1, 13..=15), (1, 2, 17..=17)] {
            for _ in 0..count {
                number += 1;
                nodes[0]
                    .publish(&topic, Mark { from: 0, number }, History::new(size, Duration::MAX), None)
                    .await?;
            }
            let page = nodes[1].read(&topic, HistoryRange::newest(100)).await?;
            let offsets: Vec<_> = page.messages.iter().map(|(offset, _)| *offset).collect();
            ensure(offsets.iter().copied().eq(expected.clone()), || {
                format!("with size {size} {expected:?} are to be kept, and these are: {offsets:?}")
            })?;
            let top = page.top.offset;
            ensure(top == u64::from(number) && page.complete, || format!("the top is {top}, not {number}"))?;
        }
        Ok(())
    }

    /// Messages are kept for their time; the position goes on from where it was.
    ///
    /// # Errors
    /// When one is kept for longer or shorter, or the position began anew.
    pub async fn a_history_keeps_messages_for_their_time(&self) -> Result<(), Failure> {
        let Some(nodes) = self.with_histories().await else { return Ok(()) };
        let (topic, mark) = (fresh_group(), |number| Mark { from: 0, number });
        let (ttl, start) = (Duration::from_secs(1), Instant::now());
        let first = nodes[0].publish(&topic, mark(0), History::new(10, ttl), None).await?;
        let page = nodes[1].read(&topic, HistoryRange::newest(10)).await?;
        ensure(page.messages.len() == 1 || start.elapsed() >= ttl, || {
            "a message was not kept at all".into()
        })?;
        while !nodes[1].read(&topic, HistoryRange::newest(10)).await?.messages.is_empty() {
            ensure(start.elapsed() < ttl + self.patience, || "a message is kept for too long".into())?;
            sleep(Duration::from_millis(50)).await;
        }
        ensure(start.elapsed() >= ttl.mul_f64(0.9), || "a message was not kept for its time".into())?;
        let gone = nodes[2].read(&topic, HistoryRange::after(before(first), 10)).await?;
        ensure(gone.top == first && !gone.complete, || format!("what is over is not missing: {gone:?}"))?;
        let here = nodes[2].read(&topic, HistoryRange::after(first, 10)).await?;
        ensure(here.complete, || "who has the newest message misses nothing, kept or not".into())?;
        let second = nodes[0].publish(&topic, mark(1), History::new(10, LONG), None).await?;
        let expected = Position { offset: 2, ..first };
        ensure(second == expected, || format!("the position after {first} was {second}"))
    }

    /// Pages are read in both directions, each with its end.
    ///
    /// # Errors
    /// When a page has other messages or says otherwise of its end.
    pub async fn a_history_is_read_in_pages_both_ways(&self) -> Result<(), Failure> {
        let Some(nodes) = self.with_histories().await else { return Ok(()) };
        let (topic, top) = half_of_twenty(&nodes[0]).await?;
        let at = |offset| Position { offset, ..top };
        for (range, expected, complete) in [
            (HistoryRange::newest(3), 18..=20, false),
            (HistoryRange::newest(10), 11..=20, true),
            (HistoryRange::newest(u32::MAX), 11..=20, true),
            (HistoryRange::before(at(18), 3), 15..=17, false),
            (HistoryRange::before(at(14), 3), 11..=13, true),
            (HistoryRange::before(at(14), 30), 11..=13, true),
            (HistoryRange::before(at(21), 2), 19..=20, false),
            (HistoryRange::after(at(10), 4), 11..=14, true),
            (HistoryRange::after(at(14), 4), 15..=18, true),
            (HistoryRange::after(at(18), 40), 19..=20, true),
        ] {
            let page = nodes[1].read(&topic, range).await?;
            let offsets: Vec<_> = page.messages.iter().map(|(offset, _)| *offset).collect();
            let holds = offsets.iter().copied().eq(expected.clone()) && page.complete == complete;
            ensure(holds && page.top == top, || format!("{range:?} gave {offsets:?} of {page:?}"))?;
            for (offset, payload) in &page.messages {
                let mark = Mark::read(payload, nodes[1].node.format())?;
                ensure(u64::from(mark.number) == *offset, || format!("{mark:?} is read at {offset}"))?;
            }
        }
        for (range, complete) in [
            (HistoryRange::newest(0), false),
            (HistoryRange::before(at(11), 5), true),
            (HistoryRange::before(at(0), 5), true),
            (HistoryRange::after(top, 5), true),
            (HistoryRange::after(at(12), 0), true),
        ] {
            let page = nodes[1].read(&topic, range).await?;
            let holds = page.messages.is_empty() && page.complete == complete && page.top == top;
            ensure(holds, || format!("{range:?} gave {page:?}"))?;
        }
        Ok(())
    }

    /// Who comes with a position from which on not everything is kept is told so.
    ///
    /// # Errors
    /// When it is told otherwise.
    pub async fn a_history_says_when_messages_are_missing(&self) -> Result<(), Failure> {
        let Some(nodes) = self.with_histories().await else { return Ok(()) };
        let (topic, top) = half_of_twenty(&nodes[0]).await?;
        let at = |offset| Position { offset, ..top };
        let other = Position { epoch: !top.epoch, ..top };
        for (what, position) in [
            ("older than what is kept", at(9)),
            ("before all", at(0)),
            ("ahead of the newest", at(21)),
            ("ahead of all that can be", at(u64::MAX)),
            ("of another epoch", other),
            ("of another epoch, before all", before(other)),
        ] {
            let page = nodes[1].read(&topic, HistoryRange::after(position, 5)).await?;
            let holds = !page.complete && page.top == top;
            ensure(holds, || format!("a position {what} gave {page:?}"))?;
        }
        let page = nodes[1].read(&topic, HistoryRange::before(other, 5)).await?;
        let holds = page.messages.is_empty() && page.complete && page.top == top;
        ensure(holds, || format!("nothing is before a position of another epoch, and this came: {page:?}"))
    }

    /// The position of a history without messages is a promise: what is published then has offset 1 of that epoch.
    ///
    /// # Errors
    /// When it has another position, or nodes are told different ones.
    pub async fn an_unknown_history_says_where_it_will_begin(&self) -> Result<(), Failure> {
        let Some(nodes) = self.with_histories().await else { return Ok(()) };
        let topic = fresh_group();
        let tops = [nodes[0].read(&topic, HistoryRange::newest(5)).await?, {
            let position = Position { epoch: 1, offset: 3 };
            nodes[1].read(&topic, HistoryRange::after(position, 5)).await?
        }];
        ensure(tops[0].messages.is_empty() && tops[0].complete, || {
            format!("nothing is kept: {:?}", tops[0])
        })?;
        ensure(!tops[1].complete, || "a position of another epoch was taken for one of this".into())?;
        let top = tops[0].top;
        ensure(tops[1].top == top && top.offset == 0, || format!("the tops of an empty history: {tops:?}"))?;
        let page = nodes[2].read(&topic, HistoryRange::after(top, 5)).await?;
        ensure(page.complete, || format!("nothing is missing after the top: {page:?}"))?;
        let first =
            nodes[2].publish(&topic, Mark { from: 0, number: 0 }, History::new(5, LONG), None).await?;
        let expected = Position { offset: 1, ..top };
        ensure(first == expected, || format!("the first message is at {first} in the place of {expected}"))?;
        let other = nodes[0].read(&fresh_group(), HistoryRange::newest(5)).await?;
        ensure(other.top.epoch != top.epoch, || "two groups have one epoch".into())
    }

    /// A message with an id that was published is not published again, whoever tries; each group has ids of its own.
    ///
    /// # Errors
    /// When it comes twice, or not at all, or its position is not told.
    pub async fn an_id_is_published_once(&self) -> Result<(), Failure> {
        let Some(nodes) = self.with_histories().await else { return Ok(()) };
        let groups = [fresh_group(), fresh_group()];
        let ids = ["a".to_owned(), "b".repeat(128), "ü 1.2:3{}\0\n".to_owned()];
        for group in &groups {
            nodes[0].node.subscribe(group).await?;
        }
        for (group, of_group) in groups.iter().zip(0..) {
            for (id, of_id) in ids.iter().zip(0..) {
                let mark = Mark { from: of_group, number: of_id };
                let mut publishing = JoinSet::new();
                for n in 0..3 * NODES {
                    let (node, group, id) = (nodes[n % NODES].clone(), group.clone(), id.clone());
                    let history = History::new(50, LONG);
                    publishing.spawn(async move { node.publish(&group, mark, history, Some(&id)).await });
                }
                let told: Result<HashSet<_>, _> = publishing.join_all().await.into_iter().collect();
                let told = told?;
                ensure(told.len() == 1, || format!("one id was published at {told:?}"))?;
            }
        }
        for (group, of_group) in groups.iter().zip(0..) {
            let kept = nodes[1].read_all(group, 50).await?;
            let numbers: Vec<_> = kept.iter().map(|(_, mark)| (mark.from, mark.number)).collect();
            let expected: Vec<_> = (0..ids.len() as u32).map(|id| (of_group, id)).collect();
            ensure(numbers == expected, || format!("{numbers:?} is kept, and {expected:?} was published"))?;
            nodes[0].node.wait_for(group, ids.len()).await?;
            sleep(self.quiet).await;
            let arrived = nodes[0].arrived(group)?;
            ensure(arrived == kept, || format!("{arrived:?} arrived, and {kept:?} is kept"))?;
        }
        Ok(())
    }

    /// Calls that are dropped on the way publish a message or none, and leave no hole.
    ///
    /// # Errors
    /// When positions have a hole afterwards, or what arrived is not what is kept.
    pub async fn dropped_publishes_leave_no_hole_in_a_history(&self) -> Result<(), Failure> {
        let Some(nodes) = self.with_histories().await else { return Ok(()) };
        let (topic, history) = (fresh_group(), History::new(1000, LONG));
        nodes[1].node.subscribe(&topic).await?;
        for number in 0..60 {
            let node = &nodes[number as usize % NODES];
            let payload = Mark { from: 0, number }.payload(node.node.format());
            let id = number.to_string();
            let call = node.store.publish(&topic, payload, history, Some(&id));
            polled(number % 4, pin!(call)).await;
        }
        // The last of all, so that what is under way comes to an end before it.
        for (node, from) in nodes.iter().zip(1..) {
            node.publish(&topic, Mark { from, number: 0 }, history, None).await?;
        }
        sleep(self.quiet).await;
        let kept = nodes[2].read_all(&topic, 100).await?;
        nodes[1].node.wait_for(&topic, kept.len()).await?;
        let arrived = nodes[1].arrived(&topic)?;
        ensure(arrived == kept, || format!("{arrived:?} arrived, and {kept:?} is kept"))?;
        for ((position, mark), offset) in kept.iter().zip(1..) {
            ensure(position.offset == offset, || format!("{mark:?} is at {position}, and not at {offset}"))?;
        }
        let marks: HashSet<_> = kept.iter().map(|(_, mark)| *mark).collect();
        ensure(marks.len() == kept.len(), || "a dropped message was published twice".into())
    }

    /// The nodes with their histories; `None` where the layer keeps none.
    async fn with_histories(&self) -> Option<Vec<Arc<Keeper<L>>>> {
        let nodes = self.start().await;
        let keeper = |node: Arc<Node<L>>| {
            let store = node.layer.history()?;
            Some(Arc::new(Keeper { node, store, patience: self.patience }))
        };
        nodes.into_iter().map(keeper).collect()
    }
}

/// A node whose layer keeps histories.
struct Keeper<L> {
    node: Arc<Node<L>>,
    store: HistoryStore,
    patience: Duration,
}

impl<L: ChannelLayer> Keeper<L> {
    /// By turns in both ways, where the store has both: they are to be one order.
    async fn publish(
        &self,
        topic: &Topic,
        mark: Mark,
        history: History,
        id: Option<&str>,
    ) -> Result<Position, Failure> {
        let payload = mark.payload(self.node.format());
        let now = if mark.number.is_multiple_of(2) {
            self.store.publish_now(topic, &payload, history, id)
        } else {
            None
        };
        match now {
            Some(published) => self.answered("publish_now", topic, Box::pin(async { published })).await,
            None => self.answered("publish", topic, self.store.publish(topic, payload, history, id)).await,
        }
    }

    async fn read(&self, topic: &Topic, range: HistoryRange) -> Result<KeptPage, Failure> {
        self.answered("read", topic, self.store.read(topic, range)).await
    }

    /// All that is kept, read forwards from the oldest in pages of this size.
    async fn read_all(&self, topic: &Topic, page: u32) -> Result<Vec<(Position, Mark)>, Failure> {
        let newest = self.read(topic, HistoryRange::newest(u32::MAX)).await?;
        let Some((first, _)) = newest.messages.first() else { return Ok(Vec::new()) };
        let (mut all, top) = (Vec::new(), newest.top);
        let mut at = Position { offset: first - 1, ..top };
        while at.offset < top.offset {
            let read = self.read(topic, HistoryRange::after(at, page)).await?;
            let Some((last, _)) = read.messages.last() else {
                return fail(format!("nothing is kept after {at}, and the top is {top}"));
            };
            at.offset = *last;
            ensure(read.complete, || format!("messages are missing: {read:?}"))?;
            for (offset, payload) in &read.messages {
                let mark = Mark::read(payload, self.node.format())?;
                all.push((Position { offset: *offset, ..top }, mark));
            }
        }
        let expected: Vec<(u64, Bytes)> = newest.messages;
        let same = all.iter().map(|(position, _)| position.offset).eq(expected.iter().map(|(n, _)| *n));
        ensure(same, || format!("forwards and backwards differ: {all:?} and {expected:?}"))?;
        Ok(all)
    }

    /// What arrived, all of it with positions.
    fn arrived(&self, topic: &Topic) -> Result<Vec<(Position, Mark)>, Failure> {
        let positioned = |(position, mark): (Option<Position>, Mark)| match position {
            Some(position) => Ok((position, mark)),
            None => fail(format!("{mark:?} arrived without a position")),
        };
        self.node.arrivals(topic)?.into_iter().map(positioned).collect()
    }

    async fn answered<T>(&self, call: &str, topic: &Topic, answer: Kept<'_, T>) -> Result<T, Failure> {
        match timeout(self.patience, answer).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => fail(format!("{call} in the history of {topic} failed: {error}")),
            Err(_) => fail(format!("{call} in the history of {topic} did not answer in {:?}", self.patience)),
        }
    }
}

/// A group of whose twenty messages the newer ten are kept, and the position of the last.
async fn half_of_twenty<L: ChannelLayer>(node: &Keeper<L>) -> Result<(Topic, Position), Failure> {
    let topic = fresh_group();
    let mut top = Position { epoch: 0, offset: 0 };
    for number in 1..=20 {
        top = node.publish(&topic, Mark { from: 0, number }, History::new(10, LONG), None).await?;
    }
    Ok((topic, top))
}

fn before(position: Position) -> Position {
    Position { offset: position.offset - 1, ..position }
}
