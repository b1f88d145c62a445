//! Named channels as queues, for the layers that have them: each message goes to one taker, and none is lost by
//! takers who give up or leave.

use std::pin::pin;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout, timeout_at};

use super::churn::polled;
use super::node::Mark;
use super::suite::{Failure, NODES, Suite, ensure, fail, fresh_name};
use crate::{Channel, ChannelLayer, LayerError, PayloadFormat, Queue, Topic};

/// As many messages as any layer keeps of one channel; Django Channels' own keep 100.
const KEPT: usize = 60;

impl<L: ChannelLayer, F: AsyncFn(usize) -> Vec<L>> Suite<F> {
    /// What any node sends to a channel that several have open as a queue comes to one of them, once.
    ///
    /// # Errors
    /// When a message came twice, or not at all.
    pub async fn each_message_of_a_queue_goes_to_exactly_one_taker(&self) -> Result<(), Failure> {
        let (nodes, channel) = (self.start().await, fresh_channel());
        let mut takers = Takers::new(self.patience);
        // Two on one node, and one on each other.
        for node in nodes.iter().chain(&nodes[..1]) {
            let Some(queue) = node.layer.open(&channel) else { return Ok(()) };
            takers.add(queue, node.format());
        }
        let each = self.kept() / NODES as u32;
        for round in 0..4 {
            for number in round * each..(round + 1) * each {
                for (node, from) in nodes.iter().zip(0..) {
                    node.publish_mark(&channel, Mark { from, number }).await?;
                }
            }
            takers.take(NODES * ((round + 1) * each) as usize).await?;
        }
        takers.take_nothing(self.quiet).await
    }

    /// One taker alone gets what each node sent in the order in which that one sent it.
    ///
    /// # Errors
    /// When the order is another.
    pub async fn a_queue_keeps_every_publishers_order(&self) -> Result<(), Failure> {
        if !self.ordered_queues {
            return Ok(());
        }
        let (nodes, channel) = (self.start().await, fresh_channel());
        let Some(queue) = nodes[0].layer.open(&channel) else { return Ok(()) };
        let each = self.kept() / NODES as u32;
        for number in 0..each {
            for (node, from) in nodes.iter().zip(0..) {
                node.publish_mark(&channel, Mark { from, number }).await?;
            }
        }
        // Only now, so that all of them wait and there is an order to keep.
        let mut takers = Takers::new(self.patience);
        takers.add(queue, nodes[0].format());
        takers.take(NODES * each as usize).await?;
        for from in 0..NODES as u32 {
            let of_node = takers.taken.iter().filter(|mark| mark.from == from);
            let numbers: Vec<_> = of_node.map(|mark| mark.number).collect();
            let ordered = numbers.iter().copied().eq(0..each);
            ensure(ordered, || format!("the messages of node {from} were taken in the order {numbers:?}"))?;
        }
        Ok(())
    }

    /// Calls of `take` that are dropped, before their message came or after, take nothing with them.
    ///
    /// # Errors
    /// When a message is missing, or came twice.
    pub async fn dropped_takes_lose_nothing(&self) -> Result<(), Failure> {
        let (nodes, channel) = (self.start().await, fresh_channel());
        let mut queues = Vec::new();
        for node in &nodes[..2] {
            let Some(queue) = node.layer.open(&channel) else { return Ok(()) };
            queues.push(queue);
        }
        let mut takers = Takers::new(self.patience);
        for number in 0..self.kept() {
            let (node, queue) = (&nodes[number as usize % 2], &mut queues[number as usize % 2]);
            let mut take = pin!(queue.take());
            // It waits while the message comes, or finds one that was there.
            let mut taken = polled(1, take.as_mut()).await;
            nodes[2].publish_mark(&channel, Mark { from: 2, number }).await?;
            if taken.is_none() {
                taken = polled(number % 6, take.as_mut()).await;
            }
            if let Some(taken) = taken {
                takers.taken.push(read(taken, node.format())?);
            }
        }
        for (queue, node) in queues.into_iter().zip(&nodes) {
            takers.add(queue, node.format());
        }
        takers.take(self.kept() as usize).await?;
        takers.take_nothing(self.quiet).await
    }

