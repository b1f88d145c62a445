use std::io::{self, BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::Sender;
use std::thread;

use rustix::process::{Pid, Signal, kill_process_group};
use serde::Deserialize;

use super::Event;
use crate::project::{Metadata, Project, cargo};

/// A build on its way. Its end is an [`Event::Built`].
#[derive(Debug)]
pub(super) struct Build(Option<Pid>);

/// Why there is no new program. cargo has said more.
#[derive(Debug, thiserror::Error)]
pub(super) enum BuildError {
    #[error("cargo cannot be run: {0}")]
    Cargo(#[from] io::Error),
    #[error("the build failed")]
    Failed,
    #[error("the build made no program {0}")]
    NoProgram(String),
}

/// The lines of cargo's that are used: <https://doc.rust-lang.org/cargo/reference/external-tools.html#json-messages>.
#[derive(Deserialize)]
#[serde(tag = "reason", rename_all = "kebab-case")]
enum Line {
    CompilerArtifact {
        package_id: String,
        target: Target,
        executable: Option<PathBuf>,
    },
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
struct Target {
    name: String,
}

impl Build {
    /// Starts cargo. Its messages go to the terminal.
    pub(super) fn start(
        project: &Project,
        metadata: &Metadata,
        release: bool,
        events: &Sender<Event>,
    ) -> Self {
        let mut command = Command::new(cargo());
        command.args(["build", "--message-format=json-render-diagnostics", "--bin", &metadata.program]);
        command.arg("--manifest-path").arg(project.manifest()).current_dir(project.root());
        if release {
            command.arg("--release");
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        // A group of its own: what is told to cargo alone, its compilers do not hear of.
        command.process_group(0);
        let (package, program) = (metadata.package.clone(), metadata.program.clone());
        let events = events.clone();
        let built = move |result| {
            // Nobody waits for it when everything ends.
            let _ = events.send(Event::Built(result));
        };
        match command.spawn() {
            Ok(child) => {
                let pid = Pid::from_child(&child);
                thread::spawn(move || built(wait(child, &package, &program)));
                Self(Some(pid))
            }
            Err(error) => {
                built(Err(error.into()));
                Self(None)
            }
        }
    }

    /// Asks cargo and its compilers to stop.
    pub(super) fn stop(&self) {
        self.signal(Signal::INT);
    }

    /// Ends them at once.
    pub(super) fn kill(&self) {
        self.signal(Signal::KILL);
    }

    fn signal(&self, signal: Signal) {
        // They are there: their end would have been said. Should they end just now, all the better.
        let _ = self.0.map(|pid| kill_process_group(pid, signal));
    }
}

fn wait(mut child: Child, package: &str, program: &str) -> Result<PathBuf, BuildError> {
    let mut found = None;
    for line in BufReader::new(child.stdout.take().expect("it is piped")).lines() {
        // Build scripts and the like may write lines of their own.
        if let Ok(Line::CompilerArtifact { package_id, target, executable: Some(path) }) =
            serde_json::from_str(&line?)
            && package_id == package
            && target.name == program
        {
            found = Some(path);
        }
    }
    match child.wait()?.success() {
        true => found.ok_or_else(|| BuildError::NoProgram(program.to_owned())),
        false => Err(BuildError::Failed),
    }
}
