use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read};
use std::process::{self, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

/// How long a program may take to say what it is waited for; generous, as CI machines are slow at times.
const PATIENCE: Duration = Duration::from_secs(60);

/// How many lines to show of a program that went wrong.
const SHOWN: usize = 60;

/// A running program, killed when this is dropped, so that no test leaves one behind.
#[derive(Debug)]
pub struct Child {
    name: String,
    process: process::Child,
    lines: Receiver<String>,
    seen: VecDeque<String>,
}

impl Child {
    /// Starts a program with its output (standard and error) captured, and nothing to read.
    ///
    /// # Panics
    ///
    /// When it cannot be started.
    #[must_use]
    pub fn start(command: &mut Command) -> Self {
        Self::start_with_input(command, Stdio::null())
    }

    /// The same, with something to read, or a socket to inherit, as its standard input.
    ///
    /// # Panics
    ///
    /// When it cannot be started.
    #[must_use]
    pub fn start_with_input(command: &mut Command, input: impl Into<Stdio>) -> Self {
        let name = command.get_program().to_string_lossy().into_owned();
        command.stdin(input).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut process = command.spawn().unwrap_or_else(|error| panic!("cannot start {name}: {error}"));
        let (sender, lines) = mpsc::channel();
        read(process.stdout.take().expect("stdout is piped"), sender.clone());
        read(process.stderr.take().expect("stderr is piped"), sender);
        Self { name, process, lines, seen: VecDeque::new() }
    }

    /// The process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// Waits for a line that contains this, and gives what follows it on that line, trimmed.
    ///
    /// ```
    /// let mut child = programs::Child::start(std::process::Command::new("echo").arg("listening on port 80"));
    /// assert_eq!(child.line("listening on"), "port 80");
    /// ```
    ///
    /// # Panics
    ///
    /// When the program ends, or a minute passes, without such a line; with its last lines.
    pub fn line(&mut self, start: &str) -> String {
        self.line_within(start, PATIENCE)
    }

    /// The same, of a program that may take this long.
    ///
    /// # Panics
    ///
    /// As [`line`](Self::line).
    pub fn line_within(&mut self, start: &str, patience: Duration) -> String {
        let end = Instant::now() + patience;
        loop {
            match self.lines.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(line) => {
                    let rest = line.split_once(start).map(|(_, rest)| rest.trim().to_owned());
                    self.keep(line);
                    if let Some(rest) = rest {
                        return rest;
                    }
                }
                Err(RecvTimeoutError::Timeout) => {
                    panic!("{} did not print {start:?} within {patience:?}{}", self.name, self.shown())
                }
                Err(RecvTimeoutError::Disconnected) => {
                    panic!("{} ended without printing {start:?}{}", self.name, self.shown())
                }
            }
        }
    }

    /// Waits for the program's end; gives how it ended and the last lines that it printed.
    ///
    /// # Panics
    ///
    /// When it does not end within this time.
    pub fn end(&mut self, within: Duration) -> (ExitStatus, String) {
        let end = Instant::now() + within;
        loop {
            match self.lines.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(line) => self.keep(line),
                // It closed its output, which programs do by ending.
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {
                    panic!("{} did not end within {within:?}{}", self.name, self.shown())
                }
            }
        }
        let status = self.process.wait().unwrap_or_else(|error| panic!("lost {}: {error}", self.name));
        (status, self.output())
    }

    /// The last lines that it has printed so far.
    #[must_use]
    pub fn printed(&mut self) -> String {
        while let Ok(line) = self.lines.try_recv() {
            self.keep(line);
        }
        self.output()
    }

    /// Whether it has ended, without waiting for that.
    ///
    /// # Panics
    ///
    /// When the system does not know the process.
    pub fn has_ended(&mut self) -> bool {
        let status = self.process.try_wait();
        status.unwrap_or_else(|error| panic!("lost {}: {error}", self.name)).is_some()
    }

    /// Asks the program to end, as a service manager does (SIGTERM).
    ///
    /// # Panics
    ///
    /// When it cannot be asked.
    pub fn terminate(&self) {
        self.signal("TERM");
    }

    /// Sends the program a signal by its name, such as `INT`.
    ///
    /// # Panics
    ///
    /// When it cannot be sent.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill").arg(format!("-{name}")).arg(self.id().to_string()).status();
        assert!(sent.is_ok_and(|status| status.success()), "cannot send SIG{name} to {}", self.name);
    }

    fn keep(&mut self, line: String) {
        if self.seen.len() == SHOWN {
            self.seen.pop_front();
        }
        self.seen.push_back(line);
    }

    fn shown(&self) -> String {
        format!("; it printed:\n{}", self.output())
    }

    fn output(&self) -> String {
        self.seen.iter().map(String::as_str).collect::<Vec<_>>().join("\n")
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // Both fail only when it has ended already, which is what they are for.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Hands lines on until the output is closed. Without a reader a program stops once the pipe is full.
fn read(output: impl Read + Send + 'static, lines: Sender<String>) {
    thread::spawn(move || {
        for line in BufReader::new(output).split(b'\n').map_while(Result::ok) {
            // Nobody waits for lines any more, but the pipe must still be emptied.
            let _ = lines.send(String::from_utf8_lossy(&line).into_owned());
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sh(script: &str) -> Child {
        Child::start(Command::new("sh").args(["-c", script]))
    }

    #[test]
    fn a_line_is_awaited_on_both_outputs_and_its_rest_is_given() {
        let mut child = sh("echo one; echo 'port: 80 ' >&2; sleep 60");
        assert_eq!(child.line("port:"), "80");
    }

    #[test]
    fn a_program_is_killed_when_its_guard_is_dropped() {
        let mut child = sh("echo up; exec sleep 60");
        child.line("up");
        let id = child.id();
        drop(child);
        assert!(!std::path::Path::new(&format!("/proc/{id}")).exists());
    }

    #[test]
    #[should_panic(expected = "ended without printing \"never\"; it printed:\nalas")]
    fn a_program_that_ends_too_early_is_shown_with_its_last_words() {
        sh("echo alas").line("never");
    }

    #[test]
    fn the_end_gives_the_status_and_the_output() {
        let (status, output) = sh("echo a; echo b; exit 3").end(Duration::from_secs(10));
        assert_eq!(status.code(), Some(3));
        assert_eq!(output, "a\nb");
    }

    #[test]
    fn what_was_printed_so_far_can_be_asked_for() {
        let mut child = sh("echo a; echo b; echo c; exec sleep 60");
        child.line("b");
        // The third line follows, but need not have been read yet.
        while !child.printed().ends_with('c') {
            thread::yield_now();
        }
        assert_eq!(child.printed(), "a\nb\nc");
    }

    #[test]
    fn a_program_that_is_terminated_ends() {
        let mut child = sh("echo up; exec sleep 60");
        child.line("up");
        child.terminate();
        assert!(!child.end(Duration::from_secs(10)).0.success());
    }
}
