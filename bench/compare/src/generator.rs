use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use crate::launch::Server;
use crate::machine::pinned;
use crate::process::Group;
use crate::redis::Redis;
use crate::servers::{Layer, Pace, Row};
use crate::workload::{Load, Workload};

/// What opening connections, waiting for stragglers and closing may take besides the measurement.
const PATIENCE: Duration = Duration::from_secs(90);

/// One workload on one server, in as many fresh processes as it needs: no workload inherits the memory of another.
/// Gives the generator's report and what was wrong with it.
pub(crate) fn measure(
    narrows: &Path,
    workload: &Workload,
    row: &Row,
    start: impl Fn() -> Result<Server, String>,
    redis: Option<&Redis>,
    seconds: f64,
) -> (Option<Value>, Option<String>) {
    let systems = match workload.load {
        Load::Idle { processes, .. } => processes,
        _ => 1,
    };
    let system = || (0..row.nodes).map(|_| start()).collect::<Result<Vec<Server>, String>>();
    let systems = match (0..systems).map(|_| system()).collect::<Result<Vec<_>, String>>() {
        Ok(systems) => systems,
        Err(error) => return (None, Some(error)),
    };
    let arguments = workload.arguments(row.dialect, seconds);
    let generators: Vec<_> = systems
        .iter()
        .map(|servers| {
            let mut command = pinned(1, narrows);
            command.arg("bench").args(&arguments).arg("--json");
            for server in servers {
                command.args(["--url", &format!("ws://{}{}", server.address, workload.path(row.dialect))]);
            }
            if row.pace == Pace::Slow {
                // A queue of handshakes may stand before each.
                command.args(["--patience", "30"]);
            }
            for pid in servers.iter().flat_map(Server::pids) {
                command.args(["--pid", &pid.to_string()]);
            }
            for pid in redis.filter(|_| row.layer != Layer::Memory).iter().flat_map(|redis| redis.pids()) {
                command.args(["--backend-pid", &pid.to_string()]);
            }
            Group::start(&mut command).map_err(|error| format!("cannot start the load generator: {error}"))
        })
        .collect();
    let limit = PATIENCE + Duration::from_secs_f64((seconds + workload.warm_up) * 3.0);
    let reports: Result<Vec<Value>, String> =
        generators.into_iter().map(|generator| report(generator?, limit)).collect();
    match reports {
        Ok(mut reports) => {
            let mut report = if reports.len() == 1 { reports.remove(0) } else { together(&reports) };
            // For figures that mean something only after a while.
            report["held_seconds"] = json!(seconds);
            let fault = fault(&report);
            (Some(report), fault)
        }
        Err(error) => (None, Some(error)),
    }
}

fn report(mut generator: Group, limit: Duration) -> Result<Value, String> {
    let ended = generator.wait(limit);
    if ended.is_none() {
        return Err(format!("not done after {} s", limit.as_secs()));
    }
    // It has ended, so its output has too. One that lost messages fails, but reports.
    let report = generator.lines.iter().find_map(|line| serde_json::from_str::<Value>(&line).ok());
    report.filter(Value::is_object).ok_or_else(|| {
        let errors = generator.errors();
        let last = errors.lines().last().unwrap_or("the load generator said nothing");
        last.trim_start_matches("narrows: ").to_owned()
    })
}

/// Idle connections of several processes as if of one.
fn together(reports: &[Value]) -> Value {
    let sum = |key: &str| reports.iter().filter_map(|report| report[key].as_f64()).sum::<f64>();
    let weighted = |key: &str| {
        let parts: Option<Vec<f64>> = reports
            .iter()
            .map(|report| Some(report[key].as_f64()? * report["connections"].as_f64()?))
            .collect();
        parts.map(|parts| parts.iter().sum::<f64>() / sum("connections").max(1.0))
    };
    json!({
        "connections": sum("connections"),
        "kib_per_connection": weighted("kib_per_connection"),
        "cpu_micros_per_connection_second": weighted("cpu_micros_per_connection_second"),
        "resident_kib_before": sum("resident_kib_before"),
        "resident_kib_after": sum("resident_kib_after"),
        "processes": reports,
    })
}

/// What tells a load that got through from one that did not.
pub(crate) fn fault(report: &Value) -> Option<String> {
    let wrongs = [
        ("lost", "lost"),
        ("duplicated", "came twice"),
        ("out_of_order", "out of order"),
        ("failed", "failed"),
    ];
    let wrongs = wrongs.iter().filter_map(|(key, what)| {
        let count = report[*key].as_u64()?;
        (count > 0).then(|| if *what == "lost" { format!("lost {count}") } else { format!("{count} {what}") })
    });
    let mut wrongs: Vec<String> = wrongs.collect();
    if report["deliveries"] == 0 {
        wrongs.push("nothing arrived within the time".to_owned());
    }
    (!wrongs.is_empty()).then(|| wrongs.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_with_losses_is_no_measurement() {
        assert_eq!(fault(&json!({"lost": 0, "duplicated": 0, "out_of_order": 0})), None);
        assert_eq!(fault(&json!({"deliveries": 0})).as_deref(), Some("nothing arrived within the time"));
        assert_eq!(fault(&json!({"lost": 3, "duplicated": 0})).as_deref(), Some("lost 3"));
        let both = json!({"lost": 0, "duplicated": 1, "out_of_order": 2});
        assert_eq!(fault(&both).as_deref(), Some("1 came twice, 2 out of order"));
    }

    #[test]
    fn several_processes_are_shared_out_to_all_their_connections() {
        let one =
            json!({"connections": 100, "kib_per_connection": 2.0, "cpu_micros_per_connection_second": 1.0});
        let two =
            json!({"connections": 300, "kib_per_connection": 4.0, "cpu_micros_per_connection_second": 2.0});
        let both = together(&[one, two]);
        assert_eq!(both["kib_per_connection"], 3.5);
        assert_eq!(both["cpu_micros_per_connection_second"], 1.75);
        assert_eq!(both["connections"], 400.0);
    }

    #[test]
    fn the_words_of_a_generator_that_gave_up_are_the_fault() {
        let start =
            |script: &str| Group::start(std::process::Command::new("sh").args(["-c", script])).unwrap();
        let failed = start("echo 'narrows: no message arrived' >&2; exit 1");
        assert_eq!(report(failed, Duration::from_secs(10)).unwrap_err(), "no message arrived");
        let lossy = start(r#"echo '{"lost": 1}'; exit 1"#);
        assert_eq!(report(lossy, Duration::from_secs(10)).unwrap(), json!({"lost": 1}));
        assert!(report(start("sleep 60"), Duration::from_millis(10)).is_err());
    }
}
