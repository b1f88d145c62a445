use std::collections::VecDeque;
use std::fmt;
use std::sync::OnceLock;
use std::time::Duration;

use bytes::Bytes;
use narrows_core::{Gap, Inbound, LayerError, Position, Skipped, Topic};
use tokio::runtime::Handle;
use tokio::time::Instant;

use crate::sync::{Arc, Mutex, MutexGuard, Notify, lock};

/// The control of a [`FaultyLayer`](super::FaultyLayer): what goes wrong, and how often it has.
///
/// Clones are cheap and all control the same layer. Calls take effect at once, for what arrives at this node
/// from then on; several faults can be on together.
#[derive(Clone)]
pub struct Faults(Arc<Control>);

struct Control {
    inbound: OnceLock<Inbound>,
    /// Tells those who wait for a message of a queue that the link was cut.
    cut: Notify,
    plan: Mutex<Plan>,
}

type Predicate = dyn FnMut(&Topic, &[u8]) -> bool + Send;

/// Held while a message is handed in: so what is due stays in order.
#[derive(Default)]
struct Plan {
    disconnected: bool,
    drop_next: usize,
    drop_every: Option<u64>,
    drop_if: Option<Box<Predicate>>,
    drop_chance: f64,
    swap_next: usize,
    swap_chance: f64,
    delay: Option<(Duration, Handle)>,
    /// Waits for the message behind it, to let it pass.
    held: Option<Arrival>,
    delayed: VecDeque<(Instant, Arrival)>,
    refuse_reads: usize,
    read_delay: Duration,
    arrivals: u64,
    random: u64,
    counts: FaultCounts,
}

/// A message on its way to the node.
struct Arrival {
    topic: Topic,
    payload: Bytes,
    position: Option<Position>,
}

/// What a [`FaultyLayer`](super::FaultyLayer) has done so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct FaultCounts {
    /// Messages handed in to this node, late ones and swapped ones included.
    pub delivered: u64,
    /// Messages that arrived here and were dropped; those that came while disconnected, too.
    pub dropped: u64,
    /// Messages handed in late.
    pub delayed: u64,
    /// Pairs of messages handed in the wrong way round.
    pub swapped: u64,
    /// Calls that were answered with [`LayerError::Unavailable`].
    pub refused: u64,
    /// Reads of histories, those that were refused too.
    pub reads: u64,
}

impl Faults {
    pub(super) fn seeded(seed: u64) -> Self {
        let plan = Plan { random: seed, ..Plan::default() };
        Self(Arc::new(Control { inbound: OnceLock::new(), cut: Notify::new(), plan: Mutex::new(plan) }))
    }

    /// Drops the next `count` messages.
    pub fn drop_next(&self, count: usize) {
        self.plan().drop_next = count;
    }

    /// Drops each `nth` message, counted from now; 0 ends it.
    pub fn drop_every(&self, nth: u64) {
        let plan = &mut *self.plan();
        plan.drop_every = (nth > 0).then_some(nth);
        plan.arrivals = 0;
    }

    /// Drops the messages of which this is true, given the topic and the payload.
    pub fn drop_if(&self, is_it: impl FnMut(&Topic, &[u8]) -> bool + Send + 'static) {
        self.plan().drop_if = Some(Box::new(is_it));
    }

    /// Drops messages with this chance, from 0 to 1.
    pub fn drop_at_random(&self, chance: f64) {
        self.plan().drop_chance = chance;
    }

    /// Swaps the next `pairs` pairs: the first of a pair waits until the second has gone.
    pub fn swap_next(&self, pairs: usize) {
        self.plan().swap_next = pairs;
    }

    /// Swaps a message and the one behind it with this chance, from 0 to 1.
    pub fn swap_at_random(&self, chance: f64) {
        self.plan().swap_chance = chance;
    }

    /// Hands messages in this much later, in their order, by tokio's clock; [`Duration::ZERO`] ends it.
    ///
    /// # Panics
    /// Outside of a tokio runtime: that of the caller counts the time.
    pub fn delay(&self, delay: Duration) {
        self.plan().delay = (!delay.is_zero()).then(|| (delay, Handle::current()));
    }

    /// Refuses the next `count` reads of histories with [`LayerError::Unavailable`].
    pub fn refuse_reads(&self, count: usize) {
        self.plan().refuse_reads = count;
    }

    /// Answers reads of histories this much later, by tokio's clock; [`Duration::ZERO`] ends it. What is published meanwhile is
    /// in the answer.
    pub fn delay_reads(&self, delay: Duration) {
        self.plan().read_delay = delay;
    }

    /// Cuts the link: calls are refused with [`LayerError::Unavailable`], and what others publish is lost, but for
    /// what waits in a queue.
    pub fn disconnect(&self) {
        self.plan().disconnected = true;
        self.0.cut.notify_waiters();
    }

    /// Mends the link. Subscriptions are as they were, and the node is told that messages may be missing.
    pub fn reconnect(&self) {
        if std::mem::take(&mut self.plan().disconnected) {
            self.gap(None, Gap::Reconnected);
        }
    }

    /// Tells the node that messages may be missing: of one topic, or of any when it is `None`.
    pub fn gap(&self, topic: Option<&Topic>, gap: Gap) {
        if let Some(inbound) = self.0.inbound.get() {
            inbound.gap(topic, gap);
        }
    }

    pub(super) fn skipped(&self, why: Skipped, count: usize) {
        if let Some(inbound) = self.0.inbound.get() {
            inbound.skipped(why, count);
        }
    }

