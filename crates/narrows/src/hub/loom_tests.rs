//! Models of who is subscribed: every way in which joins, leaves and messages can fall between each other.
//!
//! They run the real hub on a layer that answers at once; that a driver may also wait is no different to the
//! registry, which is unlocked during the layer's calls either way.

use loom::sync::atomic::{AtomicBool, Ordering};
use loom::{model, thread};
use narrows_core::{
    ChannelLayer, Group, History, HistoryRange, HistoryStore, KeepHistory, Kept, KeptPage, Position,
};

use super::*;
use crate::sync::{Mutex, lock};

/// Watches its calls: none overlaps another, subscribe and unsubscribe alternate.
#[derive(Default)]
struct Watched {
    busy: AtomicBool,
    subscribed: AtomicBool,
    /// The next subscription fails.
    fails: AtomicBool,
}

impl Watched {
    fn call(&self, subscribe: bool) -> Result<(), LayerError> {
        assert!(!self.busy.swap(true, Ordering::SeqCst), "calls for a topic overlap");
        let fails = subscribe && self.fails.swap(false, Ordering::SeqCst);
        if !fails {
            let was = self.subscribed.swap(subscribe, Ordering::SeqCst);
            assert_ne!(was, subscribe, "calls for a topic alternate");
        }
        self.busy.store(false, Ordering::SeqCst);
        if fails { Err(LayerError::Closed) } else { Ok(()) }
    }
}

#[derive(Clone)]
struct Layer(Arc<Watched>);

impl ChannelLayer for Layer {
    fn start(&self, _: Inbound) {}
    async fn subscribe(&self, _: &Topic) -> Result<(), LayerError> {
        self.0.call(true)
    }
    async fn unsubscribe(&self, _: &Topic) -> Result<(), LayerError> {
        self.0.call(false)
    }
    async fn publish(&self, _: &Topic, _: Bytes) -> Result<(), LayerError> {
        Ok(())
    }
    fn new_channel(&self) -> String {
        "unused".into()
    }
    fn history(&self) -> Option<HistoryStore> {
        Some(HistoryStore::new(Nothing))
    }
}

/// Nobody asks it.
struct Nothing;

impl KeepHistory for Nothing {
    fn publish<'a>(&'a self, _: &'a Topic, _: Bytes, _: History, _: Option<&'a str>) -> Kept<'a, Position> {
        Box::pin(async { Err(LayerError::Closed) })
    }
    fn read<'a>(&'a self, _: &'a Topic, _: HistoryRange) -> Kept<'a, KeptPage> {
        Box::pin(async { Err(LayerError::Closed) })
    }
}

/// One node, with one topic.
#[derive(Clone)]
struct Node {
    hub: Arc<Hub>,
    layer: Arc<Watched>,
    topic: Topic,
}

impl Node {
    fn new(fails: bool) -> Self {
        let layer = Arc::new(Watched { fails: AtomicBool::new(fails), ..Watched::default() });
        let topic = Group::<()>::new("room").expect("the name is legal").topic();
        Self { hub: Hub::start(Box::new(Layer(layer.clone())), Arc::default()), layer, topic }
    }

    fn join(&self, shard: u16) -> Member {
        let (id, subscribed) = self.hub.acquire(&self.topic, shard);
        let member = Member { id, shard, waiting: subscribed.0 };
        if member.waiting.is_none() {
            self.check(&member);
        }
        member
    }

    fn leave(&self, member: Member) {
        self.hub.release(member.id, member.shard);
    }

    /// What holds for a member that was told that it is subscribed, until it leaves.
    fn check(&self, member: &Member) {
        assert!(self.layer.subscribed.load(Ordering::SeqCst), "a member was told, and is not subscribed");
        let mut reached = false;
        self.hub.registry.with(&self.topic, |members| {
            reached =
                members.id == member.id && members.shards.iter().any(|(shard, _)| *shard == member.shard);
        });
        assert!(reached, "a message would pass a member by");
    }

    /// What a member was told by now; when everyone rests, nobody may still wait.
    fn answer(&self, member: &mut Member) -> bool {
        match member.waiting.take() {
            None => true,
            Some(mut waiting) => waiting.try_recv().expect("nobody waits when all is at rest").is_ok(),
        }
    }

    fn is_at_rest(&self, subscribed: bool) {
        assert_eq!(self.layer.subscribed.load(Ordering::SeqCst), subscribed);
        assert_eq!(self.hub.id(&self.topic).is_some(), subscribed, "an entry stays with its members only");
    }
}

struct Member {
    id: u64,
    shard: u16,
    waiting: Option<registry::Waiting>,
}

fn spawn<T: 'static>(node: &Node, work: impl FnOnce(&Node) -> T + 'static) -> thread::JoinHandle<T> {
    let node = node.clone();
    thread::spawn(move || work(&node))
}

