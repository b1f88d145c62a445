use std::fmt;

use clap::Args;
use serde::Serialize;

use super::delivered::Delivered;
use super::drive::drive;
use super::error::BenchError;
use super::faults::Faults;
use super::opening::open;
use super::options::{MessageOptions, OutputOptions, ServerOptions, TimeOptions, count, rate};
use super::plot::{Panel, Plot, Series};
use super::protocol::Rooms;
use super::report::{GeneratorCost, LatencyMicros, Meters, Report, ServerCost};
use super::setup::{Ready, Setup};
use super::stalled::{Beside, Kind};
use super::usage::Server;

/// What a connection that never reads takes in before it is full; the system raises it to the least it can do.
const RECEIVE_BUFFER: usize = 1024;

/// Measures what members that never read do to the others: phases without them and with them, in turn.
#[derive(Debug, Args)]
pub(crate) struct Slow {
    #[command(flatten)]
    server: ServerOptions,
    /// How many connections are in the group, those that never read among them.
    #[arg(long, default_value = "100", value_parser = count)]
    members: usize,
    /// How many of them never read.
    #[arg(long, default_value = "10", value_parser = count)]
    stalled: usize,
    /// How often to measure without and with them.
    #[arg(long, default_value = "2", value_parser = count)]
    rounds: usize,
    /// The room, for {room} in the address and for Socket.IO.
    #[arg(long, default_value = "bench")]
    room: String,
    /// Bytes of a message's text, without what is wrapped around it. Those that never read must get more than fits
    /// into the server's send buffer, some 100 KiB or more.
    #[arg(long, default_value_t = 1024)]
    bytes: usize,
    /// Messages a second, whether the ones before have arrived or not; latency counts from when each was due.
    #[arg(long, default_value = "200", value_parser = rate)]
    rate: f64,
    /// How long each phase is; warm-up is before the first.
    #[command(flatten)]
    time: TimeOptions,
    #[command(flatten)]
    pub(super) output: OutputOptions,
}

/// What members that never read did to the others.
#[derive(Debug, Serialize)]
pub(crate) struct SlowReport {
    url: String,
    members: usize,
    stalled: usize,
    rounds: usize,
    bytes: usize,
    rate: f64,
    seconds: f64,
    without: Delivered,
    with: Delivered,
    p50_ratio: f64,
    p99_ratio: f64,
    /// How many of those that never read the server ended, in the round in which it ended the most.
    stalled_ended: usize,
    #[serde(flatten)]
    faults: Faults,
    resident_kib_before: Option<u64>,
    resident_kib_peak: Option<u64>,
    resident_kib_after: Option<u64>,
    server: Option<ServerCost>,
    generator: GeneratorCost,
    #[serde(skip)]
    kinds: [Kind; 2],
}

