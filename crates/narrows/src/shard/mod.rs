//! The shards: one thread each, with its own runtime, that owns its connections outright.
//!
//! A connection lives on one shard – its socket, its consumer's task, its places in the lists of members –
//! so nothing on a message's way to a socket is locked or atomic. Other threads reach a shard through its
//! [`Mailbox`] only.

#[cfg(feature = "internals")]
pub(crate) mod bench;
mod clock;
mod fatal;
#[cfg(feature = "internals")]
pub(crate) mod faults;
mod heartbeat;
mod look;
mod mailbox;
mod notify;
mod outbox;
mod past;
mod placement;
mod running;
mod slot;
mod socket;
mod state;
mod thread;
mod tick;
mod topics;
mod watch;
mod watchdog;
mod wheel;

use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::atomic::AtomicU32;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::time::{Interval, MissedTickBehavior};

use self::fatal::NoUnwind;
pub(crate) use self::look::{Look, Wanted};
pub(crate) use self::mailbox::Mail;
use self::mailbox::Mailbox;
pub(crate) use self::outbox::{Frame, FrameKind};
pub(crate) use self::past::{CaughtUp, Room, Waiting};
use self::placement::Load;
pub(crate) use self::placement::{Placed, choose};
use self::running::RunningCell;
pub(crate) use self::running::{Code, Method, marked};
pub(crate) use self::slot::{End, InboxItem, SlotKey};
pub(crate) use self::socket::Socket;
pub(crate) use self::state::{Ready, Refused, State};
use self::thread::Stopped;
pub(crate) use self::watch::{Quota, Watch};
pub(crate) use self::watchdog::Watchdog;
use crate::hub::{Delivery, Relay};
use crate::stats::{Counters, DropReason, Tally};
use crate::sync::Arc;

/// A shard as other threads know it.
pub(crate) struct Shard {
    id: u32,
    /// Its number among those of its node, as its thread is named and the log says it.
    index: usize,
    mailbox: Mailbox,
    runtime: Handle,
    load: Load,
    running: RunningCell,
    watch: Arc<Watch>,
    counters: Arc<Counters>,
    tally: Arc<Tally>,
}

thread_local! {
    /// The states of the shards that run on this thread: one, or a few in a test of several nodes.
    static HERE: RefCell<Vec<(u32, Rc<RefCell<State>>)>> = const { RefCell::new(Vec::new()) };
}

static NEXT_ID: AtomicU32 = AtomicU32::new(0);

impl Shard {
    /// Whether the caller runs on this shard's thread.
    pub(crate) fn is_here(&self) -> bool {
        HERE.try_with(|here| here.borrow().iter().any(|(id, _)| *id == self.id)).unwrap_or(false)
    }

    /// Works on the shard's state, if the caller is on its thread.
    pub(crate) fn local<R>(&self, work: impl FnOnce(&mut State) -> R) -> Option<R> {
        HERE.try_with(|here| {
            let here = here.borrow();
            let (_, state) = here.iter().find(|(id, _)| *id == self.id)?;
            // All of it is the engine's own code, on what all connections share: in a session's task the runtime
            // would keep a panic to itself.
            let whole = NoUnwind::new(self.index);
            let done = work(&mut state.borrow_mut());
            whole.disarm();
            Some(done)
        })
        .ok()
        .flatten()
    }

    /// Works on the shard's state from wherever the caller is. `None` when the shard has ended.
    ///
    /// # Cancel safety
    /// When dropped on another thread than the shard's, the work may still be done.
    pub(crate) async fn run<R: Send + 'static>(
        &self,
        work: impl FnOnce(&mut State) -> R + Send + 'static,
    ) -> Option<R> {
        if self.is_here() {
            return self.local(work);
        }
        let (answer, answered) = tokio::sync::oneshot::channel();
        self.post(Mail::Run(Box::new(move |state| {
            // Nobody waits for it any more: nothing to do about that here.
            let _ = answer.send(work(state));
        })));
        answered.await.ok()
    }

    /// Forgets a connection; called on the shard's thread.
    pub(crate) fn remove(&self, key: SlotKey) {
        let slot = self.local(|state| state.remove(key));
        self.load.count_out();
        // Dropped while nothing is borrowed: its parts may wake others.
        drop(slot);
    }

    pub(crate) fn tally(&self) -> &Tally {
        &self.tally
    }

    pub(crate) fn post(&self, mail: Mail) {
        self.mailbox.post(mail);
    }

    /// Posts what can be refused; `false` when the shard already has more than it keeps.
    pub(crate) fn post_if_room(&self, mail: Mail) -> bool {
        self.mailbox.post_if_room(mail)
    }

    /// Hands a message to the shard's members; never waits. Calls for one topic keep their order.
    pub(crate) fn deliver(&self, delivery: Arc<Delivery>) {
        if !self.mailbox.deliver(delivery) {
            self.counters.drop_of(DropReason::ShardBacklog, 1);
        }
    }

    /// Waits while the shard has much more to deliver than it can at once.
    pub(crate) async fn room(&self) {
        self.mailbox.room().await;
    }

    pub(crate) fn spawn_task(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.runtime.spawn(task);
    }

    /// Ends each of the shard's connections, one after another, spread evenly over a window of time.
    pub(crate) async fn drain(self: Arc<Self>, window: Duration) {
        let Some(live) = self.run(|state| state.live()).await else { return };
        let start = tokio::time::Instant::now();
        let count = u32::try_from(live.len().max(1)).unwrap_or(u32::MAX);
        for (key, n) in live.into_iter().zip(0u32..) {
            let at = start + window.mul_f64(f64::from(n) / f64::from(count));
            // Below the timer's grain a sleep would only stretch the window.
            if at > tokio::time::Instant::now() + Duration::from_millis(1) {
                tokio::time::sleep_until(at).await;
            }
            self.run(move |state| state.finish(key, End::Drain)).await;
        }
    }
}

