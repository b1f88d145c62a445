use std::time::Instant;

use crate::build::Programs;
use crate::figures::{columns, written};
use crate::generator;
use crate::halves;
use crate::launch::Launch;
use crate::machine::Machine;
use crate::on_redis;
use crate::redis::Redis;
use crate::results::{Measured, Results, Run, ServerFacts};
use crate::servers::{Layer, Pace, Row};
use crate::workload::{Load, Scale, Workload, is_on_redis};

/// What is to be measured.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) workloads: Vec<Workload>,
    pub(crate) servers: Vec<&'static Row>,
    pub(crate) rounds: usize,
    pub(crate) scale: Scale,
    /// What was typed.
    pub(crate) command: String,
}

impl Plan {
    /// About how long it will take, in minutes.
    pub(crate) fn minutes(&self) -> f64 {
        let seconds = self.workloads.iter().flat_map(|workload| {
            let servers = self.servers.iter().filter(|row| workload.is_for(row));
            servers.flat_map(move |row| {
                let rounds = 1..=workload.rounds_for(row, self.rounds);
                rounds.map(move |round| workload.takes(row, workload.seconds_for(row, round, self.scale)))
            })
        });
        seconds.sum::<f64>() / 60.0
    }

    /// Lets the servers take turns at each workload, round by round: what disturbs one disturbs its neighbour too.
    pub(crate) fn run(&self, programs: &Programs) -> Results {
        let start = Instant::now();
        // One for all that need it: what is to be compared is on the same.
        let needed = self.servers.iter().any(|row| row.layer != Layer::Memory);
        let redis = if needed { Redis::start() } else { Err("nobody needs it".to_owned()) };
        let (servers, launches) = self.launches(programs, &redis);
        let redis = redis.ok();
        let mut measured: Vec<Measured> = self.workloads.iter().map(empty).collect();
        for round in 1..=self.rounds {
            for (workload, measured) in self.workloads.iter().zip(&mut measured) {
                let mut turn: Vec<_> = launches
                    .iter()
                    .filter(|(row, _)| workload.is_for(row) && round <= workload.rounds_for(row, self.rounds))
                    // Once is enough for whoever loses messages, or does not get through.
                    .filter(|(row, _)| measured.fault(row.key).is_none())
                    .collect();
                // Nobody is always the first, or always comes after the same.
                if !turn.is_empty() {
                    let first = (round - 1) % turn.len();
                    turn.rotate_left(first);
                }
                if turn.is_empty() {
                    continue;
                }
                eprintln!("round {round} of {}, {}", self.rounds, workload.key);
                for (row, launch) in turn {
                    let run = self.once(programs, workload, row, launch, redis.as_ref(), round);
                    eprintln!("    {:<18} {}", row.key, said(workload, &run));
                    measured.runs.push(run);
                }
            }
        }
        let minutes = start.elapsed().as_secs_f64() / 60.0;
        Results {
            machine: Machine::detect(),
            command: self.command.clone(),
            minutes,
            servers,
            workloads: measured,
        }
    }

    fn once(
        &self,
        programs: &Programs,
        workload: &Workload,
        row: &Row,
        launch: &Launch,
        redis: Option<&Redis>,
        round: usize,
    ) -> Run {
        let seconds = workload.seconds_for(row, round, self.scale);
        let narrows = programs.built("narrows");
        let without_sockets = |redis| {
            let halves = on_redis::halves(row, programs);
            match halves.and_then(|halves| Redis::flush(redis).map(|()| halves)) {
                Ok(halves) => halves::measure(&halves, workload, row, redis, seconds),
                Err(error) => (None, Some(error)),
            }
        };
        let measure = || match (workload.load, redis) {
            (Load::Layers { .. }, Some(redis)) => without_sockets(redis),
            _ => {
                let flushed = redis.map_or(Ok(()), Redis::flush);
                let start = || flushed.clone().and_then(|()| launch.start(redis));
                generator::measure(&narrows, workload, row, start, redis, seconds)
            }
        };
        let (mut report, mut fault) = measure();
        if report.is_none() {
            // One that did not get as far as to lose anything may try again: a port may have been taken meanwhile.
            eprintln!("    {:<18} again, after: {}", row.key, fault.unwrap_or_default());
            (report, fault) = measure();
        }
        Run { server: row.key.to_owned(), round, report, fault }
    }

    /// Starts each server once: one that is missing, or broken, is left out of everything, with the reason.
    fn launches(
        &self,
        programs: &Programs,
        redis: &Result<Redis, String>,
    ) -> (Vec<ServerFacts>, Vec<(&'static Row, Launch)>) {
        let (mut facts, mut launches) = (Vec::new(), Vec::new());
        for row in &self.servers {
            let redis = match redis {
                Err(why) if row.layer != Layer::Memory => Err(why.clone()),
                redis => Ok(redis.as_ref().ok()),
            };
            let launch = redis.and_then(|redis| {
                let launch = (row.launch)(programs)?;
                let _ended_again = launch.start(redis)?;
                Ok(launch)
            });
            let mut command = String::new();
            let left_out = match launch {
                Ok(launch) => {
                    command = launch.shown();
                    launches.push((*row, launch));
                    None
                }
                Err(why) => {
                    eprintln!("{} is left out: {why}", row.key);
                    Some(why.lines().last().unwrap_or("it did not start").to_owned())
                }
            };
            facts.push(ServerFacts {
                key: row.key.to_owned(),
                name: row.name.to_owned(),
                about: row.about.to_owned(),
                version: (row.version)(programs).unwrap_or_else(|| "unknown".to_owned()),
                command,
                floor: matches!(row.pace, Pace::Floor { .. }),
                left_out,
            });
        }
        (facts, launches)
    }
}

fn empty(workload: &Workload) -> Measured {
    let dialect = crate::servers::Dialect::Json;
    let arguments = workload.arguments(dialect, workload.seconds).join(" ");
    let arguments = arguments.trim_end_matches(" --envelope json");
    let command = match workload.load {
        Load::Layers { receivers, .. } => format!(
            "layers receive --layer redis://<redis> --layer-kind <pubsub or core> --receivers {receivers}\n\
             layers publish --layer redis://<redis> --layer-kind <pubsub or core> {arguments} --acks <what it printed>"
        ),
        _ => {
            format!(
                "narrows bench {arguments} --url ws://<address>{} --pid <server>{}",
                workload.path(dialect),
                if is_on_redis(workload.key) { " --backend-pid <redis>" } else { "" }
            )
        }
    };
    Measured {
        key: workload.key.to_owned(),
        title: workload.title(),
        note: workload.note.clone(),
        command,
        taken: None,
        runs: Vec::new(),
    }
}

/// A line for whoever watches.
fn said(workload: &Workload, run: &Run) -> String {
    if let Some(fault) = &run.fault {
        return fault.clone();
    }
    let columns = columns(workload.key).iter();
    let figures = columns.filter_map(|column| {
        let figure = (column.figure)(run.report.as_ref()?)?;
        Some(format!("{} {}", written(figure), column.name))
    });
    figures.collect::<Vec<_>>().join(", ")
}
