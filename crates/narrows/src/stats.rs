use std::sync::atomic::{AtomicU64, Ordering};

use narrows_core::Skipped;

/// Why a message was not delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DropReason {
    /// [`Overflow::DropOldest`](crate::Overflow) made room in an outbox.
    OutboxOldest,
    /// [`Overflow::DropNewest`](crate::Overflow) kept an outbox as it was.
    OutboxNewest,
    /// [`Overflow::KeepLatest`](crate::Overflow) replaced it by a newer one with its key.
    OutboxReplaced,
    /// It waited for a client that was then closed as too slow.
    SlowConsumer,
    /// It waited for a client whose connection ended.
    ConnectionEnded,
    /// An inbox was full.
    Inbox,
    /// A shard had more to deliver than it keeps.
    ShardBacklog,
    /// It could not be read as the type of its group or channel.
    Undecodable,
    /// It could not be written for the client.
    Unencodable,
    /// A [`Worker`](crate::Worker) on a layer without queues had more waiting than its
    /// [`backlog`](crate::Worker::backlog).
    WorkerBacklog,
    /// It waited for a [`Worker`](crate::Worker) that ended, or its handler was cut off by the worker's end.
    WorkerEnded,
    /// [`Skipped::Malformed`]: the channel layer got it, and it is no message.
    LayerMalformed,
    /// [`Skipped::Undecryptable`]: none of the channel layer's keys opened it.
    LayerUndecryptable,
    /// [`Skipped::Oversized`]: it was larger than the channel layer takes.
    LayerOversized,
    /// [`Skipped::Foreign`]: the channel layer got it for somebody who is not here.
    LayerForeign,
    /// [`Skipped::Expired`]: it was older than the channel layer keeps messages.
    LayerExpired,
    /// [`Skipped::Full`]: its receiver had as many unread messages as the channel layer keeps.
    LayerFull,
}

impl DropReason {
    const ALL: [Self; 17] = [
        Self::OutboxOldest,
        Self::OutboxNewest,
        Self::OutboxReplaced,
        Self::SlowConsumer,
        Self::ConnectionEnded,
        Self::Inbox,
        Self::ShardBacklog,
        Self::Undecodable,
        Self::Unencodable,
        Self::WorkerBacklog,
        Self::WorkerEnded,
        Self::LayerMalformed,
        Self::LayerUndecryptable,
        Self::LayerOversized,
        Self::LayerForeign,
        Self::LayerExpired,
        Self::LayerFull,
    ];

    /// The name under which metrics show it.
    pub fn name(self) -> &'static str {
        match self {
            Self::OutboxOldest => "outbox_oldest",
            Self::OutboxNewest => "outbox_newest",
            Self::OutboxReplaced => "outbox_replaced",
            Self::SlowConsumer => "slow_consumer",
            Self::ConnectionEnded => "connection_ended",
            Self::Inbox => "inbox",
            Self::ShardBacklog => "shard_backlog",
            Self::Undecodable => "undecodable",
            Self::Unencodable => "unencodable",
            Self::WorkerBacklog => "worker_backlog",
            Self::WorkerEnded => "worker_ended",
            Self::LayerMalformed => "layer_malformed",
            Self::LayerUndecryptable => "layer_undecryptable",
            Self::LayerOversized => "layer_oversized",
            Self::LayerForeign => "layer_foreign",
            Self::LayerExpired => "layer_expired",
            Self::LayerFull => "layer_full",
        }
    }

    pub(crate) fn of(skipped: Skipped) -> Self {
        match skipped {
            Skipped::Undecryptable => Self::LayerUndecryptable,
            Skipped::Oversized => Self::LayerOversized,
            Skipped::Foreign => Self::LayerForeign,
            Skipped::Expired => Self::LayerExpired,
            Skipped::Full => Self::LayerFull,
            // `Malformed`; the compiler cannot know that there are no more, and the test below does.
            _ => Self::LayerMalformed,
        }
    }
}

/// What a node has done so far, as [`Channels::stats`](crate::Channels::stats) gives it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Stats {
    /// Connections open now, counted from the handshake on.
    pub connections: u64,
    /// Handshakes that ended in an accepted connection, ever.
    pub accepted: u64,
    /// Handshakes refused: by a consumer, a limit, the origin check or a time-out.
    pub refused: u64,
    /// Messages received from clients.
    pub received: u64,
    /// Messages handed to members of groups: one broadcast to ten members counts ten.
    pub delivered: u64,
    /// How often a handler, or other code of the site's, held its shard up for longer than
    /// [`long_handler`](crate::Limits::long_handler). Waiting is not holding up.
    pub long_handlers: u64,
    /// How often a shard was found stalled: held up by a single call for more than a second, and so for as long as
    /// that call goes on. It is seen while it lasts, in contrast to `long_handlers`.
    pub stalls: u64,
    /// Shards that are stalled now.
    pub stalled_shards: u64,
    /// How often the channel layer said that messages may have been lost.
    pub gaps: u64,
    /// Messages of groups with a history that were missing on this node, and were read from there.
    pub refilled: u64,
    /// How often messages of a group with a history were missing on this node, and could not be had any more.
    pub unrecovered: u64,
    /// Messages that [`Worker`](crate::Worker)s handled.
    pub handled: u64,
    /// Messages over which a [`Worker`](crate::Worker)'s handler failed or panicked.
    pub failed: u64,
    /// Connections that have an [`Identity`](crate::Identity) now.
    pub identities: u64,
    /// Connections, and handshakes, ended by [`Channels::end_session`](crate::Channels::end_session) and the like, on
    /// whichever node.
    pub ended_by_notice: u64,
    /// Connections ended as the time of their identity was over, and no check said otherwise.
    pub ended_by_expiry: u64,
    /// Connections ended as a check said that their identity does not hold.
    pub ended_by_check: u64,
    /// Calls of an [`IdentityCheck`](crate::IdentityCheck) that failed, panicked or took too long.
    pub failed_checks: u64,
    /// How often connections of this node stand in the presence of a group now.
    pub tracked: u64,
    drops: [u64; DropReason::ALL.len()],
}

