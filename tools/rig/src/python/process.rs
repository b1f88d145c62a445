use std::collections::{HashMap, VecDeque};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use serde_json::Value;

use super::pending::{PythonError, Slot};

/// How many lines to show of what Python logged.
const SHOWN: usize = 60;

/// A running script of ours, killed when this is dropped.
#[derive(Debug)]
pub(crate) struct Process {
    child: Mutex<Child>,
    input: Mutex<ChildStdin>,
    calls: Arc<Mutex<Calls>>,
    pub(crate) log: Arc<Log>,
}

impl Process {
    /// Starts it, where the virtual environment is.
    pub(crate) fn start(script: &str, options: Option<&Value>) -> Option<Self> {
        let python = environment()?;
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("python").join(script);
        let mut command = Command::new(&python);
        command.arg(script).args(options.map(Value::to_string));
        command.env("PYTHONUTF8", "1").env("PYTHONDONTWRITEBYTECODE", "1");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child =
            command.spawn().unwrap_or_else(|error| panic!("cannot start {}: {error}", python.display()));
        let input = Mutex::new(child.stdin.take().expect("stdin is piped"));
        let (output, errors) = (child.stdout.take(), child.stderr.take());
        let (calls, log) = (Arc::<Mutex<Calls>>::default(), Arc::<Log>::default());
        let (answered, logged) = (Arc::clone(&calls), Arc::clone(&log));
        thread::spawn(move || {
            read_answers(BufReader::new(output.expect("stdout is piped")), &answered, &logged);
        });
        let logged = Arc::clone(&log);
        thread::spawn(move || {
            let lines = BufReader::new(errors.expect("stderr is piped")).split(b'\n');
            lines.map_while(Result::ok).for_each(|line| logged.add(&line));
        });
        Some(Self { child: Mutex::new(child), input, calls, log })
    }

    /// Sends a call; its outcome will be in the slot.
    pub(crate) fn call(&self, name: &str, mut arguments: Value) -> Arc<Slot> {
        let slot = Arc::<Slot>::default();
        let mut calls = lock(&self.calls);
        if calls.ended {
            slot.set(Err(ended(&self.log)));
            return slot;
        }
        calls.last += 1;
        arguments["id"] = calls.last.into();
        arguments["do"] = name.into();
        let last = calls.last;
        calls.waiting.insert(last, Arc::clone(&slot));
        drop(calls);
        let mut line = arguments.to_string();
        line.push('\n');
        // Where Python has ended, the reader of its answers says so to all that wait.
        let _ = lock(&self.input).write_all(line.as_bytes());
        slot
    }

    /// Ends it as a crash does, and waits for that.
    pub(crate) fn kill(&self) {
        let mut child = lock(&self.child);
        // Both fail only when it has ended already, which is what they are for.
        let _ = child.kill();
        let _ = child.wait();
    }

    /// Sends it a signal by name.
    pub(crate) fn signal(&self, name: &str) {
        let id = lock(&self.child).id().to_string();
        let sent = Command::new("kill").arg(format!("-{name}")).arg(id).status();
        assert!(sent.is_ok_and(|status| status.success()), "cannot send SIG{name} to Python");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The last lines that Python logged.
#[derive(Debug, Default)]
pub(crate) struct Log(Mutex<VecDeque<String>>);

impl Log {
    /// To be shown after a text.
    pub(crate) fn shown(&self) -> String {
        let lines: Vec<String> = lock(&self.0).iter().cloned().collect();
        format!("; it logged:\n{}", lines.join("\n"))
    }

    fn add(&self, line: &[u8]) {
        let mut lines = lock(&self.0);
        if lines.len() == SHOWN {
            lines.pop_front();
        }
        lines.push_back(String::from_utf8_lossy(line).into_owned());
    }
}

#[derive(Debug, Default)]
struct Calls {
    last: u64,
    waiting: HashMap<u64, Arc<Slot>>,
    ended: bool,
}

fn read_answers(output: impl BufRead, calls: &Mutex<Calls>, log: &Log) {
    for line in output.split(b'\n').map_while(Result::ok) {
        let Ok(mut answer) = serde_json::from_slice::<Value>(&line) else {
            log.add(&[b"not an answer: ", &line[..]].concat());
            continue;
        };
        let slot = answer["id"].as_u64().and_then(|id| lock(calls).waiting.remove(&id));
        let Some(slot) = slot else { continue };
        let text = |key: &str| answer["error"][key].as_str().unwrap_or_default().to_owned();
        slot.set(if answer["error"].is_object() {
            Err(PythonError { class: text("class"), text: text("text"), traceback: text("traceback") })
        } else {
            Ok(answer["value"].take())
        });
    }
    let mut calls = lock(calls);
    calls.ended = true;
    for (_, slot) in calls.waiting.drain() {
        slot.set(Err(ended(log)));
    }
}

fn ended(log: &Log) -> PythonError {
    let text = "the Python process has ended".to_owned();
    PythonError { class: "EOFError".to_owned(), text, traceback: log.shown() }
}

/// The Python that `cargo xtask install` has made; where it is missing the test is left out.
fn environment() -> Option<PathBuf> {
    let target = programs::target();
    let (python, installed) = (target.join("rig/venv/bin/python"), target.join("clients/rig.installed"));
    if python.exists() && installed.exists() {
        return Some(python);
    }
    programs::leave_out(&format!("{} is missing; cargo xtask install makes it", python.display()));
    None
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
