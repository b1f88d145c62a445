use std::time::{Duration, Instant};

use super::end::End;
use super::error::BenchError;
use super::pump::{Listener, Members, Pump, Socket};
use super::recorder::Recorder;

/// How often it is looked which connections have been under way for too long.
const LOOK: Duration = Duration::from_millis(100);

/// Connections that come and go, each at a place that the next one takes.
pub(super) struct Cycles {
    /// When the connection at each place was begun.
    started_at: Vec<Instant>,
    free: Vec<usize>,
    looked_at: Instant,
    /// Whether any handshake was answered as it should be.
    was_open: bool,
    /// Whose handshake is done: they leave at once.
    opened: Vec<usize>,
    started: usize,
    pub(super) cycles: u64,
    pub(super) failed: u64,
    pub(super) first_failure: Option<End>,
    pub(super) recorder: Recorder,
}

impl Cycles {
    pub(super) fn new(concurrency: usize, recorder: Recorder) -> Self {
        Self {
            started_at: vec![Instant::now(); concurrency],
            free: (0..concurrency).collect(),
            looked_at: Instant::now(),
            was_open: false,
            opened: Vec::new(),
            started: 0,
            cycles: 0,
            failed: 0,
            first_failure: None,
            recorder,
        }
    }

    /// Keeps all places busy for so long. What is under way at the end is left so, for the next phase.
    pub(super) fn run(
        &mut self,
        pump: &mut Pump,
        name: &'static str,
        time: Duration,
        patience: Duration,
    ) -> Result<Duration, BenchError> {
        let start = Instant::now();
        let end = start + time;
        self.recorder.begin(name, end);
        loop {
            let now = Instant::now();
            if now >= end {
                return Ok(now.duration_since(start));
            }
            while let Some(place) = self.free.pop() {
                self.start(pump, place)?;
            }
            if now.duration_since(self.looked_at) > LOOK {
                self.looked_at = now;
                self.give_up(pump, now, patience);
            }
            pump.turn((end - now).min(Duration::from_millis(50)), self)?;
            self.recorder.tick(Instant::now(), self.failed);
            self.check(pump)?;
        }
    }

    fn start(&mut self, pump: &mut Pump, place: usize) -> Result<(), BenchError> {
        self.started_at[place] = Instant::now();
        let socket = Socket { from: pump.sources.in_turn(self.started), receive_buffer: None };
        pump.connect(place, self.started, socket)
            .map_err(|end| end.into_error(&pump.protocol.targets.of(self.started).url, self.started))?;
        self.started += 1;
        Ok(())
    }

    /// Learns why none was completed: patience may go further than the time that was measured.
    pub(super) fn wait_for_the_first(
        &mut self,
        pump: &mut Pump,
        patience: Duration,
    ) -> Result<String, BenchError> {
        let deadline = Instant::now() + patience + Duration::from_secs(1);
        while self.first_failure.is_none() && self.cycles == 0 && Instant::now() < deadline {
            self.run(pump, "waiting", Duration::from_millis(20), patience)?;
        }
        Ok(match &self.first_failure {
            Some(end) => end.to_string(),
            None => "the time was too short for one".to_owned(),
        })
    }

    /// Ends what the server does not answer.
    fn give_up(&mut self, pump: &mut Pump, now: Instant, patience: Duration) {
        for place in 0..self.started_at.len() {
            if now.saturating_duration_since(self.started_at[place]) > patience
                && let Some(end) = pump.members.give_up(place)
            {
                self.ended(place, end, now);
            }
        }
    }

    /// A server that never answered as it should will not begin to.
    fn check(&mut self, pump: &Pump) -> Result<(), BenchError> {
        if self.failed > 0
            && !self.was_open
            && let Some(end) = self.first_failure.take()
        {
            return Err(end.into_error(&pump.protocol.targets.urls(), 0));
        }
        Ok(())
    }
}

impl Listener for Cycles {
    fn opened(&mut self, place: usize, at: Instant) {
        self.recorder.record(at.saturating_duration_since(self.started_at[place]));
        self.opened.push(place);
        self.was_open = true;
    }

    fn ended(&mut self, place: usize, end: End, _at: Instant) {
        match end {
            End::Left => self.cycles += 1,
            end => {
                self.failed += 1;
                self.first_failure.get_or_insert(end);
            }
        }
        self.free.push(place);
    }

    fn settle(&mut self, members: &mut Members) {
        for place in self.opened.drain(..) {
            if let Some(member) = members.get(place) {
                member.leave();
            }
        }
    }
}
