use std::io::{BufRead, BufReader, IsTerminal};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::error::Failure;
use crate::paths;
use crate::tally::Tally;

/// A cargo command in the repository's root.
pub(crate) fn cargo<'a>(arguments: impl IntoIterator<Item = &'a str>) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments).current_dir(paths::root());
    if std::io::stdout().is_terminal() {
        command.env("CARGO_TERM_COLOR", "always");
    }
    command
}

/// The programs' optimised forms.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Profile {
    /// As they are released, and measured.
    Release,
    /// Nearly so, and built in a third of the time.
    Ci,
}

impl Profile {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Release => "release",
            Self::Ci => "ci",
        }
    }

    /// Builds the programs; where one is. All steps that need a program have it from here: building one by itself, with
    /// the features that only it needs, would be most of the work once more. The sites of the tutorial are left out: they are
    /// built as the chat site is, which is among them.
    pub(crate) fn built(self, program: &str) -> Result<PathBuf, Failure> {
        let all = ["--workspace", "--bins", "--exclude", "xtask", "--exclude", "tutorial-*"];
        run(&mut cargo(["build", "--profile", self.name()].into_iter().chain(all)))?;
        Ok(paths::target().join(self.name()).join(program))
    }
}

/// Runs a command, its output passing through.
pub(crate) fn run(command: &mut Command) -> Result<(), Failure> {
    counted(command).map(|_| ()).map_err(|(failure, _)| failure)
}

/// Runs a command, its output passing through, and counts the tests that it reports, also when it fails.
pub(crate) fn counted(command: &mut Command) -> Result<Tally, (Failure, Tally)> {
    let mut tally = Tally::default();
    let name = shown(command);
    println!("$ {name}");
    let start = |source| Failure::Start { command: name.clone(), source };
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
    let mut child = child.map_err(|source| (start(source), tally))?;
    let output = child.stdout.take().expect("stdout is piped");
    for line in BufReader::new(output).split(b'\n').map_while(Result::ok) {
        let line = String::from_utf8_lossy(&line);
        println!("{line}");
        tally += Tally::of_line(&line);
    }
    let status = child.wait().map_err(|source| (start(source), tally))?;
    if status.success() {
        return Ok(tally);
    }
    Err((Failure::Command { command: name, status: status.to_string() }, tally))
}

/// Whether a command succeeds, its output unseen.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    let quiet = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    quiet.status().is_ok_and(|status| status.success())
}

/// What a command prints.
pub(crate) fn output(command: &mut Command) -> Result<String, Failure> {
    let name = shown(command);
    let output = command.stdin(Stdio::null()).stderr(Stdio::inherit()).output();
    let output = output.map_err(|source| Failure::Start { command: name.clone(), source })?;
    if !output.status.success() {
        return Err(Failure::Command { command: name, status: output.status.to_string() });
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn shown(command: &Command) -> String {
    let program = std::path::Path::new(command.get_program());
    let program = program.file_name().unwrap_or(program.as_os_str()).to_string_lossy();
    let arguments = command.get_args().map(|argument| argument.to_string_lossy().into_owned());
    let words: Vec<String> = std::iter::once(program.into_owned()).chain(arguments).collect();
    words.join(" ")
}
