//! The suite passes a layer that keeps its promises, and each way to break one is caught by its check.

use std::collections::{HashMap, HashSet, VecDeque};
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::{Failure, Suite};
use crate::{
    ChannelLayer, ClaimStore, Inbound, KeepClaims, Kept, LayerError, PayloadFormat, Queue, Take, Topic,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    None,
    DropsOneInTen,
    Duplicates,
    ReordersOnOneNode,
    ReordersOnAllNodes,
    ForgetsUnsubscribe,
    CannotResubscribe,
    MixesKinds,
    IgnoresTopics,
    SubscribesLate,
    SkipsOneself,
    ChangesPayloads,
    CutsLargePayloads,
    RepeatsChannelNames,
    IllegalChannelNames,
    RefusesWhereNobodyListens,
    DiesOfDroppedPublish,
    Hangs,
    QueueGivesToEachTaker,
    QueueDropsOneInTen,
    QueueIsAStack,
    DroppedTakeLoses,
    CloseForgets,
    ClaimsAreEachNodesOwn,
    ClaimsIgnoreRevocations,
    RefusedClaimsCount,
    ClaimsNeverEnd,
    RevocationsNeverEnd,
    ClaimsEndAtOnce,
    ShorterRevocationsEndLonger,
}

/// An honest little bus, but for one fault.
struct Bus {
    fault: Fault,
    format: PayloadFormat,
    nodes: Mutex<Vec<Link>>,
    /// The messages of each open channel; in a faulty case by taker too.
    queues: Mutex<HashMap<(Topic, u64), VecDeque<Bytes>>>,
    queued: Notify,
    published: AtomicU64,
    dead: AtomicU64,
    /// By node in a faulty case: what was claimed and what revoked, and until when.
    claimed: Mutex<HashMap<(usize, String), Instant>>,
    revoked: Mutex<HashMap<String, Instant>>,
}

struct Link {
    inbound: Inbound,
    topics: HashSet<Topic>,
    ever: HashSet<Topic>,
    handed_in: u64,
    held: Option<(Topic, Bytes)>,
    late: Option<Topic>,
}

struct Layer {
    bus: Arc<Bus>,
    node: usize,
}

fn layers(fault: Fault, format: PayloadFormat, count: usize) -> Vec<Layer> {
    let bus = Arc::new(Bus {
        fault,
        format,
        nodes: Mutex::default(),
        queues: Mutex::default(),
        queued: Notify::new(),
        published: AtomicU64::new(0),
        dead: AtomicU64::new(0),
        claimed: Mutex::default(),
        revoked: Mutex::default(),
    });
    (0..count).map(|node| Layer { bus: bus.clone(), node }).collect()
}

impl Bus {
    fn is(&self, fault: Fault) -> bool {
        self.fault == fault
    }

    fn enqueue(&self, topic: &Topic, payload: &Bytes, number: u64) {
        if self.is(Fault::QueueDropsOneInTen) && number % 10 == 9 {
            return;
        }
        let mut queues = self.queues.lock().unwrap();
        for (_, waiting) in queues.iter_mut().filter(|((channel, _), _)| channel == topic) {
            waiting.push_back(payload.clone());
        }
        drop(queues);
        self.queued.notify_waiters();
    }
}

impl Link {
    fn wants(&self, topic: &Topic, fault: Fault) -> bool {
        let same_name = |t: &Topic| t.name() == topic.name();
        match fault {
            Fault::MixesKinds => self.topics.iter().any(same_name),
            Fault::IgnoresTopics => !self.topics.is_empty(),
            _ => self.topics.contains(topic),
        }
    }

    fn hand_in(&mut self, topic: &Topic, payload: Bytes, reorders: bool) {
        if !reorders {
            return self.inbound.deliver(topic, payload);
        }
        // One message in ten waits until those behind it have gone.
        self.handed_in += 1;
        match self.handed_in % 10 {
            1 => return self.held = Some((topic.clone(), payload)),
            _ => self.inbound.deliver(topic, payload),
        }
        if self.handed_in.is_multiple_of(10)
            && let Some((topic, held)) = self.held.take()
        {
            self.inbound.deliver(&topic, held);
        }
    }
}

