use std::process::{Command, Output};

use crate::server;

fn narrows(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_narrows")).args(arguments).output().unwrap()
}

fn failure(arguments: &[&str]) -> String {
    let output = narrows(arguments);
    assert!(!output.status.success());
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn fanout_counts_every_message_of_every_member_once() {
    let url = format!("ws://{}/ws/room/", server::start());
    let own = std::process::id().to_string();
    let output = narrows(&[
        "bench",
        "fanout",
        "--url",
        &url,
        "--members",
        "20",
        "--window",
        "3",
        "--seconds",
        "0.3",
        "--warm-up",
        "0.1",
        "--pid",
        &own,
        "--json",
    ]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let published = report["published"].as_u64().unwrap();
    assert!(published > 0, "{report}");
    assert_eq!(report["deliveries"], published * 20);
    for fault in ["lost", "duplicated", "out_of_order"] {
        assert_eq!(report[fault], 0, "{report}");
    }
    assert!(report["latency_micros"]["p50"].as_f64().unwrap() > 0.0);
    assert!(report["server"]["resident_kib"].as_u64().unwrap() > 0);
}

#[test]
fn fanout_prints_its_report_for_people() {
    let url = format!("ws://{}/ws/room/", server::start());
    let output =
        narrows(&["bench", "fanout", "--url", &url, "--members", "3", "--seconds", "0.1", "--warm-up", "0"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.starts_with(&format!("3 members on {url}, 128 bytes, window 1")), "{text}");
    assert!(text.contains("0 lost, 0 duplicated, 0 out of order"), "{text}");
}

#[test]
fn idle_says_what_a_connection_costs_in_memory() {
    let url = format!("ws://{}/ws/room/", server::start());
    let own = std::process::id().to_string();
    let output = narrows(&[
        "bench",
        "idle",
        "--url",
        &url,
        "--connections",
        "20",
        "--seconds",
        "0.1",
        "--pid",
        &own,
        "--json",
    ]);
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["connections"], 20);
    assert!(report["kib_per_connection"].is_number(), "{report}");
}

#[test]
fn a_wrong_address_is_explained() {
    let said = failure(&["bench", "fanout", "--url", "http://127.0.0.1:8000/"]);
    assert!(
        said.starts_with("narrows: --url http://127.0.0.1:8000/: this is no WebSocket address"),
        "{said}"
    );
    assert!(said.contains("for example ws://"), "{said}");
}

#[test]
fn a_route_that_is_not_there_is_told_by_its_status() {
    let url = format!("ws://{}/nowhere/", server::start());
    let said = failure(&["bench", "fanout", "--url", &url, "--members", "1"]);
    assert!(said.contains("refused the handshake with \"404 Not Found\""), "{said}");
}

#[test]
fn a_server_that_is_not_there_is_told() {
    // Bound and dropped again: nobody listens there.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let said = failure(&["bench", "fanout", "--url", &format!("ws://{free}/"), "--members", "1"]);
    assert!(said.contains("is the server running there?"), "{said}");
}

#[test]
fn more_connections_than_the_system_allows_are_refused_before_the_first() {
    let said = failure(&["bench", "fanout", "--url", "ws://127.0.0.1:1/", "--members", "2000000000"]);
    assert!(said.contains("this process may open") && said.contains("ulimit -Hn"), "{said}");
}
