//! The commands of a project's program, in a process of its own.

use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::Duration;

use programs::Child;
use tempfile::TempDir;

use crate::diary::project;

const IN_TIME: Duration = Duration::from_secs(60);
const NAME: &str = "commands::the_program_itself";
/// The arguments, in a variable, one a line.
const ARGS: &str = "DIARY_ARGS";
const KEY: &str = "a long secret that nobody guesses, with more than fifty characters";

#[test]
#[ignore = "it is the program; others run it in a process of its own"]
fn the_program_itself() {
    let Ok(args) = std::env::var(ARGS) else { return };
    let code = project().run_with(args.lines());
    let codes = [ExitCode::SUCCESS, ExitCode::FAILURE, ExitCode::from(2)];
    let code = codes.iter().position(|known| *known == code).expect("it ends with one of these");
    std::process::exit(i32::try_from(code).unwrap());
}

/// A folder in which the program runs.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", NAME, "--ignored", "--nocapture"]).env(ARGS, args.join("\n"));
        command.env_remove("CARGO_MANIFEST_DIR").current_dir(self.path());
        command
    }

    fn start(&self, args: &[&str]) -> Child {
        Child::start(&mut self.command(args))
    }

    /// What it printed, and its exit code.
    fn run(&self, args: &[&str]) -> (i32, String) {
        let (status, printed) = self.start(args).end(IN_TIME);
        (status.code().unwrap(), printed)
    }
}

#[track_caller]
fn assert_printed((code, printed): (i32, String), expected: i32, text: &str) -> String {
    assert!(code == expected && printed.contains(text), "{code} and no {text:?} in\n{printed}");
    assert!(!printed.contains("panicked"), "{printed}");
    printed
}
