//! `narrows run`: serves a project while somebody works on it.

mod build;
mod process;
mod say;
mod settings;
mod sockets;
mod watch;

use std::error::Error;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{ExitCode, ExitStatus};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;

use clap::Args;
use rustix::process::Pid;
use tokio::signal::unix::{SignalKind, signal};

use self::build::{Build, BuildError};
use self::process::Process;
use self::settings::Said;
use self::sockets::{LowDescriptors, SocketError, Sockets};
use self::watch::{Changed, Watch};
use crate::project::{FindError, Metadata, MetadataError, Project};
use crate::signals::Signals;

/// Build and serve the project; build and start it anew after each change, and reload the pages that are open.
///
/// Templates and static files need no build. The old program goes on until the new one is built, and the address stays
/// open in between: no request is refused. Ctrl-C ends it.
#[derive(Debug, Args)]
pub(crate) struct Run {
    /// Listen here, in place of what the settings say
    #[arg(long, value_name = "HOST:PORT")]
    bind: Vec<String>,
    /// Build as for production: slower to build, and faster
    #[arg(long)]
    release: bool,
    /// Settings for the program: `narrows run -- --log debug`
    #[arg(last = true)]
    arguments: Vec<OsString>,
}

/// Why nothing is served any more.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RunError {
    #[error(transparent)]
    Find(#[from] FindError),
    #[error(transparent)]
    Metadata(#[from] MetadataError),
    #[error("changes of files cannot be watched: {0}")]
    Watch(#[from] notify::Error),
    #[error("this cannot run: {0}")]
    Io(#[from] io::Error),
}

/// What happens.
#[derive(Debug)]
enum Event {
    Changed(Changed),
    Built(Result<PathBuf, BuildError>),
    Ended(Pid),
    /// Ctrl-C, SIGTERM, or the terminal is gone.
    Interrupted,
}

impl Run {
    pub(crate) fn run(self) -> Result<ExitCode, RunError> {
        let low = LowDescriptors::take()?;
        let project = Project::here()?;
        let metadata = Metadata::of(&project)?;
        let (tell, events) = mpsc::channel();
        let mut watch = Watch::new(&tell)?;
        metadata.folders.iter().for_each(|folder| watch.package(folder));
        tell_signals(&tell)?;
        let arguments =
            self.bind.iter().flat_map(|bind| ["--bind".into(), bind.into()]).chain(self.arguments);
        let site = Runner {
            arguments: arguments.collect(),
            release: self.release,
            project,
            metadata,
            watch,
            tell,
            building: None,
            again: false,
            manifest_changed: false,
            waiting: None,
            sockets: None,
            current: None,
            ending: Vec::new(),
            _low: low,
        };
        Ok(site.run(&events))
    }
}

/// Takes signals over from the system.
fn tell_signals(tell: &Sender<Event>) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let _within = runtime.enter();
    let mut signals = Signals::new()?;
    // Cargo and the program are in groups of their own: the system does not tell them that the terminal is gone.
    let mut hangup = if is_hangup_ignored() { None } else { Some(signal(SignalKind::hangup())?) };
    drop(_within);
    let tell = tell.clone();
    thread::spawn(move || {
        runtime.block_on(async {
            loop {
                let hung_up = async {
                    match &mut hangup {
                        Some(hangup) => hangup.recv().await,
                        None => std::future::pending().await,
                    }
                };
                tokio::select! {
                    () = signals.next() => {}
                    _ = hung_up => {}
                }
                if tell.send(Event::Interrupted).is_err() {
                    return;
                }
            }
        });
    });
    Ok(())
}

/// Whether we go on without a terminal, as nohup(1) asks for: proc_pid_status(5), SIGHUP is the first bit.
fn is_hangup_ignored() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask & 1 == 1)
}

struct Runner {
    project: Project,
    metadata: Metadata,
    release: bool,
    /// For the program.
    arguments: Vec<OsString>,
    watch: Watch,
    tell: Sender<Event>,
    building: Option<Build>,
    /// Something changed during the build.
    again: bool,
    manifest_changed: bool,
    /// A program that starts when those are gone that have its address.
    waiting: Option<PathBuf>,
    sockets: Option<Sockets>,
    current: Option<Process>,
    /// Programs that were told to end.
    ending: Vec<Process>,
    _low: LowDescriptors,
}

