use std::process::Command;

use crate::command::{Profile, run as run_command};
use crate::error::Failure;
use crate::{install, paths};

/// Measures the server beside its peers, which are installed where they are missing; `bench/compare` has the options.
pub(crate) fn run(profile: Profile, arguments: &[String]) -> Result<(), Failure> {
    let only_told = ["--list", "--help", "-h", "--from"];
    let is_told = |argument: &String| only_told.iter().any(|told| argument.split('=').next() == Some(told));
    if !arguments.iter().any(is_told) {
        install::peers()?;
    }
    run_command(Command::new(profile.built("compare")?).args(arguments).current_dir(paths::root()))
}

/// Runs clients through cut networks and restarted nodes; `bench/ordeal` has the options.
pub(crate) fn ordeal(arguments: &[String]) -> Result<(), Failure> {
    install::redis()?;
    install::clients()?;
    run_command(Command::new(Profile::Release.built("ordeal")?).args(arguments).current_dir(paths::root()))
}
