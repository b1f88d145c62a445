use std::sync::Arc;

use super::node::{Mark, Node};
use super::suite::{Failure, NODES, Suite, ensure, fail, fresh_group};
use crate::{ChannelLayer, Topic};

/// Publishers on each node: their calls overlap on one link, too.
const PUBLISHERS: u32 = 2;

impl<L: ChannelLayer, F: AsyncFn(usize) -> Vec<L>> Suite<F> {
    /// All nodes see one order, in which each publisher's messages stand as it published them.
    ///
    /// # Errors
    /// When two nodes disagree, or a publisher's messages changed places.
    pub async fn all_nodes_see_one_order_and_every_publishers_own(&self) -> Result<(), Failure> {
        let (nodes, topic) = (self.start().await, fresh_group());
        for node in &nodes {
            node.subscribe(&topic).await?;
        }
        let each = (self.burst / (NODES * PUBLISHERS as usize)).max(2) as u32;
        for round in 1..=8 {
            publish_at_once(&nodes, &topic, (round - 1) * each..round * each).await?;
            for node in &nodes {
                node.wait_for(&topic, NODES * (PUBLISHERS * round * each) as usize).await?;
            }
        }
        let first = nodes[0].marks(&topic)?;
        for (node, n) in nodes.iter().zip(0..) {
            let marks = node.marks(&topic)?;
            if let Some((at, (a, b))) = first.iter().zip(&marks).enumerate().find(|(_, (a, b))| a != b) {
                return fail(format!("message {at} is {a:?} for node 0, and {b:?} for node {n}"));
            }
            let mut last = [None; NODES * PUBLISHERS as usize];
            for mark in marks {
                let last = &mut last[mark.from as usize];
                let follows = last.is_none_or(|last| last < mark.number);
                ensure(follows, || format!("node {n} got {mark:?} after number {last:?} of that publisher"))?;
                *last = Some(mark.number);
            }
        }
        Ok(())
    }
}

/// Publishes these numbers from every publisher on every node, all at the same time.
async fn publish_at_once<L: ChannelLayer>(
    nodes: &[Arc<Node<L>>],
    topic: &Topic,
    numbers: std::ops::Range<u32>,
) -> Result<(), Failure> {
    let mut publishing = tokio::task::JoinSet::new();
    for from in 0..NODES as u32 * PUBLISHERS {
        let (node, topic, numbers) = (nodes[from as usize % NODES].clone(), topic.clone(), numbers.clone());
        publishing.spawn(async move {
            for number in numbers {
                node.publish_mark(&topic, Mark { from, number }).await?;
            }
            Ok(())
        });
    }
    publishing.join_all().await.into_iter().collect()
}
