use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

use super::delivered::Delivered;
use super::drive::{Load, Phase};
use super::end::End;
use super::error::BenchError;
use super::faults::Faults;
use super::frame;
use super::groups::Groups;
use super::pump::{Listener, Members, Pump};
use super::recorder::histogram;
use super::report::LatencyMicros;
use super::usage::Server;

/// A group that is measured, at the first places, and members that never read at the places behind it.
pub(super) struct Beside<'a> {
    pub(super) groups: Groups,
    readers: usize,
    server: Option<&'a Server>,
    stalled: Vec<Stalled>,
    peak_kib: Option<u64>,
    looked_at: Instant,
}

/// What is known of a member that never reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stalled {
    Unknown,
    /// It was read in the end, and answered.
    Alive,
    Ended,
}

/// What all phases of one kind came to.
#[derive(Debug)]
pub(super) struct Kind {
    pub(super) time: Duration,
    in_time: u64,
    pub(super) published: u64,
    pub(super) deliveries: u64,
    pub(super) faults: Faults,
    /// In nanoseconds.
    pub(super) latency: Histogram<u64>,
    /// Deliveries a second, phase after phase.
    pub(super) pieces: Vec<Vec<(f64, f64)>>,
}

impl<'a> Beside<'a> {
    pub(super) fn new(groups: Groups, readers: usize, server: Option<&'a Server>) -> Self {
        Self { groups, readers, server, stalled: Vec::new(), peak_kib: None, looked_at: Instant::now() }
    }

    /// From here on, so many members behind the group are not read.
    pub(super) fn stall(&mut self, pump: &mut Pump, stalled: usize) {
        self.stalled = vec![Stalled::Unknown; stalled];
        for place in self.places() {
            if let Some(member) = pump.members.get(place) {
                member.stall(true);
            }
        }
    }

    /// Reads the stalled members to their end, closes them, and says how many the server had ended.
    ///
    /// A close frame is behind all that was not read, so it is seen only now. A member that answers a ping is alive.
    pub(super) fn release(&mut self, pump: &mut Pump, patience: Duration) -> Result<usize, BenchError> {
        for place in self.places() {
            if let Some(member) = pump.members.get(place) {
                member.stall(false);
                member.send(|out| frame::append(out, frame::PING, b""));
            }
            pump.read(place, self);
        }
        let deadline = Instant::now() + patience;
        while self.stalled.contains(&Stalled::Unknown) && Instant::now() < deadline {
            pump.turn(Duration::from_millis(20), self)?;
            self.groups.check()?;
        }
        let ended = self.stalled.iter().filter(|stalled| **stalled == Stalled::Ended).count();
        for place in self.places() {
            pump.members.abort(place);
        }
        self.stalled.clear();
        Ok(ended)
    }

    /// The most memory that the server was seen to have while members were stalled.
    pub(super) fn peak_kib(&self) -> Option<u64> {
        self.peak_kib
    }

    fn places(&self) -> std::ops::Range<usize> {
        self.readers..self.readers + self.stalled.len()
    }
}

impl Load for Beside<'_> {
    fn groups(&mut self) -> &mut Groups {
        &mut self.groups
    }

    fn step(&mut self, _pump: &mut Pump, now: Instant) -> Result<Option<Instant>, BenchError> {
        if let Some(server) = self.server
            && !self.stalled.is_empty()
            && now.duration_since(self.looked_at) > Duration::from_millis(50)
        {
            self.looked_at = now;
            self.peak_kib = self.peak_kib.max(Some(server.resident_kib()?));
        }
        Ok(None)
    }
}

impl Listener for Beside<'_> {
    fn message(&mut self, place: usize, payload: &[u8], at: Instant) {
        if place < self.readers {
            self.groups.message(place, payload, at);
        }
    }

    fn pong(&mut self, place: usize) {
        if let Some(stalled) = place.checked_sub(self.readers) {
            self.stalled[stalled] = Stalled::Alive;
        }
    }

    fn ended(&mut self, place: usize, end: End, at: Instant) {
        match place.checked_sub(self.readers) {
            Some(stalled) => self.stalled[stalled] = Stalled::Ended,
            None => self.groups.ended(place, end, at),
        }
    }

    fn settle(&mut self, members: &mut Members) {
        self.groups.settle(members);
    }
}

impl Kind {
    pub(super) fn new() -> Self {
        Self {
            time: Duration::ZERO,
            in_time: 0,
            published: 0,
            deliveries: 0,
            faults: Faults::default(),
            latency: histogram(),
            pieces: Vec::new(),
        }
    }

    /// Adds a phase, and leaves the groups ready for the next. The other kind took so long up to now.
    pub(super) fn add(&mut self, phase: Phase, groups: &mut Groups, other: Duration) {
        let start = (self.time + other).as_secs_f64();
        let points = groups.recorder.curve().points.iter();
        self.pieces.push(points.map(|(seconds, rate)| (start + seconds, *rate)).collect());
        self.time += phase.time;
        self.in_time += phase.in_time;
        self.published += groups.published();
        self.deliveries += groups.recorder.units();
        self.faults += groups.faults();
        self.latency.add(groups.recorder.latency()).expect("both have the same bounds");
        groups.forget();
    }

    pub(super) fn delivered(&self) -> Delivered {
        Delivered {
            published: self.published,
            deliveries: self.deliveries,
            deliveries_per_second: self.in_time as f64 / self.time.as_secs_f64().max(1e-9),
            faults: self.faults,
            latency_micros: LatencyMicros::of(&self.latency),
            latency: self.latency.clone(),
        }
    }
}
