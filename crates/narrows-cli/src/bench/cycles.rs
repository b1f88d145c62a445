use std::fmt;
use std::time::{Duration, Instant};

use clap::Args;
use hdrhistogram::Histogram;
use serde::Serialize;

use super::descriptors;
use super::end::End;
use super::error::BenchError;
use super::options::{OutputOptions, ServerOptions, TimeOptions, count};
use super::plot::{Panel, Plot, Series, per_second};
use super::progress::Progress;
use super::protocol::{Protocol, Rooms};
use super::pump::{Listener, Members, Pump, Socket};
use super::recorder::{Curve, Recorder};
use super::report::{GeneratorCost, LatencyMicros, Meters, Report, ServerCost};
use super::target::Target;
use super::usage::Server;

/// Measures coming and going: TCP connection, handshake, closing handshake, and the next one.
#[derive(Debug, Args)]
pub(crate) struct Connect {
    #[command(flatten)]
    server: ServerOptions,
    /// How many connections are under way at once.
    #[arg(long, default_value = "64", value_parser = count)]
    concurrency: usize,
    #[command(flatten)]
    time: TimeOptions,
    #[command(flatten)]
    pub(super) output: OutputOptions,
}

/// What coming and going costs.
#[derive(Debug, Serialize)]
pub(crate) struct ConnectReport {
    url: String,
    concurrency: usize,
    seconds: f64,
    cycles: u64,
    cycles_per_second: f64,
    failed: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_failure: Option<String>,
    /// From the start of the TCP connection to the 101.
    latency_micros: LatencyMicros,
    server: Option<ServerCost>,
    generator: GeneratorCost,
    #[serde(skip)]
    curve: Curve,
    #[serde(skip)]
    latency: Histogram<u64>,
}

impl Connect {
    pub(super) fn run(&self) -> Result<ConnectReport, BenchError> {
        let Self { server: on, concurrency, time, output } = self;
        let target = Target::new(&on.url)?;
        let server = Server::new(&on.pid);
        descriptors::allow(*concurrency, server.as_ref())?;
        let mut pump = Pump::new(Protocol { target, envelope: on.envelope, rooms: Rooms::None })?;
        pump.sources.check(*concurrency)?;
        let mut cycles = Cycles {
            started_at: vec![Instant::now(); *concurrency],
            free: (0..*concurrency).collect(),
            opened: Vec::new(),
            started: 0,
            cycles: 0,
            failed: 0,
            first_failure: None,
            recorder: Recorder::new(Progress::new(output)),
        };
        cycles.run(&mut pump, "warm-up", time.warm_up, on.patience)?;
        cycles.cycles = 0;
        let meters = Meters::start(server.as_ref())?;
        let took = cycles.run(&mut pump, "measuring", time.seconds, on.patience)?.as_secs_f64();
        let (server, generator) = meters.stop(cycles.cycles)?;
        if cycles.cycles == 0 {
            let why = cycles.wait_for_the_first(&mut pump, on.patience)?;
            return Err(BenchError::NoCycle { failed: cycles.failed, why });
        }
        pump.close()?;
        Ok(ConnectReport {
            url: on.url.clone(),
            concurrency: *concurrency,
            seconds: took,
            cycles: cycles.cycles,
            cycles_per_second: cycles.cycles as f64 / took.max(1e-9),
            failed: cycles.failed,
            first_failure: cycles.first_failure.map(|end| end.to_string()),
            latency_micros: LatencyMicros::of(cycles.recorder.latency()),
            server,
            generator,
            curve: cycles.recorder.curve().clone(),
            latency: cycles.recorder.latency().clone(),
        })
    }
}

impl Report for ConnectReport {
    /// Whether every connection was answered and closed as it should be.
    fn is_clean(&self) -> bool {
        self.failed == 0
    }

    fn plot(&self) -> Plot {
        let Self { url, concurrency, seconds, failed, .. } = self;
        let rate = per_second("cycles", self.cycles_per_second);
        Plot {
            title: format!("Connecting and closing, {concurrency} at once"),
            subtitle: format!("{rate} · {seconds:.1} s · {failed} failed · {url}"),
            panels: vec![
                Panel::Curve {
                    title: "Handshakes a second".to_owned(),
                    x: "seconds",
                    series: vec![Series::of("handshakes", &self.curve)],
                },
                Panel::Percentiles {
                    title: "From the start of the TCP connection to the 101".to_owned(),
                    series: vec![("to 101".to_owned(), self.latency.clone())],
                },
            ],
        }
    }
}

/// Connections that come and go, each at a place that the next one takes.
struct Cycles {
    /// When the connection at each place was begun.
    started_at: Vec<Instant>,
    free: Vec<usize>,
    /// Whose handshake is done: they leave at once.
    opened: Vec<usize>,
    started: usize,
    cycles: u64,
    failed: u64,
    first_failure: Option<End>,
    recorder: Recorder,
}

impl Cycles {
    /// Keeps all places busy for so long. What is under way at the end is left so, for the next phase.
    fn run(
        &mut self,
        pump: &mut Pump,
        name: &'static str,
        time: Duration,
        patience: Duration,
    ) -> Result<Duration, BenchError> {
        let start = Instant::now();
        let end = start + time;
        self.recorder.begin(name, end);
        let mut checked = start;
        loop {
            let now = Instant::now();
            if now >= end {
                return Ok(now.duration_since(start));
            }
            while let Some(place) = self.free.pop() {
                self.start(pump, place)?;
            }
            if now.duration_since(checked) > patience.min(Duration::from_millis(500)) / 2 {
                checked = now;
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
            .map_err(|end| end.into_error(&pump.protocol.target.url, self.started))?;
        self.started += 1;
        Ok(())
    }

    /// Learns why none was completed: patience may go further than the time that was measured.
    fn wait_for_the_first(&mut self, pump: &mut Pump, patience: Duration) -> Result<String, BenchError> {
        if self.first_failure.is_none() {
            self.run(pump, "waiting", patience + Duration::from_secs(1), patience)?;
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
            && self.recorder.units() == 0
            && self.cycles == 0
            && let Some(end) = self.first_failure.take()
        {
            return Err(end.into_error(&pump.protocol.target.url, 0));
        }
        Ok(())
    }
}

impl Listener for Cycles {
    fn opened(&mut self, place: usize, at: Instant) {
        self.recorder.record(at.saturating_duration_since(self.started_at[place]));
        self.opened.push(place);
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

impl fmt::Display for ConnectReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { url, concurrency, seconds, cycles, failed, .. } = self;
        writeln!(f, "Connections to {url}, {concurrency} at once, {seconds:.1} s")?;
        let rate = self.cycles_per_second;
        writeln!(f, "  cycles       {cycles}, {rate:.0} a second; {failed} failed")?;
        if let Some(why) = &self.first_failure {
            writeln!(f, "  first        {why}")?;
        }
        writeln!(f, "  to 101, µs   {}", self.latency_micros)?;
        if let Some(server) = &self.server {
            server.write(f, "cycles")?;
        }
        write!(f, "{}", self.generator)
    }
}
