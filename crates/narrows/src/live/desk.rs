use std::collections::HashMap;
use std::time::Duration;

use bytes::Bytes;
use narrows_core::PayloadFormat;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::wire::{Answer, Ask, Part, Said};
use crate::hub::Taker;
use crate::sync::{Arc, Mutex, lock};

/// What a node knows of the others, and the questions for which it waits.
///
/// It owns no seat in the hub, and may be dropped from within the hub's calls.
pub(super) struct Desk {
    pub(super) node: u64,
    format: PayloadFormat,
    papers: Mutex<Papers>,
    /// Where questions of others go.
    questions: mpsc::Sender<Ask>,
}

#[derive(Default)]
struct Papers {
    /// The other nodes, and since when they do not answer.
    known: HashMap<u64, Option<Instant>>,
    asked: HashMap<u32, mpsc::Sender<(u64, Part)>>,
    last: u32,
}

/// For how long a node that does not answer is still counted.
const FORGOTTEN: Duration = Duration::from_secs(60);

/// How many nodes are known at the most, and how many answers wait to be taken.
const MAX_NODES: usize = 1024;

/// How many questions of others wait.
const MAX_WAITING: usize = 64;

impl Desk {
    /// Beside it where the questions of others come.
    pub(super) fn new(node: u64, format: PayloadFormat) -> (Arc<Self>, mpsc::Receiver<Ask>) {
        let (questions, asked) = mpsc::channel(MAX_WAITING);
        (Arc::new(Self { node, format, papers: Mutex::default(), questions }), asked)
    }

    /// Opens a question; its number, and where the answers come. It is closed when that is dropped.
    pub(super) fn open(self: &Arc<Self>) -> Open {
        let (sender, answers) = mpsc::channel(MAX_NODES);
        let mut papers = lock(&self.papers);
        papers.last = papers.last.wrapping_add(1);
        let number = papers.last;
        papers.asked.insert(number, sender);
        Open { desk: self.clone(), number, answers }
    }

    /// The other nodes that are known.
    pub(super) fn known(&self) -> Vec<u64> {
        lock(&self.papers).known.keys().copied().collect()
    }

    /// These were asked and did not answer.
    pub(super) fn note_silent(&self, nodes: &[u64]) {
        let (mut papers, now) = (lock(&self.papers), Instant::now());
        for node in nodes {
            if let Some(since) = papers.known.get_mut(node) {
                let since = *since.get_or_insert(now);
                if now.duration_since(since) >= FORGOTTEN {
                    papers.known.remove(node);
                }
            }
        }
    }

    /// Heard of a node.
    fn note(&self, node: u64) {
        let known = &mut lock(&self.papers).known;
        if node != self.node && (known.len() < MAX_NODES || known.contains_key(&node)) {
            known.insert(node, None);
        }
    }

    /// `false` when too many questions wait already.
    fn hear(&self, payload: &Bytes) -> bool {
        match self.format.decode::<Said>(payload) {
            Ok(Said::Ask(ask)) if ask.from.0 == self.node => true,
            Ok(Said::Ask(ask)) => {
                self.note(ask.from.0);
                ask.to.is_some_and(|to| to.0 != self.node) || self.questions.try_send(ask).is_ok()
            }
            Ok(Said::Bye { node }) => {
                lock(&self.papers).known.remove(&node.0);
                true
            }
            Err(error) => {
                // A node of another version may ask for what this one does not know: it is silent then.
                tracing::debug!(%error, "a question about live connections was not understood");
                true
            }
        }
    }

    fn take_answer(&self, payload: &Bytes) {
        let Ok(Answer { node, number, part }) = self.format.decode::<Answer>(payload) else { return };
        self.note(node.0);
        if let Some(asked) = lock(&self.papers).asked.get(&number) {
            // One that came too late is of no use; nobody has so many nodes.
            let _ = asked.try_send((node.0, part));
        }
    }
}

/// A question that waits for its answers.
pub(super) struct Open {
    desk: Arc<Desk>,
    pub(super) number: u32,
    pub(super) answers: mpsc::Receiver<(u64, Part)>,
}

impl Drop for Open {
    fn drop(&mut self) {
        lock(&self.desk.papers).asked.remove(&self.number);
    }
}

/// Takes the questions of all.
pub(super) struct Ear(pub(super) Arc<Desk>);

impl Taker for Ear {
    fn take_in(&self, payload: &Bytes) -> bool {
        self.0.hear(payload)
    }
}

/// Takes the answers to this node.
pub(super) struct Tray(pub(super) Arc<Desk>);

impl Taker for Tray {
    fn take_in(&self, payload: &Bytes) -> bool {
        self.0.take_answer(payload);
        true
    }
}
