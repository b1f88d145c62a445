//! Who gets what: everyone who subscribed, once, and nobody else.

use tokio::time::{Instant, sleep};

use super::node::Mark;
use super::suite::{Failure, NODES, Suite, ensure, fail, fresh_group, fresh_name, own_channel};
use crate::{Channel, ChannelLayer, Group};

impl<L: ChannelLayer, F: AsyncFn(usize) -> Vec<L>> Suite<F> {
    /// Once `subscribe` has returned, what any node publishes arrives: from others and from the node itself,
    /// for a group and for a channel.
    ///
    /// # Errors
    /// When something did not arrive.
    pub async fn a_subscribed_node_gets_what_any_node_publishes(&self) -> Result<(), Failure> {
        let nodes = self.start().await;
        for round in 0..8 {
            for receiver in &nodes {
                for topic in [fresh_group(), own_channel(receiver)?] {
                    receiver.subscribe(&topic).await?;
                    for (publisher, from) in nodes.iter().zip(0..) {
                        publisher.publish_mark(&topic, Mark { from, number: round }).await?;
                    }
                    receiver.wait_for(&topic, NODES).await?;
                }
            }
        }
        Ok(())
    }

    /// After `unsubscribe` messages stop; after another `subscribe` they come again.
    ///
    /// # Errors
    /// When they do not stop, or do not come again.
    pub async fn an_unsubscribed_node_gets_nothing_more_and_can_subscribe_again(
        &self,
    ) -> Result<(), Failure> {
        let nodes = self.start().await;
        let (publisher, receiver, topic) = (&nodes[0], &nodes[1], fresh_group());
        let mut number = 0;
        for _ in 0..3 {
            receiver.subscribe(&topic).await?;
            number += 1;
            let wanted = Mark { from: 0, number };
            publisher.publish_mark(&topic, wanted).await?;
            receiver.wait_for_marks(&topic, &[wanted]).await?;
            receiver.unsubscribe(&topic).await?;
            // What was on its way may still come for a while.
            let deadline = Instant::now() + self.patience;
            loop {
                number += 1;
                let unwanted = Mark { from: 0, number };
                publisher.publish_mark(&topic, unwanted).await?;
                sleep(self.quiet).await;
                if !receiver.marks(&topic)?.contains(&unwanted) {
                    break;
                }
                if Instant::now() > deadline {
                    return fail(format!("messages still come {:?} after unsubscribe", self.patience));
                }
            }
        }
        Ok(())
    }

    /// Each node gets one copy of each message, whoever published it and however many others subscribed.
    ///
    /// # Errors
    /// When one came twice, or not at all.
    pub async fn every_message_arrives_exactly_once_at_each_node(&self) -> Result<(), Failure> {
        let (nodes, topic) = (self.start().await, fresh_group());
        for node in &nodes {
            node.subscribe(&topic).await?;
        }
        let (mut total, each) = (0, (self.burst / NODES).max(1));
        for (publisher, from) in nodes.iter().zip(0..) {
            for number in (0..).take(each) {
                publisher.publish_mark(&topic, Mark { from, number }).await?;
            }
            total += each;
            for node in &nodes {
                node.wait_for(&topic, total).await?;
            }
        }
        sleep(self.quiet).await;
        for (node, n) in nodes.iter().zip(0..) {
            let mut marks = node.marks(&topic)?;
            marks.sort_unstable();
            let twice = marks.windows(2).find(|pair| pair[0] == pair[1]);
            ensure(twice.is_none(), || format!("node {n} got {:?} more than once", twice.map(|t| t[0])))?;
            ensure(marks.len() == total, || format!("node {n} got {} of {total} messages", marks.len()))?;
        }
        Ok(())
    }

    /// Publishing where nobody listens is no error, and nobody hears of it.
    ///
    /// # Errors
    /// When it is, or somebody does.
    pub async fn publishing_to_nobody_is_fine(&self) -> Result<(), Failure> {
        let nodes = self.start().await;
        let channel = own_channel(&nodes[1])?;
        for topic in [fresh_group(), channel] {
            nodes[0].publish_mark(&topic, Mark { from: 0, number: 0 }).await?;
            sleep(self.quiet).await;
            let heard = nodes.iter().any(|node| !node.payloads(&topic).is_empty());
            ensure(!heard, || format!("{topic} has no subscriber, and a node got its message"))?;
        }
        Ok(())
    }

    /// A group and a channel may have the same name, and are two topics.
    ///
    /// # Errors
    /// When a message of one came for the other.
    pub async fn groups_and_channels_of_one_name_do_not_mix(&self) -> Result<(), Failure> {
        let nodes = self.start().await;
        let name = fresh_name();
        let legal = "the suite's names are legal";
        let group = Group::<()>::new(&name).expect(legal).topic();
        let channel = Channel::<()>::new(&name).expect(legal).topic();
        let (to_group, to_channel) = (Mark { from: 0, number: 1 }, Mark { from: 0, number: 2 });
        nodes[1].subscribe(&group).await?;
        nodes[2].subscribe(&channel).await?;
        nodes[0].publish_mark(&group, to_group).await?;
        nodes[0].publish_mark(&channel, to_channel).await?;
        nodes[1].wait_for(&group, 1).await?;
        nodes[2].wait_for(&channel, 1).await?;
        sleep(self.quiet).await;
        for (topic, node, expected) in [(&group, &nodes[1], to_group), (&channel, &nodes[2], to_channel)] {
            let only = node.marks(topic)? == [expected] && node.topics().len() == 1;
            ensure(only, || format!("{topic} got what was for the other of its name"))?;
        }
        Ok(())
    }

    /// Each of many topics gets its own messages, at those nodes that subscribed to it.
    ///
    /// # Errors
    /// When a message came for another topic, or at another node.
    pub async fn many_topics_stay_apart(&self) -> Result<(), Failure> {
        let nodes = self.start().await;
        let topics: Vec<_> = (0..self.burst.max(NODES)).map(|_| fresh_group()).collect();
        for (topic, n) in topics.iter().zip(0..) {
            nodes[n % NODES].subscribe(topic).await?;
        }
        for (topic, number) in topics.iter().zip(0..) {
            nodes[0].publish_mark(topic, Mark { from: 0, number }).await?;
        }
        for (topic, n) in topics.iter().zip(0..) {
            nodes[n % NODES].wait_for(topic, 1).await?;
        }
        sleep(self.quiet).await;
        for (topic, number) in topics.iter().zip(0u32..) {
            for (node, n) in nodes.iter().zip(0u32..) {
                let wanted = number % NODES as u32 == n;
                let expected = if wanted { vec![Mark { from: 0, number }] } else { Vec::new() };
                let marks = node.marks(topic)?;
                ensure(marks == expected, || {
                    format!("node {n} got {marks:?} for {topic}, and not {expected:?}")
                })?;
            }
        }
        Ok(())
    }
}
