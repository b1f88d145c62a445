//! Measures Narrows beside a peer on this machine, in one run, and writes `docs/performance.md`.
//!
//! `cargo run --release -p compare` builds what it needs, then starts both servers on one core and the load
//! generator on another, and lets them take turns: what disturbs one round disturbs its neighbour too.

mod build;
mod machine;
mod page;
mod server;
mod workload;

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

use self::build::Programs;
use self::server::Server;
use self::workload::{Costs, Workload};

/// Compare Narrows with axum's own chat example: CPU time for each delivery, and memory.
#[derive(Debug, Parser)]
struct Arguments {
    /// Members of the group.
    #[arg(long, default_value_t = 1000)]
    members: usize,
    /// Bytes of a message.
    #[arg(long, default_value_t = 128)]
    bytes: usize,
    /// Rounds; medians of them are reported.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Seconds for each measurement.
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,
    /// Idle connections whose memory is measured.
    #[arg(long, default_value_t = 2000)]
    connections: usize,
    /// Where to write the page; nothing is written without it.
    #[arg(long)]
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
    let programs = Programs::build()?;
    let workloads = Workload::all(arguments);
    let mut costs: Vec<Costs> = workloads.iter().map(|_| Costs::default()).collect();
    for round in 1..=arguments.rounds.max(1) {
        eprintln!("round {round} of {}", arguments.rounds);
        for (workload, costs) in workloads.iter().zip(&mut costs) {
            // A fresh process for each: no workload inherits the memory of another.
            let ours = Server::start(&programs.ours, &["--bind", "127.0.0.1:0"])?;
            costs.ours.push(workload.measure(&programs.narrows, &ours)?);
            drop(ours);
            let peer = Server::start(&programs.peer, &["127.0.0.1:0"])?;
            costs.peer.push(workload.measure(&programs.narrows, &peer)?);
            drop(peer);
            let floor = Server::start(&programs.floor, &["127.0.0.1:0"])?;
            costs.floor.push(workload.measure(&programs.narrows, &floor)?);
        }
    }
    let table = page::table(&workloads, &costs);
    println!("{table}");
    if let Some(path) = &arguments.out {
        std::fs::write(path, page::page(&table, arguments))?;
    }
    Ok(())
}
