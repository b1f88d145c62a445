use std::collections::VecDeque;

use bytes::Bytes;
use narrows_core::{KeptPage, Position};
use tokio::time::Instant;

/// Where a topic with a history stands on this node: what came last, and what waits behind a hole.
///
/// It knows no layer and no member: what it is given it hands to `out` in the order in which members get it.
#[derive(Debug)]
pub(super) struct Track {
    last: Position,
    suspicion: Suspicion,
    /// The store is asked, or is about to be: nobody else needs to see to it.
    asks: bool,
    filling: Option<Box<Filling>>,
}

/// That messages may be missing of which none behind them has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Suspicion {
    None,
    /// Since the store was asked last: an answer that is on its way may know nothing of it.
    Told,
    /// The answer will tell.
    Asked,
}

/// What comes out of a track.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Out {
    Message(Option<Position>, Bytes),
    /// The same, read from the store.
    Refilled(Position, Bytes),
    /// Messages up to this position are lost.
    Lost(Position),
}

/// What the store is asked for is on its way. Meanwhile what arrives waits here.
#[derive(Debug)]
struct Filling {
    held: VecDeque<(Option<Position>, Bytes)>,
    bytes: usize,
    /// When the first of them came, or the store answered.
    since: Instant,
    /// How many answers in a row brought nothing.
    stuck: u8,
}

/// How a position follows the last one.
enum Follows {
    Next,
    /// It was here before.
    Old,
    Hole,
    /// It is of another history.
    Other,
}

impl Track {
    /// How much waits behind a hole at the most; with more, what is missing is given up.
    pub(super) const MAX_HELD: usize = 4096;
    pub(super) const MAX_HELD_BYTES: usize = 8 << 20;
    /// How often the store may answer without bringing what is missing.
    const MAX_STUCK: u8 = 3;

    pub(super) fn new(last: Position) -> Self {
        Self { last, suspicion: Suspicion::None, asks: false, filling: None }
    }

    pub(super) fn last(&self) -> Position {
        self.last
    }

    /// Whether nothing is missing, as far as is known.
    pub(super) fn is_whole(&self) -> bool {
        self.suspicion == Suspicion::None && self.filling.is_none()
    }

    /// Messages may be missing. `true` when the store is to be asked, and was not to be already.
    pub(super) fn suspect(&mut self) -> bool {
        self.suspicion = Suspicion::Told;
        self.begin()
    }

    /// From where on the store is asked now; `None` when nothing is missing any more.
    pub(super) fn ask(&mut self) -> Option<Position> {
        self.asks = !self.is_whole();
        if self.suspicion == Suspicion::Told {
            self.suspicion = Suspicion::Asked;
        }
        self.asks.then_some(self.last)
    }

    /// Since when something waits for the store.
    pub(super) fn waits_since(&self) -> Option<Instant> {
        self.filling.as_ref().filter(|filling| !filling.held.is_empty()).map(|filling| filling.since)
    }

    /// Takes a message with its position. `true` when the store is to be asked for what is missing before it.
    pub(super) fn arrived(&mut self, at: Position, payload: Bytes, mut out: impl FnMut(Out)) -> bool {
        if self.filling.is_some() {
            self.hold(Some(at), payload, out);
            return false;
        }
        match self.follows(at) {
            Follows::Old => {}
            Follows::Next => self.pass(at, payload, &mut out),
            Follows::Other => {
                self.lose_before(at, &mut out);
                self.pass(at, payload, &mut out);
            }
            Follows::Hole => {
                self.hold(Some(at), payload, out);
                return self.filling.is_some() && self.begin();
            }
        }
        false
    }

    /// Takes a message without a position.
    pub(super) fn arrived_plain(&mut self, payload: Bytes, mut out: impl FnMut(Out)) {
        if self.filling.is_some() {
            self.hold(None, payload, out);
        } else {
            out(Out::Message(None, payload));
        }
    }

