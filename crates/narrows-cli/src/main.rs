//! `narrows`: the tools that come with the framework, for it and for other WebSocket servers.

mod bench;
mod connect;
mod layer;
mod new;
mod project;
mod run;
mod signals;
mod superuser;

use std::error::Error;
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
    Bench(Box<bench::Mode>),
    /// Talk to a server: a WebSocket client for the terminal and for scripts.
    Connect(Box<connect::Connect>),
    Createsuperuser(superuser::CreateSuperuser),
    /// Write the migration for what changed in the models of the project
    Makemigrations(project::Pass),
    /// Apply the project's migrations
    Migrate(project::Pass),
    New(new::New),
    Run(run::Run),
    Send(layer::Send),
    /// List the project's migrations
    Showmigrations(project::Pass),
    Tail(layer::Tail),
}

fn main() -> ExitCode {
    match Cli::try_parse() {
        Ok(Cli { command: Command::Bench(mode) }) => mode.run().unwrap_or_else(|error| failed(&error)),
        Ok(Cli { command: Command::Connect(connect) }) => connect.run(),
        Ok(Cli { command: Command::Createsuperuser(create) }) => {
            create.run().unwrap_or_else(|error| failed(&error))
        }
        Ok(Cli { command: Command::Makemigrations(pass) }) => {
            pass.run("makemigrations").unwrap_or_else(|error| failed(&error))
        }
        Ok(Cli { command: Command::Migrate(pass) }) => {
            pass.run("migrate").unwrap_or_else(|error| failed(&error))
        }
        Ok(Cli { command: Command::Showmigrations(pass) }) => {
            pass.run("showmigrations").unwrap_or_else(|error| failed(&error))
        }
        Ok(Cli { command: Command::Run(run) }) => run.run().unwrap_or_else(|error| failed(&error)),
        Ok(Cli { command: Command::New(new) }) => new.run().unwrap_or_else(|error| failed(&error)),
        Ok(Cli { command: Command::Send(send) }) => send.run().unwrap_or_else(|error| failed(&error)),
        Ok(Cli { command: Command::Tail(tail) }) => tail.run().unwrap_or_else(|error| failed(&error)),
        Err(answer) => {
            // There is no better place to say that this place is gone.
            let _ = answer.print();
            // Help and version are what was asked for.
            if answer.use_stderr() { ExitCode::FAILURE } else { ExitCode::SUCCESS }
        }
    }
}

fn failed(error: &dyn Error) -> ExitCode {
    eprintln!("narrows: {error}");
    ExitCode::FAILURE
}
