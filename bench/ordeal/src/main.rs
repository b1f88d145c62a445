//! `cargo xtask ordeal`: the whole of it, or less.

use std::error::Error;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use ordeal::Ordeal;

/// Clients in a room of three nodes on one Redis, while the network is cut and the nodes are restarted: is everything
/// there, once and in order, in the end?
#[derive(Debug, Parser)]
struct Arguments {
    /// How many clients.
    #[arg(long, default_value = "200")]
    clients: usize,
    /// How many seconds messages are said.
    #[arg(long, default_value = "120")]
    seconds: u64,
    /// How many messages a second.
    #[arg(long, default_value = "50")]
    rate: f64,
    /// How often each node is restarted.
    #[arg(long, default_value = "2")]
    rounds: usize,
}

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let arguments = Arguments::parse();
    let ordeal = Ordeal {
        node_program: std::env::current_exe()?.with_file_name("ordeal-node"),
        clients: arguments.clients,
        time: Duration::from_secs(arguments.seconds),
        rate: arguments.rate,
        cut: Duration::from_secs(2),
        between_cuts: Duration::from_secs(5),
        rounds: arguments.rounds,
    };
    let outcome = ordeal.run()?;
    println!("{outcome:#?}");
    Ok(if outcome.is_flawless() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
