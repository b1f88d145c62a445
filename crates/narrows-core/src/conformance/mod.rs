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
//! The checks of queues pass where [`ChannelLayer::open`](crate::ChannelLayer::open) gives none.
//!
//! What it cannot check from outside is what a layer does while its link is down; a layer tests that itself.

mod churn;
mod delivery;
mod names;
mod node;
mod order;
mod payloads;
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
        }
    };
    ($suite:expr) => {
        $crate::conformance! { @each tests ($suite) }
    };
}
