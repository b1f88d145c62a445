use std::process::Command;

use crate::command::{cargo, output, run as run_command};
use crate::error::Failure;
use crate::tally::Tally;
use crate::{install, paths};

/// Inputs for each target: a smoke test; a hunt takes hours and is started by hand.
const RUNS: &str = "-runs=50000";

/// The time after which a target is slow rather than thorough.
const SECONDS: &str = "-max_total_time=20";

/// Builds the fuzz targets on the stable toolchain, so without a sanitizer, and runs each for a bounded time.
pub(crate) fn run(tally: &mut Tally) -> Result<(), Failure> {
    if !paths::root().join("fuzz/Cargo.toml").exists() {
        println!("there are no fuzz targets yet");
        return Ok(());
    }
    install::cargo_fuzz()?;
    let targets = output(&mut cargo(["fuzz", "list"]))?;
    let targets: Vec<&str> = targets.split_whitespace().collect();
    run_command(&mut fuzz("build", &[]))?;
    // Each has one thread.
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    for some in targets.chunks(cores) {
        let outcomes: Vec<_> = std::thread::scope(|scope| {
            let run = |target| run_command(fuzz("run", &[target]).args(["--", RUNS, SECONDS]));
            let running: Vec<_> = some.iter().map(|target| scope.spawn(move || run(target))).collect();
            running.into_iter().map(|running| running.join().expect("it does not panic")).collect()
        });
        for outcome in outcomes {
            match outcome {
                Ok(()) => tally.passed += 1,
                Err(failure) => {
                    tally.failed += 1;
                    return Err(failure);
                }
            }
        }
    }
    if targets.is_empty() {
        return Err(Failure::Check("the fuzz crate has no target".to_owned()));
    }
    Ok(())
}

fn fuzz(task: &str, more: &[&str]) -> Command {
    let mut command = cargo(["fuzz", task, "--sanitizer", "none", "--target-dir"]);
    command.arg(paths::target().join("fuzz")).args(more);
    command
}
