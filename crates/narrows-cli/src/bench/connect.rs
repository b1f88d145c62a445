use std::fmt;

use clap::Args;
use hdrhistogram::Histogram;
use serde::Serialize;

use super::cycles::Cycles;
use super::descriptors;
use super::error::BenchError;
use super::options::{OutputOptions, ServerOptions, TimeOptions, count};
use super::plot::{Panel, Plot, Series, per_second};
use super::progress::Progress;
use super::protocol::{Protocol, Rooms};
use super::pump::Pump;
use super::recorder::{Curve, Recorder};
use super::report::{GeneratorCost, LatencyMicros, Meters, Report, ServerCost};
use super::target::Targets;
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
        let targets = Targets::new(&on.url)?;
        let server = Server::new(&on.pid);
        descriptors::allow(*concurrency, server.as_ref())?;
        let mut pump = Pump::new(Protocol { targets, envelope: on.envelope, rooms: Rooms::None })?;
        pump.sources.check(*concurrency)?;
        let mut cycles = Cycles::new(*concurrency, Recorder::new(Progress::new(output)));
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
            url: on.urls(),
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
            server.write(f, "server", "cycles")?;
        }
        write!(f, "{}", self.generator)
    }
}
