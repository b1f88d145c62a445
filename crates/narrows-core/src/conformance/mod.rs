//! The suite that every channel layer runs: each promise of [`ChannelLayer`](crate::ChannelLayer) as a test.
//!
//! ```
//! # mod layer {
//! # use std::{collections::HashSet, sync::{Arc, Mutex}};
//! # use bytes::Bytes;
//! # use narrows_core::{ChannelLayer, Inbound, LayerError, Topic};
//! # type Nodes = Vec<(HashSet<Topic>, Inbound)>;
//! # #[derive(Clone, Default)]
//! # pub struct MyLayer { nodes: Arc<Mutex<Nodes>>, me: Arc<std::sync::OnceLock<usize>> }
//! # impl MyLayer {
//! #     pub fn beside(other: &Self) -> Self { Self { nodes: other.nodes.clone(), me: Arc::default() } }
//! #     fn wants<R>(&self, work: impl FnOnce(&mut HashSet<Topic>) -> R) -> R {
//! #         work(&mut self.nodes.lock().unwrap()[*self.me.get().unwrap()].0)
//! #     }
//! # }
//! # impl ChannelLayer for MyLayer {
//! #     fn start(&self, inbound: Inbound) {
//! #         let mut nodes = self.nodes.lock().unwrap();
//! #         self.me.set(nodes.len()).unwrap();
//! #         nodes.push((HashSet::new(), inbound));
//! #     }
//! #     async fn subscribe(&self, topic: &Topic) -> Result<(), LayerError> {
//! #         self.wants(|topics| drop(topics.insert(topic.clone())));
//! #         Ok(())
//! #     }
//! #     async fn unsubscribe(&self, topic: &Topic) -> Result<(), LayerError> {
//! #         self.wants(|topics| drop(topics.remove(topic)));
//! #         Ok(())
//! #     }
//! #     async fn publish(&self, topic: &Topic, payload: Bytes) -> Result<(), LayerError> {
//! #         for (_, inbound) in self.nodes.lock().unwrap().iter().filter(|(t, _)| t.contains(topic)) {
//! #             inbound.deliver(topic, payload.clone());
//! #         }
//! #         Ok(())
//! #     }
//! #     fn new_channel(&self) -> String {
//! #         static NEXT: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
//! #         format!("specific.mine!{}", NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed))
//! #     }
//! # }
//! # }
//! # use layer::MyLayer;
//! use narrows_core::conformance::Suite;
//!
//! /// So many nodes on one bus.
//! async fn nodes(count: usize) -> Vec<MyLayer> {
//!     let first = MyLayer::default();
//!     (0..count).map(|_| MyLayer::beside(&first)).collect()
//! }
//!
//! // One `#[test]` for each promise, so that a failure names what is broken:
//! narrows_core::conformance!(Suite::new(nodes));
//!
//! // Or all of them in a test of one's own:
//! # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
//! Suite::new(nodes).run().await?;
//! # Ok::<(), narrows_core::conformance::Failure>(()) })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The checks of queues pass where [`ChannelLayer::open`](crate::ChannelLayer::open) gives none, and so do those of
//! histories, presence and claims without [`ChannelLayer::history`](crate::ChannelLayer::history),
//! [`ChannelLayer::presence`](crate::ChannelLayer::presence) and [`ChannelLayer::claims`](crate::ChannelLayer::claims).
//!
//! What it cannot check from outside is what a layer does while its link is down; a layer tests that itself.

mod churn;
mod claims;
mod delivery;
mod histories;
#[cfg(test)]
mod history_tests;
mod names;
mod node;
mod order;
mod payloads;
mod presences;
mod queues;
mod suite;
#[cfg(test)]
mod tests;

pub use self::suite::{Failure, Suite};

/// Runs one check on a runtime of several threads, as the races that it looks for need.
#[doc(hidden)]
pub fn assert_passes(check: impl Future<Output = Result<(), Failure>>) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build();
    if let Err(failure) = runtime.expect("a runtime for the test").block_on(check) {
        panic!("{failure}");
    }
}

/// Makes one `#[test]` of each check of the [conformance suite](mod@crate::conformance).
///
/// ```
/// # use narrows_core::conformance::Suite;
/// // The expression stands in each test's body: where there is nothing to test against it may return.
/// narrows_core::conformance!({
///     if std::env::var_os("MY_BROKER").is_none() {
///         return;
///     }
///     Suite::new(nodes)
/// });
/// ```
///
/// A macro, because only an item with a name of its own is a test that a failure can name.
#[macro_export]
macro_rules! conformance {
    (@tests ($suite:expr) $($check:ident)*) => {
        $(
            #[test]
            fn $check() {
                let suite = $suite;
                $crate::conformance::assert_passes(async move { suite.$check().await });
            }
        )*
    };
    (@all ($suite:expr) $($check:ident)*) => {
        [$((stringify!($check), $suite.$check().await)),*]
    };
    // The one list of all checks.
    (@each $what:ident $suite:tt) => {
        $crate::conformance! { @$what $suite
            a_subscribed_node_gets_what_any_node_publishes
            an_unsubscribed_node_gets_nothing_more_and_can_subscribe_again
            every_message_arrives_exactly_once_at_each_node
            publishing_to_nobody_is_fine
            groups_and_channels_of_one_name_do_not_mix
            many_topics_stay_apart
            all_nodes_see_one_order_and_every_publishers_own
            payloads_arrive_byte_for_byte
            new_channels_are_legal_and_unique_over_nodes
            churn_loses_nothing_that_was_promised
            dropped_calls_leave_the_layer_sane
            each_message_of_a_queue_goes_to_exactly_one_taker
            a_queue_keeps_every_publishers_order
            dropped_takes_lose_nothing
            a_closed_queue_gives_back_what_was_not_taken
            a_history_is_one_order_without_holes_on_all_nodes
            plain_messages_come_in_between_and_are_not_kept
            a_history_keeps_the_newest_messages_only
            a_history_keeps_messages_for_their_time
            a_history_is_read_in_pages_both_ways
            a_history_says_when_messages_are_missing
            an_unknown_history_says_where_it_will_begin
            an_id_is_published_once
            dropped_publishes_leave_no_hole_in_a_history
            a_key_joins_with_its_first_connection_and_leaves_with_its_last
            what_cancels_out_between_two_takes_is_no_change
            what_a_roster_showed_does_not_cancel_out
            a_key_lists_a_bounded_number_of_metas
            a_diff_lists_a_bounded_number_of_keys
            a_roster_is_read_in_pages_while_keys_come_and_go
            the_connections_of_a_dead_node_leave_once
            a_renewal_tells_when_another_lease_ends
            a_connection_that_another_node_tracks_stays_when_the_first_one_lets_go
            a_node_puts_back_what_no_other_one_tracks
            a_connection_that_is_away_has_time_to_come_back
            a_node_that_was_taken_for_dead_is_told
            changes_that_a_dead_node_did_not_take_are_found
            changes_are_taken_once_in_a_period_by_one_node
            versions_rise_over_an_empty_group
            a_large_group_is_complete
            an_id_is_claimed_once_over_all_nodes
            nothing_is_claimed_that_depends_on_what_was_revoked
            claims_and_revocations_last_as_long_as_they_should
        }
    };
    ($suite:expr) => {
        $crate::conformance! { @each tests ($suite) }
    };
}
