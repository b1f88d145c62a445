use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

use super::report::{FanoutReport, GeneratorCost, LatencyMicros, ServerCost};
use super::window::Window;
use super::{Envelope, Fanout};
use crate::bench::descriptors;
use crate::bench::error::BenchError;
use crate::bench::open::open_all;
use crate::bench::pump::Pump;
use crate::bench::sequence::{Arrival, number};
use crate::bench::target::Target;
use crate::bench::usage::Process;

/// Silence after which what has not come counts as lost.
const PATIENCE: Duration = Duration::from_secs(3);

/// The longest latency that is told apart from longer ones.
const MAX_NANOS: u64 = 60_000_000_000;

struct Load {
    pump: Pump,
    window: Window,
    envelope: Envelope,
    bytes: usize,
    counts: Counts,
}

struct Counts {
    published: u64,
    deliveries: u64,
    duplicated: u64,
    out_of_order: u64,
    /// In nanoseconds.
    latency: Histogram<u64>,
}

pub(super) fn run(fanout: &Fanout) -> Result<FanoutReport, BenchError> {
    let target = Target::new(&fanout.url)?;
    let server = fanout.pid.map(Process::new);
    let members = fanout.members.max(1);
    descriptors::allow(members, server)?;
    let mut load = Load {
        pump: Pump::new(open_all(&target, members)?)?,
        window: Window::new(fanout.window, members),
        envelope: fanout.envelope,
        bytes: fanout.bytes,
        counts: Counts::new(),
    };
    load.run_for(Duration::from_secs_f64(fanout.warm_up))?;
    if load.counts.published > 0 && load.counts.deliveries == 0 {
        return Err(BenchError::Silence { url: fanout.url.clone(), seconds: PATIENCE.as_secs() });
    }
    let warm = std::mem::replace(&mut load.counts, Counts::new());
    let lost_before = load.window.outstanding();
    let own = Process::own();
    let (server_before, own_before) = (server.map(Process::usage).transpose()?, own.usage()?);
    let start = Instant::now();
    if load.window.is_empty() {
        load.run_for(Duration::from_secs_f64(fanout.seconds))?;
    }
    let took = start.elapsed();
    let own_share = own.usage()?.share_since(&own_before);
    let Counts { published, deliveries, latency, .. } = &load.counts;
    let server = match server.zip(server_before) {
        None => None,
        Some((server, before)) => {
            let now = server.usage()?;
            let cpu = now.cpu_since(&before).as_secs_f64();
            Some(ServerCost {
                cpu_seconds: cpu,
                cpu_seconds_per_million: cpu * 1e6 / (*deliveries).max(1) as f64,
                share_of_a_core: now.share_since(&before),
                resident_kib: server.resident_kib()?,
            })
        }
    };
    Ok(FanoutReport {
        url: fanout.url.clone(),
        members,
        bytes: fanout.bytes,
        window: fanout.window,
        seconds: took.as_secs_f64(),
        published: *published,
        deliveries: *deliveries,
        deliveries_per_second: *deliveries as f64 / took.as_secs_f64().max(1e-9),
        lost: load.window.outstanding().max(lost_before),
        duplicated: load.counts.duplicated + warm.duplicated,
        out_of_order: load.counts.out_of_order + warm.out_of_order,
        latency_micros: LatencyMicros::of(latency),
        server,
        generator: GeneratorCost { share_of_a_core: own_share },
    })
}

impl Load {
    /// Publishes for so long, then waits for what is still on its way.
    fn run_for(&mut self, time: Duration) -> Result<(), BenchError> {
        let end = Instant::now() + time;
        let mut last_arrival = Instant::now();
        loop {
            let now = Instant::now();
            if now < end {
                self.publish(now)?;
            } else if self.window.is_empty() {
                return Ok(());
            }
            if now.duration_since(last_arrival) > PATIENCE {
                return Ok(());
            }
            let before = self.counts.deliveries;
            let (window, counts) = (&mut self.window, &mut self.counts);
            self.pump.turn(Duration::from_millis(100), |sequence, payload| {
                let Some(number) = number(payload).filter(|number| window.knows(*number)) else { return };
                match sequence.arrive(number) {
                    Arrival::InOrder => {}
                    Arrival::OutOfOrder => counts.out_of_order += 1,
                    Arrival::Duplicate => {
                        counts.duplicated += 1;
                        return;
                    }
                }
                counts.deliveries += 1;
                if let Some(sent) = window.arrived(number) {
                    counts.latency.saturating_record(sent.elapsed().as_nanos() as u64);
                }
            })?;
            if self.counts.deliveries > before {
                last_arrival = Instant::now();
            }
            self.pump.check()?;
        }
    }

    /// Sends as many messages as the window lets out, in one write.
    fn publish(&mut self, now: Instant) -> Result<(), BenchError> {
        let Self { window, counts, envelope, bytes, pump } = self;
        let publisher = &mut pump.members[0];
        publisher.send(|out| {
            while let Some(number) = window.open(now) {
                envelope.append(out, number, *bytes);
                counts.published += 1;
            }
        })?;
        Ok(())
    }
}

impl Counts {
    fn new() -> Self {
        let latency = Histogram::new_with_max(MAX_NANOS, 3).expect("bounds and precision are legal");
        Self { published: 0, deliveries: 0, duplicated: 0, out_of_order: 0, latency }
    }
}
