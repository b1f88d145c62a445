//! Measures Narrows beside its peers on this machine, in one run, and writes `docs/performance.md`.
//!
//! `cargo xtask bench` installs the peers and calls this. Without it, `cargo run --release -p compare` measures what
//! is there. All servers run on one core and the load generator on another, and take turns.

mod build;
mod figures;
mod generator;
mod goals;
mod halves;
mod launch;
mod machine;
mod on_redis;
mod page;
mod plot;
mod process;
mod redis;
mod results;
mod run;
mod servers;
mod stats;
mod workload;

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

use self::build::Programs;
use self::results::Results;
use self::run::Plan;
use self::servers::Row;
use self::workload::{Scale, Workload};

/// Measure Narrows beside other servers: CPU time for each delivery, latency, memory, connections a second.
#[derive(Debug, Parser)]
struct Arguments {
    /// Only these workloads; `redis` is all whose names begin with `redis-`.
    #[arg(long, value_delimiter = ',', value_name = "WORKLOAD")]
    only: Vec<String>,
    /// Only these servers.
    #[arg(long, value_delimiter = ',', value_name = "SERVER")]
    servers: Vec<String>,
    /// Rounds, of which medians are taken; some workloads and servers have fewer [default: 5, or 2 with --quick].
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
    rounds: Option<u16>,
    /// Put what is measured into the results that are in the folder already, in place of the same workloads; the page says
    /// that it is from another run.
    #[arg(long, conflicts_with_all = ["smoke", "servers", "from", "list"])]
    merge: bool,
    /// A few minutes only: shorter, and without what takes long.
    #[arg(long, conflicts_with = "smoke")]
    quick: bool,
    /// Whether every server starts and delivers, tiny; fails when one does not. Its figures mean nothing.
    #[arg(long)]
    smoke: bool,
    /// List workloads and servers, and say how long they take.
    #[arg(long)]
    list: bool,
    /// Write the page again from the results of an earlier run.
    #[arg(long, value_name = "RESULTS.json")]
    from: Option<PathBuf>,
    /// Folder for performance.md and what belongs to it [default: docs for a whole run or with --merge, else target/bench].
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
}

fn main() -> ExitCode {
    match compare(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("compare: {error}");
            ExitCode::FAILURE
        }
    }
}

fn compare(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    let programs = Programs::locate()?;
    let out = arguments.out.clone().unwrap_or_else(|| {
        if arguments.is_whole() || arguments.merge { build::root().join("docs") } else { programs.scratch() }
    });
    if let Some(path) = &arguments.from {
        return page::write(&Results::read(path)?, &out);
    }
    let plan = arguments.plan()?;
    if arguments.list {
        list(&plan);
        return Ok(());
    }
    // That there is nothing to put it into is not to be learned of when all is measured.
    let earlier = arguments.merge.then(|| Results::read(&page::results_in(&out))).transpose()?;
    process::end_with_us()?;
    programs.build()?;
    eprintln!("about {:.0} minutes", plan.minutes().ceil());
    let mut results = plan.run(&programs);
    if let Some(mut earlier) = earlier {
        earlier.merge(results);
        results = earlier;
    }
    page::write(&results, &out)?;
    println!("{}", page::all_goals(&results));
    println!("the page is {}", out.join("performance.md").display());
    if arguments.smoke { nothing_wrong(&results) } else { Ok(()) }
}

impl Arguments {
    fn is_whole(&self) -> bool {
        self.only.is_empty() && self.servers.is_empty() && !self.quick && !self.smoke
    }

    fn plan(&self) -> Result<Plan, String> {
        let scale = match (self.quick, self.smoke) {
            (true, _) => Scale::Quick,
            (_, true) => Scale::Smoke,
            _ => Scale::Full,
        };
        let rounds = self.rounds.map_or(
            match scale {
                Scale::Full => 5,
                Scale::Quick => 2,
                Scale::Smoke => 1,
            },
            usize::from,
        );
        let mut workloads = Workload::all(scale, machine::connections());
        let keys: Vec<&str> = workloads.iter().map(|workload| workload.key).collect();
        known("workload", &self.only, &keys, chosen)?;
        workloads.retain(|workload| chosen(&self.only, workload.key));
        known("server", &self.servers, &servers::all().map(|row| row.key).collect::<Vec<_>>(), named)?;
        let takes_part = |row: &Row| workloads.iter().any(|workload| workload.is_for(row));
        let servers = servers::all().filter(|row| named(&self.servers, row.key) && takes_part(row)).collect();
        Ok(Plan { workloads, servers, rounds, scale, command: self.command() })
    }

    /// What to type for the same again; folders are no part of it.
    fn command(&self) -> String {
        let mut command = "cargo xtask bench".to_owned();
        let list = |name, items: &[String]| match items {
            [] => String::new(),
            items => format!(" {name} {}", items.join(",")),
        };
        command += &list("--only", &self.only);
        command += &list("--servers", &self.servers);
        command += &self.rounds.map_or(String::new(), |rounds| format!(" --rounds {rounds}"));
        command += if self.merge { " --merge" } else { "" };
        command += if self.quick { " --quick" } else { "" };
        command += if self.smoke { " --smoke" } else { "" };
        command
    }
}

/// Whether a row is chosen: by its key.
fn named(names: &[String], key: &str) -> bool {
    names.is_empty() || names.iter().any(|name| name == key)
}

/// Whether a workload is chosen: by its key, or by the word that it begins with.
fn chosen(names: &[String], key: &str) -> bool {
    let first = key.split('-').next().unwrap_or_default();
    named(names, key) || named(names, first)
}

fn known(
    what: &str,
    names: &[String],
    keys: &[&str],
    fits: fn(&[String], &str) -> bool,
) -> Result<(), String> {
    let is_known = |name: &&String| keys.iter().any(|key| fits(std::slice::from_ref(name), key));
    match names.iter().find(|name| !is_known(name)) {
        Some(name) => Err(format!("no {what} {name:?}; there are {}", keys.join(", "))),
        None => Ok(()),
    }
}

fn list(plan: &Plan) {
    println!("Workloads:");
    for workload in &plan.workloads {
        println!("  {:<18} {}", workload.key, workload.title());
    }
    println!("Servers:");
    for row in &plan.servers {
        println!("  {:<18} {}", row.key, row.name);
    }
    println!("{} rounds, about {:.0} minutes", plan.rounds, plan.minutes().ceil());
}

/// For CI: every server has started, and all that was sent has arrived.
fn nothing_wrong(results: &Results) -> Result<(), Box<dyn Error>> {
    let left_out = results.servers.iter().filter_map(|server| Some((&server.key, server.left_out.as_ref()?)));
    let mut wrong: Vec<String> = left_out.map(|(key, why)| format!("{key} is left out: {why}")).collect();
    for workload in &results.workloads {
        let overtakes = |server: &str| servers::find(server).is_some_and(|row| row.overtakes);
        let faults = workload.runs.iter().filter_map(|run| Some((&run.server, run.fault.as_ref()?)));
        let faults = faults.filter(|(server, fault)| {
            !(overtakes(server) && fault.ends_with("out of order") && !fault.contains(','))
        });
        wrong.extend(faults.map(|(server, fault)| format!("{}, {server}: {fault}", workload.key)));
        if workload.runs.is_empty() {
            wrong.push(format!("{}: nobody took part", workload.key));
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n").into()) }
}
