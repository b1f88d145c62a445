use std::future::Future;
use std::sync::Weak;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use narrows_core::LayerError;
use tokio::sync::{Notify, Semaphore, mpsc, watch};
use tokio::time::Instant;

use super::desk::{Desk, Ear, Letter, Open, Tray};
use super::here::{Here, MAX_GROUPS};
use super::wire::{Answer, Ask, NodeId, Part, Said, What, answers, questions};
use crate::channels::{BroadcastError, Channels, WeakChannels};
use crate::hub::{Hub, Seat};
use crate::shard::Shard;
use crate::sync::{Arc, Mutex, lock};

/// A node's part in the questions about live connections.
///
/// It listens once somebody wanted to know, and costs nothing before that.
pub(crate) struct LiveRegister {
    hub: Arc<Hub>,
    pub(super) desk: Arc<Desk>,
    /// Kept while the questions and answers of others are heard.
    seats: Mutex<Option<(Seat, Seat)>>,
    /// Since when they are.
    listens: watch::Sender<Option<Instant>>,
    wanted: AtomicBool,
    /// Wakes the keeper.
    wake: Arc<Notify>,
    /// For the keeper; taken when it begins.
    letters: Mutex<Option<mpsc::Receiver<Letter>>>,
}

/// For how long answers are waited for.
pub(super) const PATIENCE: Duration = Duration::from_secs(1);

/// How many questions of others are worked on at once.
const AT_ONCE: usize = 8;

/// The longest wait between attempts to listen.
const MAX_RETRY: Duration = Duration::from_secs(32);

/// What the others said.
pub(super) struct Heard {
    pub(super) parts: Vec<(u64, Part)>,
    /// The known ones that did not answer.
    pub(super) silent: usize,
    /// Why the question went to nobody.
    pub(super) failed: Option<BroadcastError>,
}

impl LiveRegister {
    pub(crate) fn new(hub: Arc<Hub>) -> Arc<Self> {
        let (desk, letters) = Desk::new(rand::random(), hub.format());
        Arc::new(Self {
            hub,
            desk,
            seats: Mutex::default(),
            listens: watch::Sender::new(None),
            wanted: AtomicBool::new(false),
            wake: Arc::default(),
            letters: Mutex::new(Some(letters)),
        })
    }

    /// Has this node answer the questions of others, as soon as it has shards.
    pub(crate) fn want(self: &Arc<Self>, channels: &Channels) {
        self.wanted.store(true, Ordering::Release);
        self.begin(channels, self.hub.started_shards());
    }

    /// Begins to listen, where that is wanted; called when the shards have started.
    pub(crate) fn begin(self: &Arc<Self>, channels: &Channels, shards: &[Arc<Shard>]) {
        if !self.wanted.load(Ordering::Acquire) {
            return;
        }
        let Some(shard) = shards.first() else { return };
        if let Some(letters) = lock(&self.letters).take() {
            let keeper = Keeper {
                register: Arc::downgrade(self),
                channels: channels.downgrade(),
                wake: self.wake.clone(),
                letters,
                next: None,
            };
            shard.spawn_task(keeper.run());
        } else {
            self.wake.notify_one();
        }
    }

    /// Says good-bye, and answers nobody any more.
    pub(crate) async fn let_go(&self) {
        self.wanted.store(false, Ordering::Release);
        let seats = lock(&self.seats).take();
        if self.listens.send_replace(None).is_some() {
            let bye = Said::Bye { node: NodeId(self.desk.node) };
            // They find out by themselves where the layer is away.
            if tokio::time::timeout(PATIENCE, self.say(&bye)).await.is_err() {
                tracing::debug!("the other nodes were not told that this one goes");
            }
        }
        drop(seats);
    }

    /// Asks the others, or one of them, and waits for what they say.
    pub(super) async fn ask(&self, what: What, to: Option<u64>, patience: Duration) -> Heard {
        let deadline = Instant::now() + patience;
        let mut heard = Heard { parts: Vec::new(), silent: 0, failed: None };
        let mut listens = self.listens.subscribe();
        let listening = listens.wait_for(Option::is_some);
        let since = match tokio::time::timeout_at(deadline, listening).await {
            Ok(Ok(since)) => *since,
            // It cannot be heard, so nobody is asked.
            _ => {
                heard.failed = Some(LayerError::Closed.into());
                return heard;
            }
        };
        let mut open = self.desk.open();
        let ask = Ask { from: NodeId(self.desk.node), number: open.number, to: to.map(NodeId), what };
        let said = Said::Ask(ask);
        match tokio::time::timeout_at(deadline, self.say(&said)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => heard.failed = Some(error),
            Err(_) => heard.failed = Some(LayerError::Closed.into()),
        }
        if heard.failed.is_none() {
            let settled = since.map_or(deadline, |since| since + PATIENCE);
            self.gather(&mut open, to, deadline, settled, &mut heard.parts).await;
        }
        let answered = |node: &u64| heard.parts.iter().any(|(known, _)| known == node);
        let mut silent = self.desk.known();
        silent.retain(|node| !answered(node) && to.is_none_or(|to| to == *node));
        if heard.failed.is_none() {
            self.desk.note_silent(&silent);
        }
        heard.silent = silent.len();
        heard
    }