impl Stats {
    /// How many messages were dropped for this reason.
    pub fn dropped(&self, reason: DropReason) -> u64 {
        self.drops[reason as usize]
    }

    /// Every reason with its count.
    pub fn drops(&self) -> impl Iterator<Item = (DropReason, u64)> {
        DropReason::ALL.into_iter().zip(self.drops)
    }
}

/// What a shard counts with each message. Only its own thread writes, so no other is waited for; on a cache line of
/// its own.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(crate) struct Tally {
    received: AtomicU64,
    delivered: AtomicU64,
}

impl Tally {
    pub(crate) fn receive(&self) {
        Self::add(&self.received, 1);
    }

    pub(crate) fn deliver(&self, count: usize) {
        Self::add(&self.delivered, count as u64);
    }

    /// Cheaper than an atomic addition, which one writer does not need.
    fn add(counter: &AtomicU64, count: u64) {
        counter.store(counter.load(Ordering::Relaxed) + count, Ordering::Relaxed);
    }
}

#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) connections: AtomicU64,
    pub(crate) accepted: AtomicU64,
    pub(crate) refused: AtomicU64,
    pub(crate) long_handlers: AtomicU64,
    pub(crate) stalls: AtomicU64,
    pub(crate) stalled_shards: AtomicU64,
    pub(crate) gaps: AtomicU64,
    pub(crate) refilled: AtomicU64,
    pub(crate) unrecovered: AtomicU64,
    pub(crate) handled: AtomicU64,
    pub(crate) failed: AtomicU64,
    pub(crate) identities: AtomicU64,
    pub(crate) ended_by_notice: AtomicU64,
    pub(crate) ended_by_expiry: AtomicU64,
    pub(crate) ended_by_check: AtomicU64,
    pub(crate) failed_checks: AtomicU64,
    pub(crate) tracked: AtomicU64,
    drops: [AtomicU64; DropReason::ALL.len()],
}

impl Counters {
    pub(crate) fn drop_of(&self, reason: DropReason, count: usize) {
        if count > 0 {
            self.drops[reason as usize].fetch_add(count as u64, Ordering::Relaxed);
        }
    }

    /// All counts of the node, those of its shards included.
    pub(crate) fn read<'a>(&self, shards: impl IntoIterator<Item = &'a Tally>) -> Stats {
        let get = |c: &AtomicU64| c.load(Ordering::Relaxed);
        let mut stats = Stats {
            connections: get(&self.connections),
            accepted: get(&self.accepted),
            refused: get(&self.refused),
            received: 0,
            delivered: 0,
            long_handlers: get(&self.long_handlers),
            stalls: get(&self.stalls),
            stalled_shards: get(&self.stalled_shards),
            gaps: get(&self.gaps),
            refilled: get(&self.refilled),
            unrecovered: get(&self.unrecovered),
            handled: get(&self.handled),
            failed: get(&self.failed),
            identities: get(&self.identities),
            ended_by_notice: get(&self.ended_by_notice),
            ended_by_expiry: get(&self.ended_by_expiry),
            ended_by_check: get(&self.ended_by_check),
            failed_checks: get(&self.failed_checks),
            tracked: get(&self.tracked),
            drops: std::array::from_fn(|i| get(&self.drops[i])),
        };
        for tally in shards {
            stats.received += get(&tally.received);
            stats.delivered += get(&tally.delivered);
        }
        stats
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_layer_skipped_is_counted_under_the_layers_own_name_for_it() {
        for skipped in Skipped::ALL {
            assert_eq!(DropReason::of(skipped).name(), format!("layer_{}", skipped.name()));
        }
    }

    #[test]
    fn each_reason_is_counted_in_its_own_place() {
        let counters = Counters::default();
        for (reason, count) in DropReason::ALL.into_iter().zip(1..) {
            counters.drop_of(reason, count);
        }
        let expected = DropReason::ALL.into_iter().zip(1..);
        assert!(counters.read([]).drops().eq(expected));
    }
}
