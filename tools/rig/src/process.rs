use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use programs::Child;

use crate::wait::{PATIENCE, holds_within};

/// How many lines of a log to show when something went wrong.
const SHOWN: usize = 40;

/// A server that can be started again. It logs to a file, or prints its log.
#[derive(Debug)]
pub(crate) struct Process {
    program: PathBuf,
    arguments: Vec<String>,
    log: PathBuf,
    child: Mutex<Option<Child>>,
    frozen: AtomicBool,
}

impl Process {
    /// One that does not run yet. Its configuration names the log.
    pub(crate) fn new(program: &Path, arguments: Vec<String>, log: PathBuf) -> Self {
        Self {
            program: program.to_owned(),
            arguments,
            log,
            child: Mutex::new(None),
            frozen: AtomicBool::new(false),
        }
    }

    /// Starts it and waits until it is ready; false when another program has taken its port.
    pub(crate) fn start(&self, mut is_ready: impl FnMut() -> bool) -> bool {
        let start_of_log = fs::metadata(&self.log).map_or(0, |data| data.len());
        let mut child = Child::start(Command::new(&self.program).args(&self.arguments));
        let mut ready = false;
        holds_within(PATIENCE, || {
            ready = is_ready();
            ready || child.has_ended()
        });
        if ready {
            self.frozen.store(false, Ordering::Relaxed);
            *self.child() = Some(child);
            return true;
        }
        if child.has_ended() {
            let (status, output) = child.end(PATIENCE);
            let log = fs::read(&self.log).unwrap_or_default();
            let log = log.get(usize::try_from(start_of_log).unwrap_or(0)..).unwrap_or_default();
            let log = String::from_utf8_lossy(log);
            // Each system says it in words of its own, all of them with these.
            if [&*log, &output].iter().any(|text| text.to_lowercase().contains("already in use")) {
                return false;
            }
            panic!("{} did not start: {status}\n{output}{}", self.program.display(), self.log());
        }
        panic!("{} was not ready within {PATIENCE:?}{}", self.program.display(), self.log());
    }

    /// Ends it by a signal and waits for that; nothing when it does not run.
    pub(crate) fn end(&self, signal: &str) {
        // Taken out, so that a panic here still drops it.
        let Some(mut child) = self.child().take() else { return };
        if !child.has_ended() {
            child.signal(signal);
        }
        child.end(PATIENCE);
    }

    /// The same for a server that is not needed any more: it is killed when it does not end, and nothing panics.
    pub(crate) fn let_go(&self, signal: &str) {
        let Some(mut child) = self.child().take() else { return };
        if !child.has_ended() {
            child.signal(signal);
            holds_within(PATIENCE, || child.has_ended());
        }
    }

    /// Stops it in the midst of whatever it does, as a machine that hangs.
    pub(crate) fn freeze(&self) {
        self.signal("STOP");
        self.frozen.store(true, Ordering::Relaxed);
        let id = self.id();
        let stopped = || state(id) == Some('T');
        assert!(holds_within(PATIENCE, stopped), "process {id} goes on after SIGSTOP");
    }

    /// Lets it go on.
    pub(crate) fn thaw(&self) {
        self.signal("CONT");
        self.frozen.store(false, Ordering::Relaxed);
    }

    pub(crate) fn is_running(&self) -> bool {
        self.child().as_mut().is_some_and(|child| !child.has_ended())
    }

    /// Whether it runs and is not frozen.
    pub(crate) fn answers(&self) -> bool {
        self.is_running() && !self.frozen.load(Ordering::Relaxed)
    }

    /// The end of its log, to be shown after a text.
    pub(crate) fn log(&self) -> String {
        let Ok(log) = fs::read(&self.log) else {
            let printed = self.child().as_mut().map(Child::printed).unwrap_or_default();
            return format!("; it printed:\n{printed}");
        };
        let log = String::from_utf8_lossy(&log);
        let lines: Vec<&str> = log.lines().collect();
        let shown = &lines[lines.len().saturating_sub(SHOWN)..];
        format!("; the end of {}:\n{}", self.log.display(), shown.join("\n"))
    }

    fn signal(&self, name: &str) {
        let child = self.child();
        child.as_ref().unwrap_or_else(|| panic!("SIG{name} for a server that does not run")).signal(name);
    }

    fn id(&self) -> u32 {
        self.child().as_ref().expect("it was sent a signal").id()
    }

    fn child(&self) -> std::sync::MutexGuard<'_, Option<Child>> {
        // A test that panicked holds no half-made state here, and must still be cleaned up after.
        self.child.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The letter that Linux has for a process' state.
fn state(id: u32) -> Option<char> {
    let text = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    // After the name, which is in brackets and may hold anything.
    text.rsplit_once(") ")?.1.chars().next()
}