    /// Waits until all who are known have answered; until `settled` for others, too.
    async fn gather(
        &self,
        open: &mut Open,
        to: Option<u64>,
        deadline: Instant,
        settled: Instant,
        parts: &mut Vec<(u64, Part)>,
    ) {
        let expected = to.map_or_else(|| self.desk.known(), |to| vec![to]);
        loop {
            let all = expected.iter().all(|node| parts.iter().any(|(known, _)| known == node));
            let until = match (all, to) {
                (false, _) => deadline,
                (true, Some(_)) => return,
                (true, None) => settled.min(deadline),
            };
            match tokio::time::timeout_at(until, open.next()).await {
                // Told twice, it counts once.
                Ok(Some((node, part))) if parts.iter().all(|(known, _)| *known != node) => {
                    parts.push((node, part));
                }
                Ok(Some(_)) => {}
                Ok(None) | Err(_) => return,
            }
        }
    }

    async fn say(&self, said: &Said) -> Result<(), BroadcastError> {
        let payload = self.hub.format().encode(said)?;
        Ok(self.hub.publish(&questions().topic(), payload).await?)
    }
}

/// What this node says to a question.
pub(super) fn part(channels: Channels, node: u64, what: What) -> impl Future<Output = Part> + Send {
    let part = async move {
        let here = Here { channels: &channels, node };
        match what {
            What::Here => Part::Here,
            What::Connections(filter) => Part::Connections(here.connections(&filter).await),
            What::Connection(id) => Part::Connection(here.connection(id).await.map(Box::new)),
            What::Totals => Part::Totals(here.totals().await),
            What::Groups { prefix, most } => {
                let (groups, count) = here.groups(&prefix, most.min(MAX_GROUPS)).await;
                Part::Groups { groups, count }
            }
            What::End { id, reason } => Part::Done(here.end(id, &reason).await),
            What::Send { id, message } => Part::Done(here.send(id, message).await.unwrap_or(false)),
        }
    };
    Box::pin(part)
}

/// The one task of a node that listens: it hears questions, and answers.
struct Keeper {
    register: Weak<LiveRegister>,
    channels: WeakChannels,
    wake: Arc<Notify>,
    letters: mpsc::Receiver<Letter>,
    /// The question that is worked on next.
    next: Option<Ask>,
}

impl Keeper {
    async fn run(mut self) {
        let at_once = Arc::new(Semaphore::new(AT_ONCE));
        let mut retry = Duration::from_secs(1);
        loop {
            let Some(heard) = self.listen().await else { return };
            tokio::select! {
                letter = self.letters.recv(), if self.next.is_none() => {
                    let Some(letter) = letter else { return };
                    let Some(register) = self.register.upgrade() else { return };
                    self.next = register.desk.read(&letter);
                }
                turn = at_once.clone().acquire_owned(), if self.next.is_some() => {
                    let (Ok(turn), Some(ask)) = (turn, self.next.take()) else { return };
                    let Some(channels) = self.channels.upgrade() else { return };
                    tokio::spawn(async move {
                        answer(channels, ask).await;
                        drop(turn);
                    });
                }
                () = self.wake.notified() => retry = Duration::from_secs(1),
                () = tokio::time::sleep(retry), if !heard => retry = (retry * 2).min(MAX_RETRY),
            }
        }
    }

    /// Listens, where that is wanted; `None` when the node is gone, and `false` when it could not.
    async fn listen(&self) -> Option<bool> {
        let register = self.register.upgrade()?;
        if !register.wanted.load(Ordering::Acquire) || register.listens.borrow().is_some() {
            return Some(true);
        }
        let (hub, desk) = (register.hub.clone(), register.desk.clone());
        drop(register);
        let (ear, heard) = Seat::new(hub.clone(), &questions().topic(), Some(Arc::new(Ear(desk.clone()))));
        let tray = Arc::new(Tray(desk.clone()));
        let (tray, taken) = Seat::new(hub, &answers(desk.node).topic(), Some(tray));
        // Not kept while it waits: they know the way back to this task.
        drop(desk);
        for subscribed in [heard, taken] {
            if let Err(error) = subscribed.wait().await {
                tracing::debug!(%error, "questions about live connections are not heard yet");
                return Some(false);
            }
        }
        let register = self.register.upgrade()?;
        *lock(&register.seats) = Some((ear, tray));
        register.listens.send_replace(Some(Instant::now()));
        if !register.wanted.load(Ordering::Acquire) {
            register.let_go().await;
            return Some(true);
        }
        // Those who are here know of this one then, and say that they are.
        let ask = Ask { from: NodeId(register.desk.node), number: 0, to: None, what: What::Here };
        if let Err(error) = register.say(&Said::Ask(ask)).await {
            tracing::debug!(%error, "the other nodes were not told of this one");
        }
        Some(true)
    }
}

async fn answer(channels: Channels, ask: Ask) {
    let (hub, register) = (channels.hub().clone(), channels.live_register().clone());
    let node = register.desk.node;
    let Ask { from, number, what, .. } = ask;
    // Who asked does not wait any longer; what is to be done is done to its end.
    let part = match what {
        What::End { .. } | What::Send { .. } => part(channels, node, what).await,
        what => match tokio::time::timeout(PATIENCE, part(channels, node, what)).await {
            Ok(part) => part,
            Err(_) => return,
        },
    };
    if register.listens.borrow().is_none() {
        // It has said good-bye meanwhile: they would take it for one that is still there.
        return;
    }
    let payload = match hub.format().encode(&Answer { node: NodeId(node), number, part }) {
        Ok(payload) => payload,
        Err(error) => {
            tracing::warn!(%error, "an answer about live connections cannot be written");
            return;
        }
    };
    if let Err(error) = hub.publish(&answers(from.0).topic(), payload).await {
        tracing::debug!(%error, "an answer about live connections was not sent");
    }
}
