//! What is promised holds while others come, go and give up.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::Poll;
use std::time::Duration;

use tokio::task::yield_now;
use tokio::time::sleep;

use super::node::{Mark, Node};
use super::suite::{Failure, NODES, Suite, ensure, fresh_group};
use crate::{ChannelLayer, Topic};

impl<L: ChannelLayer, F: AsyncFn(usize) -> Vec<L>> Suite<F> {
    /// While one node subscribes and unsubscribes again and again and others publish, it gets all that was
    /// published while it was subscribed, and a node that stays gets everything.
    ///
    /// # Errors
    /// When something that was promised did not arrive.
    pub async fn churn_loses_nothing_that_was_promised(&self) -> Result<(), Failure> {
        let (nodes, topic) = (self.start().await, fresh_group());
        let (stays, comes_and_goes) = (&nodes[0], &nodes[1]);
        stays.subscribe(&topic).await?;
        let each = (self.burst / 2).max(1) as u32;
        let mut published = Vec::new();
        for round in 0..8 {
            let numbers = round * each..(round + 1) * each;
            let progress = [0, 2].map(|from: u32| {
                published.extend(numbers.clone().map(|number| Mark { from, number }));
                Progress::publish(from, &nodes[from as usize], &topic, numbers.clone())
            });
            while progress.iter().any(|p| p.done.load(Ordering::SeqCst) < numbers.end) {
                comes_and_goes.subscribe(&topic).await?;
                let begun = progress.each_ref().map(|p| p.begun.load(Ordering::SeqCst));
                for _ in 0..8 {
                    yield_now().await;
                }
                let promised = progress.iter().zip(begun).flat_map(|(p, begun)| {
                    let done = p.done.load(Ordering::SeqCst);
                    (begun..done).map(|number| Mark { from: p.from, number })
                });
                let promised: Vec<_> = promised.collect();
                if promised.is_empty() {
                    // Time must pass for the publishers, even on a paused clock.
                    sleep(Duration::from_millis(1)).await;
                }
                comes_and_goes.wait_for_marks(&topic, &promised).await?;
                comes_and_goes.unsubscribe(&topic).await?;
            }
            for progress in progress {
                progress.finished().await?;
            }
            stays.wait_for_marks(&topic, &published).await?;
        }
        Ok(())
    }

    /// Calls that were dropped half-way harm no other: what is published afterwards arrives, in order, and a
    /// message whose call was dropped arrives once at the most.
    ///
    /// # Errors
    /// When a later message is missing or out of order, or a dropped one came twice.
    pub async fn dropped_calls_leave_the_layer_sane(&self) -> Result<(), Failure> {
        let (nodes, topic) = (self.start().await, fresh_group());
        for node in &nodes {
            node.subscribe(&topic).await?;
        }
        let (publisher, kept) = (&nodes[0], |number| Mark { from: 0, number });
        let count = (self.burst / NODES).clamp(1, 60) as u32;
        for number in 0..count {
            // Each kind is dropped before it begins, and at each of its first steps.
            let polls = number % 6;
            let dropped = Mark { from: 1, number }.payload(publisher.format());
            drop_after(polls, publisher.layer.publish(&topic, dropped)).await;
            drop_after(polls, publisher.layer.subscribe(&fresh_group())).await;
            let other = fresh_group();
            publisher.subscribe(&other).await?;
            drop_after(polls, publisher.layer.unsubscribe(&other)).await;
            publisher.publish_mark(&topic, kept(number)).await?;
        }
        let all: Vec<_> = (0..count).map(kept).collect();
        for node in &nodes {
            node.wait_for_marks(&topic, &all).await?;
        }
        sleep(self.quiet).await;
        for (node, n) in nodes.iter().zip(0..) {
            let (whole, mut half): (Vec<_>, Vec<_>) =
                node.marks(&topic)?.into_iter().partition(|m| m.from == 0);
            ensure(whole == all, || format!("node {n} got other messages, or another order: {whole:?}"))?;
            half.sort_unstable();
            let twice = half.windows(2).any(|pair| pair[0] == pair[1]);
            ensure(!twice, || format!("node {n} got a message twice whose publish was dropped"))?;
        }
        Ok(())
    }
}

/// How far one publisher is: every message below `begun` has been begun, every one below `done` is published.
struct Progress {
    from: u32,
    begun: Arc<AtomicU32>,
    done: Arc<AtomicU32>,
    task: tokio::task::JoinHandle<Result<(), Failure>>,
}

impl Progress {
    fn publish<L: ChannelLayer>(
        from: u32,
        node: &Arc<Node<L>>,
        topic: &Topic,
        numbers: std::ops::Range<u32>,
    ) -> Self {
        let (begun, done) =
            (Arc::new(AtomicU32::new(numbers.start)), Arc::new(AtomicU32::new(numbers.start)));
        let (node, topic, end) = (node.clone(), topic.clone(), numbers.end);
        let (begin, finish) = (begun.clone(), done.clone());
        let task = tokio::spawn(async move {
            for number in numbers {
                begin.store(number + 1, Ordering::SeqCst);
                let published = node.publish_mark(&topic, Mark { from, number }).await;
                // After a failure, as after the last: nobody is to wait for more.
                finish.store(if published.is_ok() { number + 1 } else { end }, Ordering::SeqCst);
                published?;
                yield_now().await;
            }
            Ok(())
        });
        Self { from, begun, done, task }
    }

    async fn finished(self) -> Result<(), Failure> {
        self.task.await.expect("publishing does not panic")
    }
}

/// Polls a call so many times, unless it is done before, and drops it.
async fn drop_after<T>(polls: u32, call: impl Future<Output = T>) {
    drop(polled(polls, pin!(call)).await);
}

/// Polls a call so many times, unless it is done before.
pub(super) async fn polled<T>(polls: u32, mut call: Pin<&mut impl Future<Output = T>>) -> Option<T> {
    for _ in 0..polls {
        if let Poll::Ready(done) = poll_fn(|cx| Poll::Ready(call.as_mut().poll(cx))).await {
            return Some(done);
        }
        yield_now().await;
    }
    None
}
