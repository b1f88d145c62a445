use std::collections::HashMap;
use std::time::Duration;

use bytes::Bytes;
use narrows_core::PayloadFormat;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::wire::{Answer, Ask, Head, Part, Said};
use crate::hub::Taker;
use crate::sync::{Arc, Mutex, lock};

/// What a node knows of the others, and the questions for which it waits.
///
/// It owns no seat in the hub, and may be dropped from within the hub's calls.
pub(super) struct Desk {
    pub(super) node: u64,
    format: PayloadFormat,
    papers: Mutex<Papers>,
    /// Where the keeper takes what came.
    letters: mpsc::Sender<Letter>,
}

/// What came from others, not read yet: that is not for the thread on which all messages arrive.
pub(super) enum Letter {
    Said(Bytes),
    Answer(Bytes),
}

#[derive(Default)]
struct Papers {
    /// The other nodes, and since when they do not answer.
    known: HashMap<u64, Option<Instant>>,
    asked: HashMap<u32, mpsc::Sender<Bytes>>,
    last: u32,
}

/// For how long a node that does not answer is still counted.
const FORGOTTEN: Duration = Duration::from_secs(60);

/// How many nodes are known at the most, and how many answers wait to be taken.
const MAX_NODES: usize = 1024;

/// How many letters wait to be read. Of more the rest is dropped: who asked takes this node for silent.
const MAX_LETTERS: usize = 256;

impl Desk {
    /// Beside it where the letters of others come.
    pub(super) fn new(node: u64, format: PayloadFormat) -> (Arc<Self>, mpsc::Receiver<Letter>) {
        let (letters, came) = mpsc::channel(MAX_LETTERS);
        (Arc::new(Self { node, format, papers: Mutex::default(), letters }), came)
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

    /// The question in a letter, where it is one for this node.
    pub(super) fn read(&self, letter: &Letter) -> Option<Ask> {
        let payload = match letter {
            Letter::Said(payload) => payload,
            Letter::Answer(payload) => {
                // Nobody waits for it any more, but its node is there.
                if let Ok(Head { node, .. }) = self.format.decode(payload) {
                    self.note(node.0);
                }
                return None;
            }
        };
        match self.format.decode::<Said>(payload) {
            Ok(Said::Ask(ask)) if ask.from.0 == self.node => None,
            Ok(Said::Ask(ask)) => {
                self.note(ask.from.0);
                Some(ask).filter(|ask| ask.to.is_none_or(|to| to.0 == self.node))
            }
            Ok(Said::Bye { node }) => {
                lock(&self.papers).known.remove(&node.0);
                None
            }
            Err(error) => {
                // A node of another version may ask for what this one does not know: it is silent then.
                tracing::debug!(%error, "a question about live connections was not understood");
                None
            }
        }
    }

    /// Hands an answer to all who wait for any: whose it is they see.
    fn take_answer(&self, payload: &Bytes) -> bool {
        let papers = lock(&self.papers);
        for asked in papers.asked.values() {
            // One that came too late is of no use; nobody has so many nodes.
            let _ = asked.try_send(payload.clone());
        }
        let is_awaited = !papers.asked.is_empty();
        drop(papers);
        is_awaited || self.letters.try_send(Letter::Answer(payload.clone())).is_ok()
    }
}

/// A question that waits for its answers.
pub(super) struct Open {
    desk: Arc<Desk>,
    pub(super) number: u32,
    answers: mpsc::Receiver<Bytes>,
}

impl Open {
    /// The next answer to this question: a node, and what it says.
    ///
    /// # Cancel safety
    /// Dropped, it loses no answer.
    pub(super) async fn next(&mut self) -> Option<(u64, Part)> {
        loop {
            let payload = self.answers.recv().await?;
            let Ok(Head { node, number }) = self.desk.format.decode(&payload) else { continue };
            self.desk.note(node.0);
            if number != self.number {
                continue;
            }
            match self.desk.format.decode::<Answer>(&payload) {
                Ok(answer) => return Some((node.0, answer.part)),
                Err(error) => tracing::debug!(%error, "an answer about live connections was not understood"),
            }
        }
    }
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
        self.0.letters.try_send(Letter::Said(payload.clone())).is_ok()
    }
}

/// Takes the answers to this node.
pub(super) struct Tray(pub(super) Arc<Desk>);

impl Taker for Tray {
    fn take_in(&self, payload: &Bytes) -> bool {
        self.0.take_answer(payload)
    }
}