#[test]
fn members_that_come_and_go_at_once_leave_nothing_behind() {
    model(|| {
        let node = Node::new(false);
        let other = spawn(&node, |node| node.leave(node.join(0)));
        node.leave(node.join(1));
        other.join().unwrap();
        node.is_at_rest(false);
    });
}

#[test]
fn one_who_stays_is_subscribed_whatever_another_does() {
    model(|| {
        let node = Node::new(false);
        let other = spawn(&node, |node| {
            node.leave(node.join(0));
            node.leave(node.join(0));
        });
        let mut stays = node.join(0);
        other.join().unwrap();
        assert!(node.answer(&mut stays));
        node.check(&stays);
        node.is_at_rest(true);
        node.leave(stays);
        node.is_at_rest(false);
    });
}

#[test]
fn when_the_last_leaves_while_another_joins_the_topic_stays() {
    model(|| {
        let node = Node::new(false);
        let mut first = node.join(0);
        assert!(node.answer(&mut first));
        let leaving = spawn(&node, move |node| node.leave(first));
        let mut second = node.join(1);
        leaving.join().unwrap();
        assert!(node.answer(&mut second));
        node.check(&second);
        node.is_at_rest(true);
    });
}

#[test]
fn everyone_is_told_of_a_failure_or_of_success_and_can_try_again() {
    model(|| {
        let node = Node::new(true);
        let other = spawn(&node, |node| node.join(0));
        let mut members = [node.join(1), other.join().unwrap()];
        let told = members.each_mut().map(|member| node.answer(member));
        assert!(told.contains(&false), "the first call fails, and at least its caller is told");
        for (member, subscribed) in members.into_iter().zip(told) {
            if subscribed {
                node.check(&member);
            } else {
                node.leave(member);
            }
        }
        node.is_at_rest(told.contains(&true));
        let mut again = node.join(0);
        assert!(node.answer(&mut again));
    });
}

#[test]
fn a_message_reaches_the_members_of_the_moment_and_no_one_else() {
    model(|| {
        let node = Node::new(false);
        let mut stays = node.join(0);
        assert!(node.answer(&mut stays));
        let other = spawn(&node, |node| node.leave(node.join(1)));
        let mut reached = Vec::new();
        node.hub.registry.with(&node.topic, |members| {
            assert_eq!(members.id, stays.id, "an id never changes under its members");
            reached.extend(members.shards.iter().map(|(shard, _)| *shard));
        });
        assert!(reached == [0] || reached == [0, 1], "{reached:?}");
        other.join().unwrap();
    });
}

#[test]
fn three_that_come_and_go_end_where_one_would() {
    // All interleavings of three would take minutes; bugs need few preemptions.
    let mut bounded = model::Builder::new();
    bounded.preemption_bound = Some(2);
    bounded.check(|| {
        let node = Node::new(false);
        let others = [0, 1].map(|shard| spawn(&node, move |node| node.leave(node.join(shard))));
        let mut stays = node.join(0);
        others.into_iter().for_each(|other| other.join().unwrap());
        assert!(node.answer(&mut stays));
        node.check(&stays);
        node.is_at_rest(true);
    });
}

#[test]
fn what_is_missing_is_looked_into_once_and_never_left_to_a_worker_that_went() {
    model(|| {
        let node = Node::new(false);
        let other = spawn(&node, |node| node.hub.fills.look_into(&node.topic));
        let mut done = node.hub.fills.look_into(&node.topic);
        done += node.hub.fills.look_into(&node.topic);
        done += other.join().unwrap();
        assert_eq!(done, 3);
        assert!(node.hub.fills.is_at_rest());
    });
}

/// Takes what comes, in its order.
#[derive(Default)]
struct Taken(Mutex<Vec<Bytes>>);

impl Taker for Taken {
    fn take_in(&self, payload: &Bytes) -> bool {
        lock(&self.0).push(payload.clone());
        true
    }
}

#[test]
fn a_topic_that_is_settled_while_its_messages_come_gives_each_once_and_in_order() {
    model(|| {
        let node = Node::new(false);
        let taken = Arc::new(Taken::default());
        let (_seat, _subscribed) = Seat::new(node.hub.clone(), &node.topic, Some(taken.clone()));
        let at = |offset| Position { epoch: 1, offset };
        // One reads the newest position, 1, and the layer has handed in that message already or does so now.
        let settling = spawn(&node, move |node| {
            node.hub.settle(&node.topic, 0, Some(Position { epoch: 1, offset: 1 }));
        });
        for offset in 1..=3 {
            node.hub.deliver_at(&node.topic, Bytes::copy_from_slice(&[offset as u8]), at(offset));
        }
        settling.join().unwrap();
        let taken: Vec<_> = lock(&taken.0).iter().map(|payload| payload[0]).collect();
        assert!(taken == [1, 2, 3] || taken == [2, 3], "{taken:?}");
        assert_eq!(node.hub.position(&node.topic), Some(at(3)));
    });
}
