use std::time::{Duration, Instant};

use super::error::BenchError;
use super::groups::Groups;
use super::pump::{Listener, Pump};

/// Something that is loaded by groups, and may do more beside.
pub(super) trait Load: Listener {
    fn groups(&mut self) -> &mut Groups;

    /// Does what else there is to do, each time round, and says when there will be more.
    fn step(&mut self, _pump: &mut Pump, _now: Instant) -> Result<Option<Instant>, BenchError> {
        Ok(None)
    }
}

/// What a phase came to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Phase {
    /// How long messages were sent.
    pub(super) time: Duration,
    /// What arrived in that time; the rest came when no more was sent.
    pub(super) in_time: u64,
}

impl Phase {
    /// Deliveries a second, without what came late.
    pub(super) fn per_second(&self) -> f64 {
        self.in_time as f64 / self.time.as_secs_f64().max(1e-9)
    }
}

impl Load for Groups {
    fn groups(&mut self) -> &mut Groups {
        self
    }
}

/// The longest wait: faults, progress and the end of a phase are looked at between waits.
const WAIT: Duration = Duration::from_millis(50);

/// Sends for so long, then waits for what is still on its way – until nothing has come for as long as patience goes.
pub(super) fn drive(
    pump: &mut Pump,
    load: &mut impl Load,
    name: &'static str,
    time: Duration,
    patience: Duration,
) -> Result<Phase, BenchError> {
    let start = Instant::now();
    let end = start + time;
    load.groups().recorder.begin(name, end);
    if time.is_zero() {
        return Ok(Phase { time, in_time: 0 });
    }
    load.groups().start(start, end);
    let mut last = (start, 0);
    let mut in_time = None;
    loop {
        let now = Instant::now();
        let groups = load.groups();
        let units = groups.recorder.units();
        if units > last.1 || groups.outstanding() == 0 {
            last = (now, units);
        }
        let lost_patience = now.duration_since(last.0) > patience;
        if in_time.is_none() && (now >= end || lost_patience) {
            groups.stop(&mut pump.members);
            in_time = Some(Phase { time: now.duration_since(start), in_time: units });
        }
        if let Some(phase) = in_time.filter(|_| groups.outstanding() == 0 || lost_patience) {
            return Ok(phase);
        }
        load.settle(&mut pump.members);
        let due = [load.step(pump, now)?, load.groups().next_due()];
        if let Some(due) = due.into_iter().flatten().min() {
            pump.wake_at(due)?;
        }
        let wait = if now < end { end - now } else { WAIT };
        pump.turn(wait.min(WAIT), load)?;
        let groups = load.groups();
        groups.check()?;
        groups.recorder.tick(Instant::now(), groups.seen_faults());
    }
}

/// Sends until every member has got one message: some servers answer a handshake before the connection is in its
/// group. What is sent here counts for nothing.
pub(super) fn rehearse(pump: &mut Pump, groups: &mut Groups, patience: Duration) -> Result<(), BenchError> {
    let start = Instant::now();
    let mut attempt = Duration::from_millis(250);
    groups.recorder.begin("rehearsing", start + patience);
    loop {
        let until = (Instant::now() + attempt).min(start + patience);
        groups.send_to_each(&mut pump.members);
        while groups.outstanding() > 0 && Instant::now() < until {
            pump.turn(WAIT.min(attempt), groups)?;
            groups.check()?;
        }
        let complete = groups.outstanding() == 0;
        groups.forget();
        if complete {
            return Ok(());
        }
        if start.elapsed() >= patience {
            break;
        }
        attempt *= 2;
    }
    if groups.recorder.units() == 0 {
        let url = pump.protocol.targets.urls();
        return Err(BenchError::Silence { url, seconds: patience.as_secs_f64() });
    }
    // Some get their messages: measuring shows who does not.
    Ok(())
}