/// Why a program that was built does not run.
#[derive(Debug, thiserror::Error)]
enum StartError {
    #[error(transparent)]
    Settings(#[from] settings::SettingsError),
    #[error(transparent)]
    Sockets(#[from] SocketError),
    #[error("the program cannot be started: {0}")]
    Start(#[from] io::Error),
}

impl Runner {
    fn run(mut self, events: &Receiver<Event>) -> ExitCode {
        self.build();
        loop {
            match events.recv().expect("we have a sender ourselves") {
                Event::Changed(changed) => self.changed(changed),
                Event::Built(built) => self.built(built),
                Event::Ended(id) => self.ended(id),
                Event::Interrupted => return self.end(events),
            }
        }
    }

    fn changed(&mut self, changed: Changed) {
        self.manifest_changed |= changed.manifest;
        if changed.folders {
            self.watch.anew();
        }
        // There may be folders that were not there before.
        self.watch_packages();
        let is_down = self.current.is_none() && self.waiting.is_none();
        if changed.program || (is_down && self.building.is_none()) {
            self.build();
        }
        if let Some(current) = self.current.as_mut().filter(|_| changed.pages) {
            current.reload_pages();
        }
    }

    fn watch_packages(&mut self) {
        let Self { watch, metadata, .. } = self;
        metadata.folders.iter().for_each(|folder| watch.package(folder));
    }

    fn build(&mut self) {
        if self.building.is_some() {
            self.again = true;
            return;
        }
        if std::mem::take(&mut self.manifest_changed) {
            match Metadata::of(&self.project) {
                Ok(metadata) => self.metadata = metadata,
                // cargo says it again, if it minds.
                Err(error) => say::trouble(error),
            }
            self.watch_packages();
        }
        self.building = Some(Build::start(&self.project, &self.metadata, self.release, &self.tell));
    }

    fn built(&mut self, built: Result<PathBuf, BuildError>) {
        self.building = None;
        if std::mem::take(&mut self.again) {
            return self.build();
        }
        match built {
            Ok(program) => self.started(&program),
            Err(error) => self.trouble(&error),
        }
    }

    fn started(&mut self, path: &Path) {
        if let Err(error) = self.start(path) {
            self.trouble(&error);
        }
    }

    fn trouble(&self, error: &dyn Error) {
        let then = if self.current.is_some() { "the site goes on as it was" } else { "waiting for a change" };
        say::trouble(format_args!("{error}; {then}"));
    }

    /// Starts what was built in the place of what runs.
    fn start(&mut self, path: &Path) -> Result<(), StartError> {
        if self.waiting.is_some() {
            self.waiting = Some(path.to_owned());
            return Ok(());
        }
        let root = self.project.root();
        let Said { addresses, is_drain_chosen } = settings::ask(path, root, &self.arguments)?;
        let known = self.sockets.as_ref().filter(|sockets| *sockets.asked() == addresses).is_some();
        if !known {
            match Sockets::open(addresses, self.sockets.as_ref(), root) {
                Ok(sockets) => self.sockets = Some(sockets),
                Err(error) if self.sockets.as_ref().is_some_and(|sockets| sockets.are_in_the_way(&error)) => {
                    self.make_way(path);
                    return Ok(());
                }
                Err(error) => return Err(error.into()),
            }
        }
        let sockets = self.sockets.as_ref().expect("they are open now");
        let mut command = process::program(path, root);
        command.arg("serve").args(without_addresses(&self.arguments));
        command.args(["--inherit", "--bind=", "--unix="]).env("NARROWS_RELOAD", "1");
        if !is_drain_chosen {
            // The pages load again at once in any case.
            command.args(["--drain-window", "0s"]);
        }
        let process = Process::start(command, sockets, &self.tell)?;
        if self.current.is_none() || !known {
            say::note(format_args!("serving {} at {}; Ctrl-C ends it", self.project.name(), sockets.shown()));
        } else {
            say::note(format_args!("serving the new {}", self.project.name()));
        }
        self.end_current();
        self.current = Some(process);
        Ok(())
    }

    /// Gives the addresses up, and starts what was built when nobody has them any more.
    fn make_way(&mut self, path: &Path) {
        self.sockets = None;
        self.end_current();
        if self.ending.is_empty() {
            // They were ours alone.
            return self.started(path);
        }
        self.waiting = Some(path.to_owned());
    }

    fn end_current(&mut self) {
        if let Some(mut current) = self.current.take() {
            current.end();
            self.ending.push(current);
        }
    }

    fn ended(&mut self, id: Pid) {
        if let Some(place) = self.ending.iter().position(|process| process.id() == id) {
            // How an old one ends is not what somebody is working on.
            let _ = self.ending.swap_remove(place).status();
        }
        if let Some(process) = self.current.take_if(|process| process.id() == id) {
            match process.status() {
                Ok(status) => {
                    say::trouble(format_args!("the program ended: {}; waiting for a change", how(status)));
                }
                Err(error) => say::trouble(error),
            }
        }
        if let Some(path) = self.waiting.take_if(|_| self.ending.is_empty()) {
            self.started(&path);
        }
    }

    /// Ends all there is, in the orderly way; when interrupted once more at once.
    fn end(mut self, events: &Receiver<Event>) -> ExitCode {
        if let Some(build) = &self.building {
            build.stop();
        }
        self.end_current();
        self.waiting = None;
        let mut interrupted = false;
        while !self.ending.is_empty() || self.building.is_some() {
            match events.recv().expect("we have a sender ourselves") {
                Event::Ended(id) => self.ended(id),
                Event::Built(_) => self.building = None,
                Event::Interrupted if interrupted => return ExitCode::from(130),
                Event::Interrupted => {
                    interrupted = true;
                    self.ending.iter().for_each(Process::kill);
                    self.building.iter().for_each(Build::kill);
                }
                Event::Changed(_) => {}
            }
        }
        ExitCode::SUCCESS
    }
}

/// The arguments but those that say where to listen: it is us who listen.
fn without_addresses(arguments: &[OsString]) -> Vec<&OsString> {
    let mut kept = Vec::new();
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        match argument.to_str() {
            Some("--bind" | "--unix") => drop(arguments.next()),
            Some(text) if text.starts_with("--bind=") || text.starts_with("--unix=") => {}
            _ => kept.push(argument),
        }
    }
    kept
}

fn how(status: ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt;
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("its status is {code}"),
        (None, Some(signal)) => format!("signal {signal} ended it"),
        (None, None) => status.to_string(),
    }
}