    /// Takes what the store has after the position `after`; `full` when it may have more. `true` when it is to be asked again.
    pub(super) fn filled(
        &mut self,
        after: Position,
        page: KeptPage,
        full: bool,
        mut out: impl FnMut(Out),
    ) -> bool {
        if self.suspicion == Suspicion::Asked {
            self.suspicion = Suspicion::None;
        }
        let before = self.last;
        let mut filling = self.filling.take().unwrap_or_default();
        let mut messages = page.messages.into_iter().peekable();
        if before != after {
            // The answer is to an older question; what follows from where this is now is as good as ever.
            if !page.complete || before.epoch != page.top.epoch {
                return self.again(filling);
            }
        } else if !page.complete {
            let offset = messages.peek().map_or(page.top.offset, |(first, _)| first.saturating_sub(1));
            if page.top.epoch != after.epoch {
                filling.held.retain(|(at, _)| at.is_none_or(|at| at.epoch != after.epoch));
                filling.bytes = filling.held.iter().map(|(_, payload)| payload.len()).sum();
            }
            self.last = Position { offset, ..page.top };
            out(Out::Lost(self.last));
        }
        loop {
            let of_epoch = |at: Position| (at.epoch == self.last.epoch).then_some(at.offset);
            let next_held = filling.held.iter().find_map(|(at, _)| at.and_then(of_epoch));
            while let Some((offset, payload)) =
                messages.next_if(|(offset, _)| next_held.is_none_or(|next| *offset < next))
            {
                let at = Position { offset, ..self.last };
                match self.follows(at) {
                    Follows::Old => continue,
                    Follows::Next => {}
                    Follows::Hole | Follows::Other => self.lose_before(at, &mut out),
                }
                self.last = at;
                out(Out::Refilled(at, payload));
            }
            let follows = match filling.held.front() {
                None => break,
                // What has a position was sent before it, up to the next that waits.
                Some((None, _)) if full && next_held.is_none_or(|next| next > self.last.offset + 1) => break,
                Some((None, _)) => Follows::Next,
                Some((Some(at), _)) => self.follows(*at),
            };
            if matches!(follows, Follows::Hole) {
                break;
            }
            let Some((at, payload)) = filling.pop() else { break };
            match (follows, at) {
                (Follows::Old, _) => {}
                (_, None) => out(Out::Message(None, payload)),
                (follows, Some(at)) => {
                    if matches!(follows, Follows::Other) {
                        self.lose_before(at, &mut out);
                    }
                    self.pass(at, payload, &mut out);
                }
            }
        }
        if filling.held.is_empty() && !full {
            return self.end();
        }
        filling.stuck = if self.last == before { filling.stuck + 1 } else { 0 };
        if filling.stuck >= Self::MAX_STUCK {
            self.filling = Some(filling);
            self.give_up(out);
            return self.end();
        }
        self.again(filling)
    }

    /// Nobody will ask the store any more.
    pub(super) fn abandon(&mut self, out: impl FnMut(Out)) {
        self.give_up(out);
        (self.suspicion, self.asks) = (Suspicion::None, false);
    }

    /// Does without what is missing: what waits goes on, and the holes before it are said.
    pub(super) fn give_up(&mut self, mut out: impl FnMut(Out)) {
        let Some(mut filling) = self.filling.take() else { return };
        while let Some((at, payload)) = filling.pop() {
            let Some(at) = at else {
                out(Out::Message(None, payload));
                continue;
            };
            match self.follows(at) {
                Follows::Old => continue,
                Follows::Next => {}
                Follows::Hole | Follows::Other => self.lose_before(at, &mut out),
            }
            self.pass(at, payload, &mut out);
        }
    }

    /// The store is to be asked; `true` for the first to say so.
    fn begin(&mut self) -> bool {
        !std::mem::replace(&mut self.asks, true)
    }

    fn again(&mut self, mut filling: Box<Filling>) -> bool {
        filling.since = Instant::now();
        self.filling = Some(filling);
        self.asks = true;
        true
    }

    /// What was missing is there. `true` when the store is to be asked again all the same.
    fn end(&mut self) -> bool {
        self.asks = !self.is_whole();
        self.asks
    }

    fn hold(&mut self, at: Option<Position>, payload: Bytes, out: impl FnMut(Out)) {
        let filling = self.filling.get_or_insert_default();
        if filling.held.is_empty() {
            filling.since = Instant::now();
        }
        filling.bytes += payload.len();
        filling.held.push_back((at, payload));
        if filling.held.len() > Self::MAX_HELD || filling.bytes > Self::MAX_HELD_BYTES {
            self.give_up(out);
        }
    }

    fn pass(&mut self, at: Position, payload: Bytes, out: &mut impl FnMut(Out)) {
        self.last = at;
        out(Out::Message(Some(at), payload));
    }

    fn lose_before(&mut self, at: Position, out: &mut impl FnMut(Out)) {
        out(Out::Lost(Position { offset: at.offset.saturating_sub(1), ..at }));
    }

    fn follows(&self, at: Position) -> Follows {
        if at.epoch != self.last.epoch {
            return Follows::Other;
        }
        match at.offset {
            offset if offset <= self.last.offset => Follows::Old,
            offset if offset == self.last.offset + 1 => Follows::Next,
            _ => Follows::Hole,
        }
    }
}

impl Default for Filling {
    fn default() -> Self {
        Self { held: VecDeque::new(), bytes: 0, since: Instant::now(), stuck: 0 }
    }
}

impl Filling {
    fn pop(&mut self) -> Option<(Option<Position>, Bytes)> {
        let held = self.held.pop_front()?;
        self.bytes -= held.1.len();
        Some(held)
    }
}

#[cfg(all(test, not(narrows_loom)))]
#[path = "track_tests.rs"]
mod tests;