impl ChannelLayer for Layer {
    fn start(&self, inbound: Inbound) {
        let mut nodes = self.bus.nodes.lock().unwrap();
        assert_eq!(nodes.len(), self.node);
        let (topics, ever) = Default::default();
        nodes.push(Link { inbound, topics, ever, handed_in: 0, held: None, late: None });
    }

    fn format(&self) -> PayloadFormat {
        self.bus.format
    }

    async fn subscribe(&self, topic: &Topic) -> Result<(), LayerError> {
        let link = &mut self.bus.nodes.lock().unwrap()[self.node];
        if self.bus.is(Fault::SubscribesLate) && link.late.is_none() {
            link.late = Some(topic.clone());
        } else if !self.bus.is(Fault::CannotResubscribe) || link.ever.insert(topic.clone()) {
            link.topics.insert(topic.clone());
        }
        Ok(())
    }

    async fn unsubscribe(&self, topic: &Topic) -> Result<(), LayerError> {
        if !self.bus.is(Fault::ForgetsUnsubscribe) {
            self.bus.nodes.lock().unwrap()[self.node].topics.remove(topic);
        }
        Ok(())
    }

    async fn publish(&self, topic: &Topic, payload: Bytes) -> Result<(), LayerError> {
        let bus = &*self.bus;
        let number = bus.published.fetch_add(1, Ordering::SeqCst);
        if bus.is(Fault::Hangs) && number > 20 {
            std::future::pending::<()>().await;
        }
        bus.dead.fetch_add(1, Ordering::SeqCst);
        tokio::task::yield_now().await;
        let half_done = bus.dead.fetch_sub(1, Ordering::SeqCst) - 1;
        bus.enqueue(topic, &payload, number);
        let mut nodes = bus.nodes.lock().unwrap();
        if bus.is(Fault::DiesOfDroppedPublish) && half_done > 2
            || bus.is(Fault::RefusesWhereNobodyListens) && !nodes.iter().any(|n| n.topics.contains(topic))
        {
            return Err(LayerError::Closed);
        }
        let reorders = |node| match bus.fault {
            Fault::ReordersOnAllNodes => true,
            Fault::ReordersOnOneNode => node == 2,
            _ => false,
        };
        for (node, link) in nodes.iter_mut().enumerate() {
            let skipped = bus.is(Fault::DropsOneInTen) && number % 10 == 9
                || bus.is(Fault::SkipsOneself) && node == self.node;
            if link.wants(topic, bus.fault) && !skipped {
                let payload = match bus.fault {
                    Fault::ChangesPayloads if payload.len() == 1 => Bytes::from_static(b"\x80\0"),
                    Fault::CutsLargePayloads => payload.slice(..payload.len().min(1 << 16)),
                    _ => payload.clone(),
                };
                if bus.is(Fault::Duplicates) && number % 10 == 9 {
                    link.hand_in(topic, payload.clone(), false);
                }
                link.hand_in(topic, payload, reorders(node));
            }
            if let Some(late) = link.late.take() {
                link.topics.insert(late);
            }
        }
        Ok(())
    }

    fn new_channel(&self) -> String {
        let number = self.bus.published.fetch_add(1, Ordering::SeqCst);
        match self.bus.fault {
            Fault::RepeatsChannelNames => format!("specific.test!{}", number % 1000),
            Fault::IllegalChannelNames => format!("specific test!{number}"),
            _ => format!("specific.test!{number}"),
        }
    }

    fn open(&self, channel: &Topic) -> Option<Queue> {
        let taker = match self.bus.fault {
            Fault::None if self.bus.format == PayloadFormat::Json => return None,
            Fault::QueueGivesToEachTaker => self.bus.published.fetch_add(1, Ordering::SeqCst),
            _ => 0,
        };
        let key = (channel.clone(), taker);
        self.bus.queues.lock().unwrap().entry(key.clone()).or_default();
        Some(Queue::new(Taker { bus: self.bus.clone(), key, ahead: VecDeque::new() }))
    }

    fn claims(&self) -> Option<ClaimStore> {
        let has_none = self.bus.is(Fault::None) && self.bus.format == PayloadFormat::Json;
        (!has_none).then(|| ClaimStore::new(Claims { bus: self.bus.clone(), node: self.node }))
    }
}

struct Claims {
    bus: Arc<Bus>,
    node: usize,
}

