//! `narrows`: the tools that come with the framework, for it and for other WebSocket servers.

mod bench;
mod layer;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Tools for Narrows and other WebSocket servers.
#[derive(Debug, Parser)]
#[command(name = "narrows", version, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Measure a server under load.
    #[command(subcommand)]
    Bench(bench::Mode),
    Send(layer::Send),
    Tail(layer::Tail),
}

fn main() -> ExitCode {
    let done: Result<ExitCode, Box<dyn std::error::Error>> = match Cli::parse().command {
        Command::Bench(mode) => mode.run().map_err(Into::into),
        Command::Send(send) => send.run().map_err(Into::into),
        Command::Tail(tail) => tail.run().map_err(Into::into),
    };
    done.unwrap_or_else(|error| {
        eprintln!("narrows: {error}");
        ExitCode::FAILURE
    })
}
