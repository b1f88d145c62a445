use std::time::{Duration, Instant};

use super::error::BenchError;
use super::groups::Groups;
use super::pump::{Listener, Pump};

/// Something that is loaded by groups, and may do more beside.
pub(super) trait Load: Listener {
    fn groups(&mut self) -> &mut Groups;

    /// Does what else there is to do, each time round.
    fn step(&mut self, _pump: &mut Pump, _now: Instant) -> Result<(), BenchError> {
        Ok(())
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
    load.groups().start(start);
    let mut last = (start, 0);
    let mut in_time = None;
    loop {
        let now = Instant::now();
        let groups = load.groups();
        let (units, outstanding) = (groups.recorder.units(), groups.outstanding());
        if units > last.1 || outstanding == 0 {
            last = (now, units);
        }
        let lost_patience = now.duration_since(last.0) > patience;
        if in_time.is_none() && (now >= end || lost_patience) {
            groups.stop();
            in_time = Some(Phase { time: now.duration_since(start), in_time: units });
        }
        match in_time {
            Some(phase) if outstanding == 0 || lost_patience => return Ok(phase),
            Some(_) => {}
            None => {
                if let Some(due) = groups.next_due() {
                    pump.wake_at(due.min(end))?;
                }
                load.settle(&mut pump.members);
            }
        }
        load.step(pump, now)?;
        let wait = if now < end { end - now } else { WAIT };
        pump.turn(wait.min(WAIT), load)?;
        let groups = load.groups();
        groups.check()?;
        let faults = groups.counts.duplicated + groups.counts.out_of_order;
        groups.recorder.tick(Instant::now(), faults);
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
        let url = pump.protocol.target.url.clone();
        return Err(BenchError::Silence { url, seconds: patience.as_secs_f64() });
    }
    // Some get their messages: measuring shows who does not.
    Ok(())
}