/// The shard's own future: it takes in mail, ends the tick and drives the heartbeat.
struct Engine {
    shard: Arc<Shard>,
    tick: Duration,
    clock: Option<Interval>,
    spare: Vec<Mail>,
}

impl Engine {
    fn state(&self) -> Option<Rc<RefCell<State>>> {
        HERE.with_borrow(|here| here.iter().find(|(id, _)| *id == self.shard.id).map(|(_, s)| s.clone()))
    }

    fn begin(&self) -> Rc<RefCell<State>> {
        let state = Rc::new(RefCell::new(State::new(
            self.tick,
            self.shard.counters.clone(),
            self.shard.tally.clone(),
        )));
        HERE.with_borrow_mut(|here| here.push((self.shard.id, state.clone())));
        state
    }

    /// Takes in one piece of mail; `false` when it is the last.
    fn take_in(&self, state: &RefCell<State>, mail: Mail) -> bool {
        match mail {
            Mail::Deliver(delivery) => deliver(state, &delivery, Some(&self.shard), &self.shard.counters),
            Mail::Gap(topic, gap) => state.borrow_mut().notify_gap(topic, gap),
            Mail::Settle(topic, id, at) => state.borrow_mut().settle(&topic, id, at),
            Mail::Lost(topic, id, at) => state.borrow_mut().lose(&topic, id, at),
            Mail::Run(work) => work(&mut state.borrow_mut()),
            Mail::Adopt(serve) => serve(),
            Mail::Stop => return false,
        }
        true
    }
}

impl Future for Engine {
    type Output = Stopped;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Stopped> {
        let state = self.state().unwrap_or_else(|| self.begin());
        self.shard.mailbox.register(cx.waker());
        // This very poll ends the tick: frames that it makes itself need not wake it once more.
        let ticker = state.borrow_mut().ticker.take();
        let spare = std::mem::take(&mut self.spare);
        let mut mail = self.shard.mailbox.take(spare);
        for piece in mail.drain(..) {
            if !self.take_in(&state, piece) {
                state.borrow_mut().flush();
                return Poll::Ready(Stopped(()));
            }
        }
        if mail.capacity() <= 4096 {
            self.spare = mail;
        }
        let tick = self.tick;
        let clock = self.clock.get_or_insert_with(|| {
            let mut clock = tokio::time::interval_at(tokio::time::Instant::now() + tick, tick);
            clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
            clock
        });
        while clock.poll_tick(cx).is_ready() {
            state.borrow_mut().heartbeat();
        }
        let mut state = state.borrow_mut();
        state.flush();
        state.ticker = ticker.filter(|t| t.will_wake(cx.waker())).or_else(|| Some(cx.waker().clone()));
        Poll::Pending
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        let id = self.shard.id;
        // The state outlives the removal from the list: what its slots drop may look for it there.
        let gone = HERE.try_with(|here| {
            let mut here = here.borrow_mut();
            here.iter().position(|(other, _)| *other == id).map(|at| here.swap_remove(at))
        });
        drop(gone);
    }
}

impl State {
    /// How one of a topic's lists wants its messages written, and by whose code.
    fn relay(&mut self, topic: u64, list: usize) -> Option<(Relay, Option<Code>)> {
        let (relay, members) = self.topics.get(topic)?.relays.get(list)?;
        let (relay, first) = (*relay, members.first().copied());
        // All members of a list are of one consumer.
        let settings = first.and_then(|index| self.slots.at(index).settings.as_ref());
        Some((relay, settings.map(|settings| settings.code(Method::Encode))))
    }
}

/// Brings one message to the shard's members. The message's own code runs while nothing is borrowed.
fn deliver(state: &RefCell<State>, delivery: &Arc<Delivery>, shard: Option<&Shard>, counters: &Counters) {
    if let Some((topic, position)) = delivery.group().zip(delivery.position()) {
        state.borrow_mut().pass(topic, delivery.topic, position);
    }
    for list in 0.. {
        let Some((relay, code)) = state.borrow_mut().relay(delivery.topic, list) else { break };
        let mark = shard.zip(code).map(|(shard, code)| shard.mark(code));
        let frame = written(delivery, &relay, counters);
        drop(mark);
        if let Some(frame) = frame {
            state.borrow_mut().spread(delivery.topic, list, frame);
        }
    }
    if state.borrow_mut().notify(delivery) {
        held(state, delivery, counters);
    }
}

/// Brings a message to those who are on their way to be members.
fn held(state: &RefCell<State>, delivery: &Arc<Delivery>, counters: &Counters) {
    if delivery.position().is_none() {
        let caught_up = state.borrow().caught_up(delivery.topic);
        for (slot, relay) in caught_up {
            if let Some(frame) = written(delivery, &relay, counters) {
                state.borrow_mut().push_if_open(slot, frame);
            }
        }
    }
    state.borrow_mut().hold(delivery);
}

/// The frame for a relay's members; a message that cannot be written is counted and skipped.
pub(crate) fn written(delivery: &Delivery, relay: &Relay, counters: &Counters) -> Option<Frame> {
    match delivery.frame(relay) {
        Ok(frame) => frame,
        Err(error) => {
            counters.drop_of(error.drop_reason(), 1);
            tracing::warn!(topic = delivery.topic, %error, "a message of a group was skipped");
            None
        }
    }
}