impl Slow {
    pub(super) fn run(&self) -> Result<SlowReport, BenchError> {
        let &Self { server: ref on, members, stalled, rounds, bytes, rate, ref time, ref output, .. } = self;
        if stalled >= members {
            return Err(BenchError::NoReader { stalled, members });
        }
        let readers = members - stalled;
        let messages = MessageOptions { bytes, window: None, rate: Some(rate) };
        let rooms = Rooms::One(self.room.clone());
        let setup = Setup {
            server: on,
            messages: &messages,
            output,
            rooms,
            groups: 1,
            members: readers,
            others: stalled,
        };
        let Ready { server, mut pump, groups } = setup.open()?;
        let mut load = Beside::new(groups, readers, server.as_ref());
        drive(&mut pump, &mut load, "warm-up", time.warm_up, on.patience)?;
        let warm = load.groups.faults();
        load.groups.forget();
        let resident = || server.as_ref().map(Server::resident_kib).transpose();
        let before = resident()?;
        let (mut without, mut with) = (Kind::new(), Kind::new());
        let mut stalled_ended = 0;
        let meters = Meters::start(server.as_ref())?;
        for _ in 0..rounds {
            let phase = drive(&mut pump, &mut load, "without", time.seconds, on.patience)?;
            without.add(phase, &mut load.groups, with.time);
            open(&mut pump, readers..members, Some(RECEIVE_BUFFER), on.patience, |_| Ok(()))?;
            load.stall(&mut pump, stalled);
            let phase = drive(&mut pump, &mut load, "with", time.seconds, on.patience)?;
            with.add(phase, &mut load.groups, without.time);
            stalled_ended = stalled_ended.max(load.release(&mut pump, on.patience)?);
        }
        let (server_cost, generator) = meters.stop(without.deliveries + with.deliveries)?;
        let (peak, after) = (load.peak_kib(), resident()?);
        pump.close()?;
        let mut faults = warm;
        faults += without.faults;
        faults += with.faults;
        let kinds = [without, with];
        let [without, with] = kinds.each_ref().map(Kind::delivered);
        let ratio =
            |of: fn(&LatencyMicros) -> f64| of(&with.latency_micros) / of(&without.latency_micros).max(1e-3);
        Ok(SlowReport {
            url: on.urls(),
            members,
            stalled,
            rounds,
            bytes,
            rate,
            seconds: time.seconds.as_secs_f64(),
            p50_ratio: ratio(|latency| latency.p50),
            p99_ratio: ratio(|latency| latency.p99),
            without,
            with,
            stalled_ended,
            faults,
            resident_kib_before: before,
            resident_kib_peak: peak,
            resident_kib_after: after,
            server: server_cost,
            generator,
            kinds,
        })
    }
}

impl Report for SlowReport {
    fn is_clean(&self) -> bool {
        self.faults.is_clean()
    }

    fn plot(&self) -> Plot {
        let Self { url, members, stalled, bytes, rate, faults, kinds: [without, with], .. } = self;
        let ratio = self.p99_ratio;
        let names = ["without them", "with them"].map(str::to_owned);
        let [first, second] = names.clone();
        Plot {
            title: format!("{members} members, {stalled} of them never read"),
            subtitle: format!(
                "p99 ratio {ratio:.2} · {bytes} bytes · {rate} messages a second · {faults} · {url}"
            ),
            panels: vec![
                Panel::Curve {
                    title: "Deliveries a second".to_owned(),
                    x: "seconds of measuring",
                    series: vec![
                        Series { name: first, pieces: without.pieces.clone() },
                        Series { name: second, pieces: with.pieces.clone() },
                    ],
                },
                Panel::Percentiles {
                    title: "Latency".to_owned(),
                    series: names.into_iter().zip([without.latency.clone(), with.latency.clone()]).collect(),
                },
            ],
        }
    }
}

impl fmt::Display for SlowReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { url, members, stalled, rounds, bytes, rate, seconds, stalled_ended, .. } = self;
        writeln!(f, "{members} members on {url}, {stalled} of them never read")?;
        writeln!(
            f,
            "{bytes} bytes, {rate} messages a second, {rounds} times {seconds} s without and with them"
        )?;
        for (name, delivered) in [("without them", &self.without), ("with them", &self.with)] {
            let Delivered { deliveries, deliveries_per_second: rate, faults, latency_micros, .. } = delivered;
            writeln!(f, "  {name:<12} {deliveries} deliveries, {rate:.0} a second; {faults}")?;
            writeln!(f, "  latency µs   {latency_micros}")?;
        }
        writeln!(f, "  ratio        p50 {:.2}, p99 {:.2}", self.p50_ratio, self.p99_ratio)?;
        writeln!(f, "  ended        {stalled_ended} of {stalled} that never read")?;
        if let (Some(before), Some(peak), Some(after)) =
            (self.resident_kib_before, self.resident_kib_peak, self.resident_kib_after)
        {
            writeln!(f, "  memory       {before} KiB before, {peak} KiB at the most, {after} KiB after")?;
        }
        if let Some(server) = &self.server {
            server.write(f, "server", "deliveries")?;
        }
        write!(f, "{}", self.generator)
    }
}
