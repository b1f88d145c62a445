use std::fs;
use std::io;
use std::time::{Duration, Instant};

use super::error::BenchError;

/// A process whose cost is measured, by what Linux says of it in `/proc`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Process {
    pid: u32,
}

/// What a process had used at one moment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Usage {
    at: Instant,
    cpu: Duration,
}

impl Process {
    fn new(pid: u32) -> Self {
        Self { pid }
    }

    pub(super) fn own() -> Self {
        Self { pid: std::process::id() }
    }

    pub(super) fn usage(self) -> Result<Usage, BenchError> {
        Ok(Usage { at: Instant::now(), cpu: self.read("stat", cpu)? })
    }

    /// Resident memory, in KiB.
    fn resident_kib(self) -> Result<u64, BenchError> {
        self.read("status", |text| {
            let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
            line.split_whitespace().next()?.parse().ok()
        })
    }

    /// How many files it may open.
    fn descriptors(self) -> Result<u64, BenchError> {
        self.read("limits", |text| {
            let line = text.lines().find_map(|line| line.strip_prefix("Max open files"))?;
            let soft = line.split_whitespace().next()?;
            if soft == "unlimited" { Some(u64::MAX) } else { soft.parse().ok() }
        })
    }

    fn read<T>(self, file: &str, parse: impl FnOnce(&str) -> Option<T>) -> Result<T, BenchError> {
        let failed = |source| BenchError::Process { pid: self.pid, source };
        let text = fs::read_to_string(format!("/proc/{}/{file}", self.pid)).map_err(failed)?;
        parse(&text).ok_or_else(|| failed(io::ErrorKind::InvalidData.into()))
    }
}

/// A server: one process or several.
#[derive(Debug, Clone)]
pub(super) struct Server(Vec<Process>);

impl Server {
    /// `None` when nobody said which processes it is.
    pub(super) fn new(pids: &[u32]) -> Option<Self> {
        (!pids.is_empty()).then(|| Self(pids.iter().copied().map(Process::new).collect()))
    }

    /// Of all processes together.
    pub(super) fn usage(&self) -> Result<Usage, BenchError> {
        let at = Instant::now();
        let cpu =
            self.0.iter().map(|process| process.usage().map(|usage| usage.cpu)).sum::<Result<_, _>>()?;
        Ok(Usage { at, cpu })
    }

    /// Of all processes together, in KiB; what they share counts in each.
    pub(super) fn resident_kib(&self) -> Result<u64, BenchError> {
        self.0.iter().map(|process| process.resident_kib()).sum()
    }

    /// How many files they may open, all together.
    pub(super) fn descriptors(&self) -> Result<u64, BenchError> {
        self.0.iter().try_fold(0u64, |sum, process| Ok(sum.saturating_add(process.descriptors()?)))
    }
}

impl Usage {
    pub(super) fn cpu_since(&self, earlier: &Self) -> Duration {
        self.cpu.saturating_sub(earlier.cpu)
    }

    /// Of one core, from 0 to the number of cores.
    pub(super) fn share_since(&self, earlier: &Self) -> f64 {
        let time = self.at.duration_since(earlier.at).as_secs_f64();
        self.cpu_since(earlier).as_secs_f64() / time.max(1e-9)
    }
}

/// User and system time of all threads, ended ones too: fields 14 and 15 (`man 5 proc_pid_stat`).
fn cpu(stat: &str) -> Option<Duration> {
    // The second field is a name in brackets that may hold anything.
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace().skip(11);
    let ticks = fields.next()?.parse::<u64>().ok()? + fields.next()?.parse::<u64>().ok()?;
    Some(Duration::from_secs_f64(ticks as f64 / rustix::param::clock_ticks_per_second() as f64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_times_of_a_process_are_found_behind_an_odd_name() {
        let stat = "7 (a) b) S 1 7 7 0 -1 4194560 100 0 0 0 250 50 0 0 20 0 4 0 100 1000 10";
        let ticks = rustix::param::clock_ticks_per_second() as f64;
        assert_eq!(cpu(stat), Some(Duration::from_secs_f64(300.0 / ticks)));
    }

    #[test]
    fn this_process_can_be_measured() {
        let process = Process::own();
        assert!(process.resident_kib().unwrap() > 0);
        assert!(process.descriptors().unwrap() > 0);
        let usage = process.usage().unwrap();
        assert_eq!(usage.cpu_since(&usage), Duration::ZERO);
    }
}
