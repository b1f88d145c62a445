//! What one node says of its own connections.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use futures_util::future::join_all;
use narrows_core::{Group, TopicKind};
use serde_json::Value;

use super::found::{LiveConnection, LiveConsumer, LiveFilter, LiveGroup, LiveNode};
use super::id::ConnectionId;
use crate::channels::Channels;
use crate::codec::EncodeError;
use crate::identity::SessionDigest;
use crate::shard::{Look, Shard, Wanted};
use crate::sync::Arc;

/// The most groups that one node names.
pub(super) const MAX_GROUPS: usize = 1000;

/// A node that is looked at.
pub(super) struct Here<'a> {
    pub(super) channels: &'a Channels,
    pub(super) node: u64,
}

impl Here<'_> {
    /// Up to one more than the filter's limit, so that it is known whether there are more.
    pub(super) async fn connections(&self, filter: &LiveFilter) -> Vec<LiveConnection> {
        let (mut found, most) = (Vec::new(), filter.limit.clamp(1, LiveFilter::MAX_LIMIT) + 1);
        let Some(wanted) = self.wanted(filter) else { return found };
        let after = match filter.after {
            Some(after) if after.node > self.node => return found,
            after => after.filter(|after| after.node == self.node),
        };
        let first = after.map_or(0, |after| after.shard);
        for (number, shard) in self.shards().filter(|(number, _)| *number >= first) {
            let after = after.filter(|after| after.shard == number);
            let mut next = after.map_or(Some(0), |after| after.index.checked_add(1));
            while let Some(from) = next.filter(|_| found.len() < most) {
                let (left, wanted) = (most - found.len(), wanted.clone());
                let Some(looked) = shard.run(move |state| state.look(from, left, &wanted)).await else {
                    break;
                };
                found.extend(looked.found.into_iter().map(|look| self.told(number, look)));
                next = looked.next;
                // The shard's other work comes in between, also where that is this very thread.
                tokio::task::yield_now().await;
            }
        }
        found
    }

    pub(super) async fn connection(&self, id: ConnectionId) -> Option<LiveConnection> {
        let shard = self.shard_of(id)?;
        let look = shard.run(move |state| state.look_at(id.key())).await.flatten()?;
        Some(self.told(id.shard, look))
    }

    pub(super) async fn totals(&self) -> LiveNode {
        let counts = join_all(self.shards().map(|(_, shard)| Self::count(shard))).await;
        let mut consumers = Vec::new();
        for consumer in counts.iter().flat_map(|(consumers, _)| consumers) {
            add(&mut consumers, &consumer.name, consumer.connections);
        }
        sort(&mut consumers);
        let connections = consumers.iter().map(|consumer| consumer.connections).sum();
        let queued_bytes = counts.iter().map(|(_, queued_bytes)| queued_bytes).sum();
        let (name, is_draining) = (format!("{:016x}", self.node), self.channels.is_draining());
        LiveNode { name, connections, queued_bytes, is_draining, consumers }
    }

    /// The connections of one shard by consumer, and the bytes that wait there.
    async fn count(shard: &Shard) -> (Vec<LiveConsumer>, u64) {
        let (mut consumers, mut queued_bytes) = (Vec::new(), 0);
        let mut next = Some(0);
        while let Some(from) = next {
            let Some(counted) = shard.run(move |state| state.count(from)).await else { break };
            for (name, connections) in counted.consumers {
                add(&mut consumers, name, connections);
            }
            queued_bytes += counted.queued_bytes;
            next = counted.next;
            tokio::task::yield_now().await;
        }
        (consumers, queued_bytes)
    }

    /// The largest groups that begin so, and how many there are.
    pub(super) async fn groups(&self, prefix: &str, most: usize) -> (Vec<LiveGroup>, u64) {
        // The smallest of the largest comes out first; among equals the one that is last by name.
        let (mut largest, mut count) = (BinaryHeap::<Reverse<(u64, Reverse<String>)>>::new(), 0);
        let mut next = Some((0, 0));
        while let Some(from) = next {
            next = self.channels.hub().some_topics(from, |topic, members| {
                if topic.kind() != TopicKind::Group || !topic.name().starts_with(prefix) {
                    return;
                }
                count += 1;
                let is_larger = |Reverse((least, Reverse(last))): &Reverse<(u64, Reverse<String>)>| {
                    members > *least || (members == *least && topic.name() < last.as_str())
                };
                if largest.len() < most || largest.peek().is_some_and(is_larger) {
                    largest.push(Reverse((members, Reverse(topic.name().to_owned()))));
                }
                if largest.len() > most {
                    largest.pop();
                }
            });
            tokio::task::yield_now().await;
        }
        let largest = largest.into_sorted_vec().into_iter();
        (largest.map(|Reverse((members, Reverse(name)))| LiveGroup { name, members }).collect(), count)
    }

    /// Ends a connection for good; `false` when it is not there any more.
    pub(super) async fn end(&self, id: ConnectionId, reason: &str) -> bool {
        let Some(shard) = self.shard_of(id) else { return false };
        let Some(look) = shard.run(move |state| state.look_at(id.key())).await.flatten() else {
            return false;
        };
        if let Some((number, generation)) = look.about.comes_back_as() {
            // First, so that it cannot come back between the two.
            self.channels.resumption().spend(number, generation).await;
        }
        let reason = reason.into();
        shard.run(move |state| state.dismiss(id.key(), reason)).await.unwrap_or(false)
    }

    /// Sends a value to a connection; `false` when it is not there any more.
    pub(super) async fn send(&self, id: ConnectionId, value: Value) -> Result<bool, EncodeError> {
        let Some(shard) = self.shard_of(id) else { return Ok(false) };
        shard.run(move |state| state.send_value(id.key(), &value)).await.unwrap_or(Ok(false))
    }

    /// What the shards are to look for; `None` where it is not here.
    fn wanted(&self, filter: &LiveFilter) -> Option<Wanted> {
        let topic = match &filter.group {
            None => None,
            Some(name) => Some(self.channels.hub().id(&Group::<()>::new(name).ok()?.topic())?),
        };
        let text = |text: &Option<String>| text.as_deref().map(Into::into);
        Some(Wanted { user: text(&filter.user), path: text(&filter.path), topic })
    }

    fn told(&self, shard: u16, look: Look) -> LiveConnection {
        let Look { key, settings, about, identity, topics, memberships, queued_bytes, queued_messages } =
            look;
        let identity = identity.as_ref();
        let topics = topics.into_iter().filter_map(|topic| self.channels.hub().topic(topic));
        LiveConnection {
            id: ConnectionId::new(self.node, shard, key),
            consumer: settings.name.to_owned(),
            path: about.path_text().into_owned(),
            address: about.address(),
            user: identity.and_then(|identity| identity.user()).map(str::to_owned),
            session: identity
                .and_then(|identity| identity.session())
                .map(|key| SessionDigest::of(key).to_string()),
            since: about.since(),
            groups: topics
                .filter(|topic| topic.kind() == TopicKind::Group)
                .map(|topic| topic.name().to_owned())
                .collect(),
            group_count: memberships,
            queued_bytes,
            queued_messages,
            codec: settings.codec,
            speaks_narrows: about.speaks_narrows(),
            is_resumed: about.is_resumed(),
        }
    }

    fn shard_of(&self, id: ConnectionId) -> Option<&Arc<Shard>> {
        self.channels.hub().started_shards().get(usize::from(id.shard)).filter(|_| id.node == self.node)
    }

    fn shards(&self) -> impl Iterator<Item = (u16, &Arc<Shard>)> {
        (0..).zip(self.channels.hub().started_shards())
    }
}

/// Adds the connections of one consumer.
pub(super) fn add(consumers: &mut Vec<LiveConsumer>, name: &str, connections: u64) {
    match consumers.iter_mut().find(|known| known.name == name) {
        Some(known) => known.connections += connections,
        None => consumers.push(LiveConsumer { name: name.to_owned(), connections }),
    }
}

/// Puts those with the most connections first.
pub(super) fn sort(consumers: &mut [LiveConsumer]) {
    consumers.sort_by(|a, b| b.connections.cmp(&a.connections).then_with(|| a.name.cmp(&b.name)));
}
