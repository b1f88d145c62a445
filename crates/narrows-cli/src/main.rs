//! `narrows`: the tools that come with the framework, for it and for other WebSocket servers.

mod app;
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
    App(app::App),
    /// Measure a server under load.
    #[command(subcommand)]
    Bench(Box<bench::Mode>),
    /// Say what is wrong with the project's site, before it goes into production
    Check(project::Pass),
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
    /// Run the project's workers, and nothing else
    Worker(project::Pass),
}

fn main() -> ExitCode {
    match Cli::try_parse() {
        Ok(Cli { command }) => command.run().unwrap_or_else(|error| {
            eprintln!("narrows: {error}");
            ExitCode::FAILURE
        }),
        Err(answer) => {
            // There is no better place to say that this place is gone.
            let _ = answer.print();
            // Help and version are what was asked for.
            if answer.use_stderr() { ExitCode::FAILURE } else { ExitCode::SUCCESS }
        }
    }
}

impl Command {
    fn run(self) -> Result<ExitCode, Box<dyn Error>> {
        Ok(match self {
            Self::App(app) => app.run()?,
            Self::Bench(mode) => mode.run()?,
            Self::Check(pass) => pass.run("check")?,
            Self::Connect(connect) => connect.run(),
            Self::Createsuperuser(create) => create.run()?,
            Self::Makemigrations(pass) => pass.run("makemigrations")?,
            Self::Migrate(pass) => pass.run("migrate")?,
            Self::New(new) => new.run()?,
            Self::Run(run) => run.run()?,
            Self::Send(send) => send.run()?,
            Self::Showmigrations(pass) => pass.run("showmigrations")?,
            Self::Tail(tail) => tail.run()?,
            Self::Worker(pass) => pass.run("worker")?,
        })
    }
}
