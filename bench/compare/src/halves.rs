use std::fs;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::generator::fault;
use crate::launch::Launch;
use crate::machine::beside_the_servers;
use crate::process::Group;
use crate::redis::Redis;
use crate::servers::{Pace, Row};
use crate::workload::{Load, Workload};

/// What ending may take besides what was to be measured; what never comes is waited for 10 s of it.
const PATIENCE: Duration = Duration::from_secs(60);

/// What the parts had used at one moment, in seconds of CPU time.
#[derive(Debug, Clone, Copy)]
struct Used {
    publisher: f64,
    receivers: f64,
    redis: f64,
}

/// One workload without sockets on one channel layer: a process that publishes, and one that has the receivers.
/// Gives a report and what was wrong with it.
pub(crate) fn measure(
    halves: &Launch,
    workload: &Workload,
    row: &Row,
    redis: &Redis,
    seconds: f64,
) -> (Option<Value>, Option<String>) {
    match report(halves, workload, row, redis, seconds) {
        Ok(report) => {
            let fault = fault(&report);
            (Some(report), fault)
        }
        Err(error) => (None, Some(error)),
    }
}

fn report(
    halves: &Launch,
    workload: &Workload,
    row: &Row,
    redis: &Redis,
    seconds: f64,
) -> Result<Value, String> {
    let of = |role: &str, more: &[String]| {
        let layer = [role, "--layer", "redis://{redis}", "--layer-kind", row.layer.kind()].map(str::to_owned);
        halves.clone().and(layer.into_iter().chain(more.iter().cloned()))
    };
    let arguments = workload.arguments(row.dialect, seconds);
    let mut receivers = arguments[..2].to_vec();
    // Ours has nothing else.
    if row.pace == Pace::Slow && matches!(workload.load, Load::Layers { consumers: true, .. }) {
        receivers.push("--consumers".to_owned());
    }
    let receiving = of("receive", &receivers).start(Some(redis))?;
    let acks = ["--acks".to_owned(), receiving.address.to_string()];
    let mut publishing =
        of("publish", &[&acks, &arguments[..]].concat()).start_beside(beside_the_servers(), Some(redis))?;
    let used = |publishing: &Group| Used {
        publisher: cpu_seconds(&publishing.pids()),
        receivers: cpu_seconds(&receiving.pids()),
        redis: cpu_seconds(&redis.pids()),
    };
    let end = Instant::now() + PATIENCE + Duration::from_secs_f64(seconds + workload.warm_up);
    said(&mut publishing, end, |line| (line == "measuring").then_some(()))?;
    let before = used(&publishing);
    said(&mut publishing, end, |line| (line == "measured").then_some(()))?;
    let after = used(&publishing);
    let counted =
        said(&mut publishing, end, |line| serde_json::from_str::<Value>(line).ok().filter(Value::is_object))?;
    Ok(costs(counted, before, after))
}

/// Waits for a line that this finds something in.
fn said<T>(program: &mut Group, end: Instant, find: impl Fn(&str) -> Option<T>) -> Result<T, String> {
    loop {
        let left = end.saturating_duration_since(Instant::now());
        match program.lines.recv_timeout(left) {
            Ok(line) => {
                if let Some(found) = find(line.trim()) {
                    return Ok(found);
                }
            }
            Err(_) => {
                // With its output it has closed its errors, but those are read by another thread.
                program.wait(Duration::from_secs(1));
                let errors = program.errors();
                return Err(errors.lines().last().unwrap_or("the publisher said nothing").to_owned());
            }
        }
    }
}

/// What was counted, with rates and what each part used for a million deliveries.
fn costs(mut report: Value, before: Used, after: Used) -> Value {
    let number = |key: &str| report[key].as_f64().unwrap_or_default();
    let (seconds, deliveries) = (number("seconds").max(1e-9), number("deliveries"));
    let published = number("published");
    let per_million =
        |seconds: f64| json!({ "cpu_seconds_per_million": seconds * 1e6 / deliveries.max(1.0) });
    let publisher = after.publisher - before.publisher;
    let receivers = after.receivers - before.receivers;
    report["publishes_per_second"] = json!(published / seconds);
    report["deliveries_per_second"] = json!(deliveries / seconds);
    report["server"] = per_million(publisher + receivers);
    report["publisher"] = per_million(publisher);
    report["receivers"] = per_million(receivers);
    report["backend"] = per_million(after.redis - before.redis);
    report
}

/// User and system time of processes up to now (`man 5 proc_pid_stat`, fields 14 and 15); those that have ended count
/// as nothing.
fn cpu_seconds(pids: &[u32]) -> f64 {
    let ticks = |pid: &u32| {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The second field is a name in brackets that may hold anything.
        let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
        Some(fields.next()?.parse::<u64>().ok()? + fields.next()?.parse::<u64>().ok()?)
    };
    let ticks: u64 = pids.iter().filter_map(ticks).sum();
    ticks as f64 / rustix::param::clock_ticks_per_second() as f64
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn the_cost_of_both_halves_is_shared_out_to_the_deliveries() {
        let used = |publisher, receivers, redis| Used { publisher, receivers, redis };
        let counted = json!({"seconds": 2.0, "published": 100, "deliveries": 1000, "lost": 0});
        let report = costs(counted, used(1.0, 1.0, 1.0), used(1.5, 2.0, 1.25));
        assert_eq!(
            (&report["publishes_per_second"], &report["deliveries_per_second"]),
            (&50.0.into(), &500.0.into())
        );
        let of = |part: &str| report[part]["cpu_seconds_per_million"].as_f64().unwrap();
        assert_eq!(
            [of("publisher"), of("receivers"), of("server"), of("backend")],
            [500.0, 1000.0, 1500.0, 250.0]
        );
    }

    #[test]
    fn a_program_that_gives_up_is_told_by_its_last_words() {
        let mut gone = Group::start(Command::new("sh").args(["-c", "echo x; echo alas >&2"])).unwrap();
        let end = Instant::now() + Duration::from_secs(10);
        assert_eq!(said(&mut gone, end, |line| (line == "y").then_some(())).unwrap_err(), "alas");
    }

    #[test]
    fn this_process_has_used_something() {
        let end = Instant::now() + Duration::from_secs(10);
        while cpu_seconds(&[std::process::id()]) == 0.0 {
            assert!(Instant::now() < end, "a loop uses CPU time");
        }
        assert_eq!(cpu_seconds(&[u32::MAX]), 0.0);
    }
}
