use std::fmt;
use std::time::{Duration, Instant};

use clap::Args;
use hdrhistogram::Histogram;
use serde::Serialize;

use super::drive::{Load, drive};
use super::end::End;
use super::error::BenchError;
use super::faults::Faults;
use super::groups::Groups;
use super::options::{MessageOptions, OutputOptions, ServerOptions, TimeOptions, count, pace, rate};
use super::plot::{Panel, Plot, Series, per_second};
use super::protocol::Rooms;
use super::pump::{Listener, Members, Pump, Socket};
use super::recorder::{Curve, histogram};
use super::report::{GeneratorCost, LatencyMicros, Meters, Report, ServerCost};
use super::schedule::Schedule;
use super::sequence;
use super::setup::{Ready, Setup};

/// Measures a group that gets messages while others come, get one message that was sent after their handshake, and
/// leave.
#[derive(Debug, Args)]
pub(crate) struct Churn {
    #[command(flatten)]
    server: ServerOptions,
    /// How many members stay, the publisher among them.
    #[arg(long, default_value = "100", value_parser = count)]
    members: usize,
    /// How many connections come a second.
    #[arg(long, default_value = "100", value_parser = rate)]
    per_second: f64,
    /// The room, for {room} in the address and for Socket.IO.
    #[arg(long, default_value = "bench")]
    room: String,
    #[command(flatten)]
    messages: MessageOptions,
    #[command(flatten)]
    time: TimeOptions,
    #[command(flatten)]
    pub(super) output: OutputOptions,
}

/// What coming and going does to a group.
#[derive(Debug, Serialize)]
pub(crate) struct ChurnReport {
    url: String,
    members: usize,
    bytes: usize,
    window: Option<usize>,
    rate: Option<f64>,
    seconds: f64,
    per_second: f64,
    visits: u64,
    visits_per_second: f64,
    failed: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_failure: Option<String>,
    /// From the start of a visitor's connection to its first message.
    first_message_micros: LatencyMicros,
    published: u64,
    deliveries: u64,
    deliveries_per_second: f64,
    #[serde(flatten)]
    faults: Faults,
    /// Of those that stay.
    latency_micros: LatencyMicros,
    server: Option<ServerCost>,
    generator: GeneratorCost,
    #[serde(skip)]
    curve: Curve,
    #[serde(skip)]
    latency: Histogram<u64>,
    #[serde(skip)]
    first_message: Histogram<u64>,
}

impl Churn {
    pub(super) fn run(&self) -> Result<ChurnReport, BenchError> {
        let Self { server: on, members, per_second, messages, time, output, .. } = self;
        let most = most_visitors(*per_second);
        let rooms = Rooms::One(self.room.clone());
        let setup = Setup { server: on, messages, output, rooms, groups: 1, members: *members, others: most };
        let Ready { server, mut pump, groups } = setup.open()?;
        let mut visited = Visited::new(groups, *members, most, *per_second, on.patience);
        drive(&mut pump, &mut visited, "warm-up", time.warm_up, on.patience)?;
        let mut faults = visited.groups.faults();
        visited.groups.forget();
        (visited.visits, visited.schedule) = (0, Schedule::new(Instant::now(), *per_second));
        visited.first_message.reset();
        let meters = Meters::start(server.as_ref())?;
        let phase = drive(&mut pump, &mut visited, "measuring", time.seconds, on.patience)?;
        let deliveries = visited.groups.recorder.units();
        let (server, generator) = meters.stop(deliveries)?;
        pump.close()?;
        faults += visited.groups.faults();
        if visited.visits == 0 {
            let why = visited.first_failure.map(|end| end.into_error(&on.url, *members));
            return Err(why.unwrap_or(BenchError::NoVisit));
        }
        Ok(ChurnReport {
            url: on.url.clone(),
            members: *members,
            bytes: messages.bytes,
            window: messages.rate.is_none().then(|| messages.window()),
            rate: messages.rate,
            seconds: phase.time.as_secs_f64(),
            per_second: *per_second,
            visits: visited.visits,
            visits_per_second: visited.visits as f64 / phase.time.as_secs_f64().max(1e-9),
            failed: visited.failed,
            first_failure: visited.first_failure.map(|end| end.to_string()),
            first_message_micros: LatencyMicros::of(&visited.first_message),
            published: visited.groups.published(),
            deliveries,
            deliveries_per_second: phase.per_second(),
            faults,
            latency_micros: LatencyMicros::of(visited.groups.recorder.latency()),
            server,
            generator,
            curve: visited.groups.recorder.curve().clone(),
            latency: visited.groups.recorder.latency().clone(),
            first_message: visited.first_message,
        })
    }
}

/// How many visitors may be there at once: those of two seconds. A server that is slower is not asked for more.
fn most_visitors(per_second: f64) -> usize {
    (per_second * 2.0).clamp(64.0, 8192.0) as usize
}

/// A group that stays, at the first places, and visitors at the places behind it.
struct Visited {
    groups: Groups,
    members: usize,
    patience: Duration,
    schedule: Schedule,
    visitors: Vec<Visitor>,
    free: Vec<usize>,
    leaving: Vec<usize>,
    looked_at: Instant,
    started: usize,
    visits: u64,
    failed: u64,
    first_failure: Option<End>,
    /// In nanoseconds.
    first_message: Histogram<u64>,
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
    fn new(groups: Groups, members: usize, most: usize, per_second: f64, patience: Duration) -> Self {
        let now = Instant::now();
        Self {
            groups,
            members,
            patience,
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

impl Report for ChurnReport {
    fn is_clean(&self) -> bool {
        self.faults.is_clean() && self.failed == 0
    }

    fn plot(&self) -> Plot {
        let Self { url, members, bytes, seconds, faults, failed, .. } = self;
        let (pace, rate) = (pace(self.rate, self.window), per_second("visits", self.visits_per_second));
        Plot {
            title: format!("{members} members that stay, and visitors"),
            subtitle: format!(
                "{rate}, {failed} failed · {bytes} bytes · {pace} · {seconds:.1} s · {faults} · {url}"
            ),
            panels: vec![
                Panel::Curve {
                    title: "Deliveries a second, to those that stay".to_owned(),
                    x: "seconds",
                    series: vec![Series::of("deliveries", &self.curve)],
                },
                Panel::Percentiles {
                    title: "Latency".to_owned(),
                    series: vec![
                        ("those that stay".to_owned(), self.latency.clone()),
                        ("connecting to first message".to_owned(), self.first_message.clone()),
                    ],
                },
            ],
        }
    }
}

impl fmt::Display for ChurnReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { url, members, bytes, seconds, published, deliveries, visits, failed, .. } = self;
        let pace = pace(self.rate, self.window);
        writeln!(f, "{members} members that stay on {url}, {bytes} bytes, {pace}, {seconds:.1} s")?;
        let (asked, rate) = (self.per_second, self.visits_per_second);
        writeln!(f, "  visits       {visits}, {rate:.0} a second of {asked} asked for; {failed} failed")?;
        if let Some(why) = &self.first_failure {
            writeln!(f, "  first        {why}")?;
        }
        writeln!(f, "  to first, µs {}", self.first_message_micros)?;
        writeln!(f, "  published    {published}")?;
        let rate = self.deliveries_per_second;
        writeln!(f, "  deliveries   {deliveries} to those that stay, {rate:.0} a second")?;
        writeln!(f, "  faults       {}", self.faults)?;
        writeln!(f, "  latency µs   {}", self.latency_micros)?;
        if let Some(server) = &self.server {
            server.write(f, "deliveries")?;
        }
        write!(f, "{}", self.generator)
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
