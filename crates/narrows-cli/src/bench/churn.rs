use std::fmt;

use clap::Args;
use hdrhistogram::Histogram;
use serde::Serialize;

use super::delivered::Delivered;
use super::drive::drive;
use super::error::BenchError;
use super::options::{MessageOptions, OutputOptions, ServerOptions, TimeOptions, count, pace, rate};
use super::plot::{Panel, Plot, Series, per_second};
use super::protocol::Rooms;
use super::recorder::Curve;
use super::report::{GeneratorCost, LatencyMicros, Meters, Report, ServerCost};
use super::setup::{Ready, Setup};
use super::visitors::{Visited, most_visitors};

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
    /// To those that stay.
    #[serde(flatten)]
    delivered: Delivered,
    server: Option<ServerCost>,
    generator: GeneratorCost,
    #[serde(skip)]
    curve: Curve,
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
        visited.restart();
        let meters = Meters::start(server.as_ref())?;
        let phase = drive(&mut pump, &mut visited, "measuring", time.seconds, on.patience)?;
        let (server, generator) = meters.stop(visited.groups.recorder.units())?;
        pump.close()?;
        faults += visited.groups.faults();
        if visited.visits == 0 {
            let why = visited.first_failure.map(|end| end.into_error(&on.urls(), *members));
            return Err(why.unwrap_or(BenchError::NoVisit));
        }
        Ok(ChurnReport {
            url: on.urls(),
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
            delivered: Delivered::of(&phase, &mut visited.groups, faults),
            server,
            generator,
            curve: visited.groups.recorder.curve().clone(),
            first_message: visited.first_message,
        })
    }
}

impl Report for ChurnReport {
    fn is_clean(&self) -> bool {
        self.delivered.faults.is_clean() && self.failed == 0
    }

    fn plot(&self) -> Plot {
        let Self { url, members, bytes, seconds, delivered: Delivered { faults, .. }, failed, .. } = self;
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
                        ("those that stay".to_owned(), self.delivered.latency.clone()),
                        ("connecting to first message".to_owned(), self.first_message.clone()),
                    ],
                },
            ],
        }
    }
}

impl fmt::Display for ChurnReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { url, members, bytes, seconds, visits, failed, .. } = self;
        let pace = pace(self.rate, self.window);
        writeln!(f, "{members} members that stay on {url}, {bytes} bytes, {pace}, {seconds:.1} s")?;
        let (asked, rate) = (self.per_second, self.visits_per_second);
        writeln!(f, "  visits       {visits}, {rate:.0} a second of {asked} asked for; {failed} failed")?;
        if let Some(why) = &self.first_failure {
            writeln!(f, "  first        {why}")?;
        }
        writeln!(f, "  to first, µs {}", self.first_message_micros)?;
        self.delivered.write(f, " to those that stay")?;
        if let Some(server) = &self.server {
            server.write(f, "server", "deliveries")?;
        }
        write!(f, "{}", self.generator)
    }
}
