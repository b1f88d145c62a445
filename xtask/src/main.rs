//! `cargo xtask`: everything that CI runs, and the pieces of it one by one.

mod autobahn;
mod bench;
mod command;
mod error;
mod fuzz;
mod install;
mod options;
mod paths;
mod plan;
mod steps;
mod tally;

use std::process::ExitCode;

use command::Profile;
use error::Failure;
use options::Options;
use tally::Tally;

const HELP: &str = "\
cargo xtask test [--only STEP,…] [--skip STEP,…] [--list]
    Everything that CI runs, in order, stopping at the first step that fails.
cargo xtask STEP
    One step by itself: the same as test --only STEP.
cargo xtask autobahn [--cases 1-7,10] [--url ws://HOST:PORT/PATH]
    Autobahn's cases against the endpoints example, or against another server.
cargo xtask bench [--quick] [--only WORKLOAD,…] [--servers SERVER,…] [--rounds N] [--list] [--from RESULTS.json]
    Measures the server beside its peers, and writes docs/performance.md.
cargo xtask ordeal [--clients N] [--seconds N] [--rate N] [--rounds N]
    Clients of three nodes on Redis through cut networks and restarts: is everything there, once and in order?
cargo xtask install
    Every program that the tests need, as packages, where it is missing.";

fn main() -> ExitCode {
    match run(std::env::args().skip(1).collect()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("xtask: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn run(mut arguments: Vec<String>) -> Result<(), Failure> {
    let help = |argument: &String| argument == "--help" || argument == "-h";
    let is_bench = arguments.first().is_some_and(|command| command == "bench" || command == "ordeal");
    if arguments.is_empty() || (arguments.iter().any(help) && !is_bench) {
        println!("{HELP}\n");
        plan::list();
        return Ok(());
    }
    let command = arguments.remove(0);
    if command == "bench" {
        return bench::run(Profile::Release, &arguments);
    }
    if command == "ordeal" {
        return bench::ordeal(&arguments);
    }
    let mut options = Options::new(arguments);
    match command.as_str() {
        "test" => {
            let (only, skip) = (options.list("--only")?, options.list("--skip")?);
            let list = options.flag("--list");
            options.end()?;
            if list {
                plan::list();
                return Ok(());
            }
            plan::run(&only, &skip)
        }
        "autobahn" => {
            let (cases, url) = (options.list("--cases")?, options.value("--url")?);
            options.end()?;
            let mut tally = Tally::default();
            let outcome = autobahn::run(&cases, url.as_deref(), &mut tally);
            println!("{tally}");
            outcome
        }
        "install" => {
            options.end()?;
            install::everything()
        }
        step => {
            options.end()?;
            plan::run(&[step.to_owned()], &[])
        }
    }
}