impl KeepClaims for Claims {
    fn claim<'a>(&'a self, id: &'a str, unless: &'a [String], ttl: Duration) -> Kept<'a, bool> {
        let (bus, now) = (&self.bus, Instant::now());
        let node = if bus.is(Fault::ClaimsAreEachNodesOwn) { self.node } else { 0 };
        let mut claimed = bus.claimed.lock().unwrap();
        let over = |until: Instant| until <= now && !bus.is(Fault::ClaimsNeverEnd);
        let key = (node, id.to_owned());
        let taken = claimed.get(&key).is_some_and(|until| !over(*until));
        let revoked = bus.revoked.lock().unwrap();
        let over = |until: Instant| until <= now && !bus.is(Fault::RevocationsNeverEnd);
        let gone = unless.iter().any(|id| revoked.get(id).is_some_and(|until| !over(*until)));
        let gone = gone && !bus.is(Fault::ClaimsIgnoreRevocations);
        if !taken && (!gone || bus.is(Fault::RefusedClaimsCount)) {
            let ttl = if bus.is(Fault::ClaimsEndAtOnce) { ttl / 4 } else { ttl };
            claimed.insert(key, now + ttl);
        }
        Box::pin(std::future::ready(Ok(!taken && !gone)))
    }

    fn revoke<'a>(&'a self, ids: &'a [String], ttl: Duration) -> Kept<'a, ()> {
        let (mut revoked, until) = (self.bus.revoked.lock().unwrap(), Instant::now() + ttl);
        for id in ids {
            let known = revoked.entry(id.clone()).or_insert(until);
            let shortens = self.bus.is(Fault::ShorterRevocationsEndLonger);
            *known = if shortens { until } else { until.max(*known) };
        }
        Box::pin(std::future::ready(Ok(())))
    }
}

struct Taker {
    bus: Arc<Bus>,
    key: (Topic, u64),
    /// Messages that have come for this taker, as a layer may fetch more than one at a time.
    ahead: VecDeque<Bytes>,
}

impl Taker {
    async fn next(&mut self) -> Bytes {
        loop {
            let queued = self.bus.queued.notified();
            if let Some(payload) = self.ahead.pop_front().or_else(|| self.pop()) {
                while self.ahead.len() < 3
                    && let Some(more) = self.pop()
                {
                    self.ahead.push_back(more);
                }
                return payload;
            }
            queued.await;
        }
    }

    fn pop(&self) -> Option<Bytes> {
        let mut queues = self.bus.queues.lock().unwrap();
        let waiting = queues.get_mut(&self.key)?;
        if self.bus.is(Fault::QueueIsAStack) { waiting.pop_back() } else { waiting.pop_front() }
    }
}

impl Take for Taker {
    fn take(&mut self) -> Pin<Box<dyn Future<Output = Result<Bytes, LayerError>> + Send + '_>> {
        Box::pin(async {
            let payload = self.next().await;
            if self.bus.is(Fault::DroppedTakeLoses) {
                tokio::task::yield_now().await;
            }
            Ok(payload)
        })
    }
}

impl Drop for Taker {
    fn drop(&mut self) {
        if !self.bus.is(Fault::CloseForgets) {
            let mut queues = self.bus.queues.lock().unwrap();
            let waiting = queues.entry(self.key.clone()).or_default();
            self.ahead.drain(..).rev().for_each(|payload| waiting.push_front(payload));
            drop(queues);
            self.bus.queued.notify_waiters();
        }
    }
}

fn suite(fault: Fault) -> Suite<impl AsyncFn(usize) -> Vec<Layer>> {
    let nodes = async move |count| layers(fault, PayloadFormat::MsgPack, count);
    Suite::new(nodes).patience(Duration::from_secs(1))
}

mod a_layer_that_keeps_its_promises {
    use super::*;

    crate::conformance!(suite(Fault::None));

    #[tokio::test(start_paused = true)]
    async fn passes_with_the_other_format_and_bounds_too() {
        let nodes = async |count| layers(Fault::None, PayloadFormat::Json, count);
        let suite = Suite::new(nodes).burst(1).max_payload_bytes(100).quiet(Duration::ZERO);
        assert_eq!(suite.run().await, Ok(()));
    }
}

