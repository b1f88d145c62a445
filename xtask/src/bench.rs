use crate::command::{cargo, run as run_command};
use crate::error::Failure;
use crate::install;

/// Measures the server beside its peers, which are installed where they are missing; `bench/compare` has the options.
pub(crate) fn run(arguments: &[String]) -> Result<(), Failure> {
    let only_told = ["--list", "--help", "-h", "--from"];
    let is_told = |argument: &String| only_told.iter().any(|told| argument.split('=').next() == Some(told));
    if !arguments.iter().any(is_told) {
        install::peers()?;
    }
    run_command(cargo(["run", "--release", "--quiet", "-p", "compare", "--"]).args(arguments))
}