    /// A taker that closes its queue leaves all that it has not taken to the others, wherever that was by then.
    ///
    /// # Errors
    /// When a message is missing, or came twice.
    pub async fn a_closed_queue_gives_back_what_was_not_taken(&self) -> Result<(), Failure> {
        let (nodes, channel) = (self.start().await, fresh_channel());
        let Some(mut leaves) = nodes[0].layer.open(&channel) else { return Ok(()) };
        let count = self.kept();
        for number in 0..count {
            nodes[1].publish_mark(&channel, Mark { from: 1, number }).await?;
        }
        let mut takers = Takers::new(self.patience);
        let Ok(first) = timeout(self.patience, leaves.take()).await else {
            return fail(format!("0 of {count} messages were taken after {:?}", self.patience));
        };
        takers.taken.push(read(first, nodes[0].format())?);
        let Some(stays) = nodes[2].layer.open(&channel) else {
            return fail("open gives a queue on node 0, and none on node 2");
        };
        if timeout(self.patience, leaves.close()).await.is_err() {
            return fail(format!("close did not return in {:?}", self.patience));
        }
        takers.add(stays, nodes[2].format());
        takers.take(count as usize).await?;
        takers.take_nothing(self.quiet).await
    }

    /// How many messages may wait in a queue.
    fn kept(&self) -> u32 {
        self.burst.clamp(NODES, KEPT) as u32
    }
}

/// Takers at work, each a task, and what they have taken together.
struct Takers {
    tasks: JoinSet<()>,
    says: mpsc::UnboundedSender<Result<Mark, Failure>>,
    heard: mpsc::UnboundedReceiver<Result<Mark, Failure>>,
    taken: Vec<Mark>,
    patience: Duration,
}

impl Takers {
    fn new(patience: Duration) -> Self {
        let (says, heard) = mpsc::unbounded_channel();
        Self { tasks: JoinSet::new(), says, heard, taken: Vec::new(), patience }
    }

    fn add(&mut self, mut queue: Queue, format: PayloadFormat) {
        let says = self.says.clone();
        self.tasks.spawn(async move {
            loop {
                let taken = read(queue.take().await, format);
                let failed = taken.is_err();
                // Nobody listens any more when a check has failed already.
                if says.send(taken).is_err() || failed {
                    break;
                }
            }
        });
    }

    /// Waits until so many messages have been taken in all.
    async fn take(&mut self, count: usize) -> Result<(), Failure> {
        let deadline = Instant::now() + self.patience;
        while self.taken.len() < count {
            let Ok(taken) = timeout_at(deadline, self.heard.recv()).await else {
                let taken = self.taken.len();
                return fail(format!("{taken} of {count} messages were taken after {:?}", self.patience));
            };
            self.taken.push(taken.expect("one sender is kept here")?);
        }
        self.each_once()
    }

    /// Watches that no message comes beyond those that were taken.
    async fn take_nothing(&mut self, quiet: Duration) -> Result<(), Failure> {
        if let Ok(Some(more)) = timeout(quiet, self.heard.recv()).await {
            self.taken.push(more?);
        }
        self.each_once()
    }

    fn each_once(&self) -> Result<(), Failure> {
        let mut taken = self.taken.clone();
        taken.sort_unstable();
        let twice = taken.windows(2).find(|pair| pair[0] == pair[1]);
        ensure(twice.is_none(), || format!("{:?} was taken more than once", twice.map(|pair| pair[0])))
    }
}

fn read(taken: Result<Bytes, LayerError>, format: PayloadFormat) -> Result<Mark, Failure> {
    match taken {
        Ok(payload) => Mark::read(&payload, format),
        Err(error) => fail(format!("take failed: {error}")),
    }
}

fn fresh_channel() -> Topic {
    Channel::<()>::new(fresh_name()).expect("the suite's names are legal").topic()
}