/// The checks that a layer with this fault does not pass.
async fn caught(fault: Fault) -> String {
    match suite(fault).run().await {
        Err(Failure(failed)) => failed,
        Ok(()) => panic!("the suite does not notice {fault:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn each_fault_is_caught_by_the_check_of_its_promise() {
    for (fault, check) in [
        (Fault::DropsOneInTen, "every_message_arrives_exactly_once_at_each_node: node 0"),
        (Fault::Duplicates, "every_message_arrives_exactly_once_at_each_node: node 0 got"),
        (Fault::ReordersOnOneNode, "all_nodes_see_one_order_and_every_publishers_own: message 0"),
        (
            Fault::ForgetsUnsubscribe,
            "an_unsubscribed_node_gets_nothing_more_and_can_subscribe_again: messages",
        ),
        (Fault::CannotResubscribe, "an_unsubscribed_node_gets_nothing_more_and_can_subscribe_again: node 1"),
        (Fault::MixesKinds, "groups_and_channels_of_one_name_do_not_mix: "),
        (Fault::IgnoresTopics, "many_topics_stay_apart: "),
        (Fault::SubscribesLate, "a_subscribed_node_gets_what_any_node_publishes: node 0"),
        (Fault::SkipsOneself, "a_subscribed_node_gets_what_any_node_publishes: node 0"),
        (Fault::ChangesPayloads, "payloads_arrive_byte_for_byte: a payload of 1 bytes"),
        (Fault::CutsLargePayloads, "payloads_arrive_byte_for_byte: a payload of 10485"),
        (
            Fault::RepeatsChannelNames,
            "new_channels_are_legal_and_unique_over_nodes: new_channel gave channel",
        ),
        (
            Fault::IllegalChannelNames,
            "new_channels_are_legal_and_unique_over_nodes: new_channel gave the name",
        ),
        (Fault::RefusesWhereNobodyListens, "publishing_to_nobody_is_fine: node 0: publish"),
        (Fault::DiesOfDroppedPublish, "dropped_calls_leave_the_layer_sane: node 0: publish"),
        (Fault::Hangs, "publish of group"),
        (Fault::QueueGivesToEachTaker, "each_message_of_a_queue_goes_to_exactly_one_taker: Some(Mark"),
        (Fault::QueueDropsOneInTen, "each_message_of_a_queue_goes_to_exactly_one_taker: 5"),
        (Fault::QueueIsAStack, "a_queue_keeps_every_publishers_order: the messages of node 0"),
        (Fault::DroppedTakeLoses, "dropped_takes_lose_nothing: "),
        (Fault::CloseForgets, "a_closed_queue_gives_back_what_was_not_taken: 57 of 60"),
        (Fault::ClaimsAreEachNodesOwn, "an_id_is_claimed_once_over_all_nodes: 3 of 4"),
        (
            Fault::ClaimsIgnoreRevocations,
            "nothing_is_claimed_that_depends_on_what_was_revoked: node 0: an id was claimed",
        ),
        (
            Fault::RefusedClaimsCount,
            "nothing_is_claimed_that_depends_on_what_was_revoked: node 0: an id that was refused",
        ),
        (Fault::ClaimsNeverEnd, "claims_and_revocations_last_as_long_as_they_should: a claim for"),
        (Fault::RevocationsNeverEnd, "claims_and_revocations_last_as_long_as_they_should: a revocation for"),
        (Fault::ClaimsEndAtOnce, "claims_and_revocations_last_as_long_as_they_should: a claim was over"),
        (
            Fault::ShorterRevocationsEndLonger,
            "claims_and_revocations_last_as_long_as_they_should: a shorter revocation",
        ),
    ] {
        let failed = caught(fault).await;
        assert!(failed.contains(check), "{fault:?} gave: {failed}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_layer_that_reorders_everywhere_alike_breaks_the_publishers_order() {
    let suite = suite(Fault::ReordersOnAllNodes);
    let Failure(failed) = suite.all_nodes_see_one_order_and_every_publishers_own().await.unwrap_err();
    assert!(failed.contains("after number"), "{failed}");
}

#[tokio::test(start_paused = true)]
async fn a_small_fault_fails_its_own_checks_only() {
    let failed = caught(Fault::MixesKinds).await;
    assert_eq!(failed.trim().lines().count(), 1, "{failed}");
    let failed = caught(Fault::IllegalChannelNames).await;
    assert!(!failed.contains("many_topics"), "{failed}");
}
