use std::collections::{BTreeSet, VecDeque};
use std::io::{self, BufRead, BufReader, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

/// How many of a program's last lines are kept, to be shown when it fails.
const KEPT: usize = 20;

/// All groups that run, for [`end_with_us`].
static RUNNING: Mutex<BTreeSet<i32>> = Mutex::new(BTreeSet::new());

/// A program with all the processes that it starts; all of them end when this is dropped.
#[derive(Debug)]
pub(crate) struct Group {
    leader: Child,
    /// What it prints on standard output.
    pub(crate) lines: Receiver<String>,
    errors: Arc<Mutex<VecDeque<String>>>,
    /// Closed when the last of them is there.
    all_errors: Receiver<()>,
}

impl Group {
    pub(crate) fn start(command: &mut Command) -> io::Result<Self> {
        use std::os::unix::process::CommandExt;
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
        // Held while it starts: whoever ends us in between ends it too.
        let mut running = running();
        let mut leader = command.spawn()?;
        running.insert(leader.id().cast_signed());
        drop(running);
        let (sender, lines) = mpsc::channel();
        let output = leader.stdout.take().expect("stdout is piped");
        // Nobody may wait for lines any more, but the pipe must still be emptied.
        each_line(output, move |line| drop(sender.send(line)));
        let errors = Arc::new(Mutex::new(VecDeque::new()));
        let kept = Arc::clone(&errors);
        let (reading, all_errors) = mpsc::channel();
        each_line(leader.stderr.take().expect("stderr is piped"), move |line| {
            let _held: &mpsc::Sender<()> = &reading;
            let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
            kept.push_back(line);
            if kept.len() > KEPT {
                kept.pop_front();
            }
        });
        Ok(Self { leader, lines, errors, all_errors })
    }

    /// How it ended, if it has.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        self.leader.try_wait().ok().flatten()
    }

    /// Waits for its end, and for its last words; `None` when the time is over before its end.
    pub(crate) fn wait(&mut self, within: Duration) -> Option<ExitStatus> {
        let end = Instant::now() + within;
        loop {
            if let Some(status) = self.ended() {
                // Another thread reads them, and what it started may hold the pipe for longer than that time.
                let _closed = self.all_errors.recv_timeout(end.saturating_duration_since(Instant::now()));
                return Some(status);
            }
            if Instant::now() > end {
                return None;
            }
            // There is no event of a child's end to wait for with a limit, in std.
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// The last lines that it printed on standard error.
    pub(crate) fn errors(&self) -> String {
        let errors = self.errors.lock().unwrap_or_else(PoisonError::into_inner);
        errors.iter().map(String::as_str).collect::<Vec<_>>().join("\n")
    }

    /// The processes that it consists of by now.
    pub(crate) fn pids(&self) -> Vec<u32> {
        let own = self.leader.id();
        let children = |pid: u32| -> Vec<u32> {
            let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
            let lists = tasks.filter_map(|task| std::fs::read_to_string(task.path().join("children")).ok());
            lists
                .flat_map(|list| {
                    list.split_whitespace().filter_map(|pid| pid.parse().ok()).collect::<Vec<_>>()
                })
                .collect()
        };
        let mut pids = vec![own];
        let mut next = 0;
        while let Some(pid) = pids.get(next).copied() {
            pids.extend(children(pid));
            next += 1;
        }
        pids
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let id = self.leader.id().cast_signed();
        kill(id);
        // It may have been waited for already.
        let _ = self.leader.wait();
        running().remove(&id);
    }
}

/// From now on an interrupt of this program ends the groups too: they are not in its own.
pub(crate) fn end_with_us() -> io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (mut interrupt, mut terminate) = {
        let _entered = runtime.enter();
        (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?)
    };
    std::thread::spawn(move || {
        runtime.block_on(async {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        });
        // Kept locked to the end: nothing is started any more.
        let running = running();
        running.iter().copied().for_each(kill);
        std::process::exit(130);
    });
    Ok(())
}

fn kill(group: i32) {
    if let Some(group) = Pid::from_raw(group) {
        // It fails when all of them have ended, which is what it is for.
        let _ = kill_process_group(group, Signal::KILL);
    }
}

fn running() -> MutexGuard<'static, BTreeSet<i32>> {
    RUNNING.lock().unwrap_or_else(PoisonError::into_inner)
}

fn each_line(output: impl Read + Send + 'static, mut take: impl FnMut(String) + Send + 'static) {
    std::thread::spawn(move || {
        for line in BufReader::new(output).split(b'\n').map_while(Result::ok) {
            take(String::from_utf8_lossy(&line).into_owned());
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sh(script: &str) -> Group {
        Group::start(Command::new("sh").args(["-c", script])).unwrap()
    }

    #[test]
    fn what_a_program_has_started_ends_with_it() {
        let mut group = sh("sleep 60 & echo $!; wait");
        let child = group.lines.recv().unwrap().parse().unwrap();
        assert!(group.pids().contains(&child), "{:?}", group.pids());
        let lines = std::mem::replace(&mut group.lines, mpsc::channel().1);
        drop(group);
        // Both held the pipe: it is closed when neither is left.
        let closed = lines.recv_timeout(Duration::from_secs(10));
        assert_eq!(closed, Err(mpsc::RecvTimeoutError::Disconnected));
    }

    #[test]
    fn a_program_that_does_not_end_is_not_waited_for_any_longer() {
        assert!(sh("sleep 60").wait(Duration::from_millis(20)).is_none());
        let mut group = sh("echo alas >&2; exit 3");
        assert_eq!(group.wait(Duration::from_secs(10)).unwrap().code(), Some(3));
    }
}
