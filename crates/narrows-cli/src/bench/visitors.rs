use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

use super::drive::Load;
use super::end::End;
use super::error::BenchError;
use super::groups::Groups;
use super::pump::{Listener, Members, Pump, Socket};
use super::recorder::histogram;
use super::schedule::Schedule;
use super::sequence;

/// A group that stays, at the first places, and visitors at the places behind it.
pub(super) struct Visited {
    pub(super) groups: Groups,
    members: usize,
    patience: Duration,
    per_second: f64,
    schedule: Schedule,
    visitors: Vec<Visitor>,
    free: Vec<usize>,
    leaving: Vec<usize>,
    looked_at: Instant,
    started: usize,
    pub(super) visits: u64,
    pub(super) failed: u64,
    pub(super) first_failure: Option<End>,
    /// In nanoseconds.
    pub(super) first_message: Histogram<u64>,
}

#[derive(Debug, Clone, Copy)]
struct Visitor {
    since: Instant,
    stage: Stage,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Away,
    Connecting,
    /// For a message with this number or a later one: those were sent after the handshake.
    Waiting(u64),
    Leaving,
}

impl Visited {
    pub(super) fn new(
        groups: Groups,
        members: usize,
        most: usize,
        per_second: f64,
        patience: Duration,
    ) -> Self {
        let now = Instant::now();
        Self {
            groups,
            members,
            patience,
            per_second,
            schedule: Schedule::new(now, per_second),
            visitors: vec![Visitor { since: now, stage: Stage::Away }; most],
            free: (0..most).collect(),
            leaving: Vec::new(),
            looked_at: now,
            started: 0,
            visits: 0,
            failed: 0,
            first_failure: None,
            first_message: histogram(),
        }
    }

    /// Counts visits from now on.
    pub(super) fn restart(&mut self) {
        (self.visits, self.schedule) = (0, Schedule::new(Instant::now(), self.per_second));
        self.first_message.reset();
    }

    fn invite(&mut self, pump: &mut Pump, visitor: usize) {
        let (place, number) = (self.members + visitor, self.members + self.started);
        self.visitors[visitor] = Visitor { since: Instant::now(), stage: Stage::Connecting };
        let socket = Socket { from: pump.sources.in_turn(self.started), receive_buffer: None };
        self.started += 1;
        if let Err(end) = pump.connect(place, number, socket) {
            self.ended(place, end, Instant::now());
        }
    }

    /// Sends those away that got nothing.
    fn give_up(&mut self, pump: &mut Pump, now: Instant) {
        for visitor in 0..self.visitors.len() {
            let Visitor { since, stage } = self.visitors[visitor];
            if stage == Stage::Away || now.saturating_duration_since(since) <= self.patience {
                continue;
            }
            let place = self.members + visitor;
            let Some(end) = pump.members.give_up(place) else { continue };
            let end = match stage {
                Stage::Waiting(_) => End::Garbage("it sent a visitor no message".to_owned()),
                _ => end,
            };
            self.ended(place, end, now);
        }
    }
}

/// How many visitors may be there at once: those of two seconds. A server that is slower is not asked for more.
pub(super) fn most_visitors(per_second: f64) -> usize {
    (per_second * 2.0).clamp(64.0, 8192.0) as usize
}

impl Load for Visited {
    fn groups(&mut self) -> &mut Groups {
        &mut self.groups
    }

    fn step(&mut self, pump: &mut Pump, now: Instant) -> Result<Option<Instant>, BenchError> {
        while !self.free.is_empty() && self.schedule.take(now).is_some() {
            let Some(visitor) = self.free.pop() else { break };
            self.invite(pump, visitor);
        }
        if now.duration_since(self.looked_at) > Duration::from_millis(200) {
            self.looked_at = now;
            self.give_up(pump, now);
        }
        Ok((!self.free.is_empty()).then(|| self.schedule.next()))
    }
}

impl Listener for Visited {
    fn opened(&mut self, place: usize, _at: Instant) {
        if let Some(visitor) = place.checked_sub(self.members) {
            self.visitors[visitor].stage = Stage::Waiting(self.groups.next_number());
        }
    }

    fn message(&mut self, place: usize, payload: &[u8], at: Instant) {
        let Some(visitor) = place.checked_sub(self.members) else {
            return self.groups.message(place, payload, at);
        };
        let Visitor { since, stage: Stage::Waiting(first) } = self.visitors[visitor] else { return };
        if sequence::number(payload).is_some_and(|number| number >= first) {
            self.visitors[visitor].stage = Stage::Leaving;
            self.first_message.saturating_record(at.saturating_duration_since(since).as_nanos() as u64);
            self.leaving.push(place);
        }
    }

    fn ended(&mut self, place: usize, end: End, at: Instant) {
        let Some(visitor) = place.checked_sub(self.members) else {
            return self.groups.ended(place, end, at);
        };
        self.visitors[visitor].stage = Stage::Away;
        self.free.push(visitor);
        match end {
            End::Left => self.visits += 1,
            end => {
                self.failed += 1;
                self.first_failure.get_or_insert(end);
            }
        }
    }

    fn settle(&mut self, members: &mut Members) {
        self.groups.settle(members);
        for place in self.leaving.drain(..) {
            if let Some(member) = members.get(place) {
                member.leave();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn visitors_are_bounded_however_many_are_asked_for() {
        assert_eq!([1.0, 100.0, 1e9].map(most_visitors), [64, 200, 8192]);
    }
}