    /// Ends every fault, reconnects, and hands in what still waits. The counts stay.
    pub fn heal(&self) {
        let plan = &mut *self.plan();
        let held = plan.held.take();
        let waiting = std::mem::take(&mut plan.delayed).into_iter().map(|(_, arrival)| arrival);
        for arrival in waiting.chain(held) {
            self.hand_in(plan, arrival);
        }
        let reconnects = plan.disconnected;
        *plan = Plan { random: plan.random, counts: plan.counts, ..Plan::default() };
        if reconnects {
            self.gap(None, Gap::Reconnected);
        }
    }

    /// What has gone wrong so far.
    pub fn counts(&self) -> FaultCounts {
        self.plan().counts
    }

    pub(super) fn start(&self, inbound: Inbound) {
        // A second start would mean two hubs on one link; the first stays.
        let _ = self.0.inbound.set(inbound);
    }

    pub(super) fn check_link(&self) -> Result<(), LayerError> {
        let disconnected = self.plan().disconnected;
        if disconnected { Err(self.refuse()) } else { Ok(()) }
    }

    /// As [`check_link`](Self::check_link), for a read of a history; it takes its time.
    pub(super) async fn check_read(&self) -> Result<(), LayerError> {
        let (refused, delay) = {
            let plan = &mut *self.plan();
            plan.counts.reads += 1;
            let refused = plan.refuse_reads > 0;
            plan.refuse_reads = plan.refuse_reads.saturating_sub(1);
            (refused, plan.read_delay)
        };
        if !delay.is_zero() {
            tokio::time::sleep(delay).await;
        }
        if refused { Err(self.refuse()) } else { self.check_link() }
    }

    pub(super) fn refuse(&self) -> LayerError {
        self.plan().counts.refused += 1;
        LayerError::Unavailable("the test cut the link".into())
    }

    /// Ends when the link is cut from now on.
    pub(super) fn cut(&self) -> impl Future<Output = ()> + '_ {
        self.0.cut.notified()
    }

    pub(super) fn arrived(&self, topic: &Topic, payload: Bytes, position: Option<Position>) {
        let plan = &mut *self.plan();
        if plan.drops(topic, &payload) {
            plan.counts.dropped += 1;
            return;
        }
        let arrival = Arrival { topic: topic.clone(), payload, position };
        if let Some(held) = plan.held.take() {
            plan.counts.swapped += 1;
            self.pass(plan, arrival);
            self.pass(plan, held);
        } else if plan.swaps() {
            plan.held = Some(arrival);
        } else {
            self.pass(plan, arrival);
        }
    }

    /// Hands a message in now, or when it is due.
    fn pass(&self, plan: &mut Plan, arrival: Arrival) {
        let last_due = plan.delayed.back().map(|(due, _)| *due);
        let (due, runtime) = match (&plan.delay, last_due) {
            (None, None) => return self.hand_in(plan, arrival),
            // The delay was ended: behind those that still wait.
            (None, Some(last_due)) => (last_due, None),
            (Some((delay, runtime)), last_due) => {
                let due = Instant::now() + *delay;
                (last_due.map_or(due, |last_due| due.max(last_due)), Some(runtime))
            }
        };
        if let Some(runtime) = runtime {
            let faults = self.clone();
            runtime.spawn(async move {
                tokio::time::sleep_until(due).await;
                faults.hand_in_due();
            });
        }
        plan.counts.delayed += 1;
        plan.delayed.push_back((due, arrival));
    }

    fn hand_in_due(&self) {
        let (plan, now) = (&mut *self.plan(), Instant::now());
        while plan.delayed.front().is_some_and(|(due, _)| *due <= now) {
            let (_, arrival) = plan.delayed.pop_front().expect("it was just seen");
            self.hand_in(plan, arrival);
        }
    }

    fn hand_in(&self, plan: &mut Plan, arrival: Arrival) {
        let Some(inbound) = self.0.inbound.get() else { return };
        plan.counts.delivered += 1;
        match arrival.position {
            None => inbound.deliver(&arrival.topic, arrival.payload),
            Some(position) => inbound.deliver_at(&arrival.topic, arrival.payload, position),
        }
    }

    fn plan(&self) -> MutexGuard<'_, Plan> {
        lock(&self.0.plan)
    }
}

impl Plan {
    fn drops(&mut self, topic: &Topic, payload: &[u8]) -> bool {
        self.arrivals += 1;
        if self.disconnected {
            return true;
        }
        if self.drop_next > 0 {
            self.drop_next -= 1;
            return true;
        }
        self.drop_every.is_some_and(|nth| self.arrivals.is_multiple_of(nth))
            || self.drop_if.as_mut().is_some_and(|is_it| is_it(topic, payload))
            || self.happens(self.drop_chance)
    }

    fn swaps(&mut self) -> bool {
        if self.swap_next > 0 {
            self.swap_next -= 1;
            return true;
        }
        self.happens(self.swap_chance)
    }

    /// Splitmix64: enough for chance that is the same in every run.
    fn happens(&mut self, chance: f64) -> bool {
        if chance <= 0.0 {
            return false;
        }
        self.random = self.random.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.random;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((mixed ^ (mixed >> 31)) as f64) < chance * u64::MAX as f64
    }
}

impl fmt::Debug for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Faults").field("counts", &self.counts()).finish_non_exhaustive()
    }
}
