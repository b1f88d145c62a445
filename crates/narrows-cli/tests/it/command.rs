use std::process::{Command, Output};

use serde_json::Value;

/// What `narrows bench` said: it has JSON on its standard output.
pub(crate) struct Run {
    pub(crate) report: Value,
    pub(crate) is_success: bool,
}

/// Runs `narrows bench` with these arguments, which spaces divide.
pub(crate) fn bench(arguments: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_narrows")).arg("bench").args(arguments.split(' ')).output().unwrap()
}

/// Runs it for a report.
pub(crate) fn run(arguments: &str) -> Run {
    let output = bench(&format!("{arguments} --json"));
    let report = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
    Run { report, is_success: output.status.success() }
}

/// Runs it for a report of a server that did all it should.
pub(crate) fn clean(arguments: &str) -> Value {
    let Run { report, is_success } = run(arguments);
    assert!(is_success, "{report}");
    report
}

/// Runs it for the reason why nothing was measured.
pub(crate) fn failure(arguments: &str) -> String {
    let output = bench(arguments);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && output.stdout.is_empty(), "{said}");
    assert!(!said.contains("panicked"), "{said}");
    said
}

/// Asserts that an object has these keys and no others: programs rely on them.
pub(crate) fn assert_keys(object: &Value, keys: &str) {
    let mut expected: Vec<_> = keys.split(' ').collect();
    expected.sort_unstable();
    let mut found: Vec<_> = object.as_object().unwrap().keys().collect();
    found.sort_unstable();
    assert_eq!(found, expected);
}

/// Asserts that what a load reports of latency, server and generator has its keys.
pub(crate) fn assert_costs(report: &Value) {
    assert_keys(&report["latency_micros"], "p50 p90 p99 p999 max");
    assert_keys(&report["server"], "cpu_seconds cpu_seconds_per_million share_of_a_core resident_kib");
    assert_keys(&report["generator"], "share_of_a_core");
    assert!(report["server"]["resident_kib"].as_u64().unwrap() > 0);
}
