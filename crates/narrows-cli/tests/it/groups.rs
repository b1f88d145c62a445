use serde_json::Value;

use crate::command::{assert_costs, assert_keys, bench, clean, failure};
use crate::server;

const KEYS: &str = "url rooms members connections bytes window rate seconds published deliveries \
                    deliveries_per_second lost duplicated out_of_order latency_micros server backend generator";

fn assert_all_arrived(report: &Value, members: u64) {
    let published = report["published"].as_u64().unwrap();
    assert!(published > 0, "{report}");
    assert_eq!(report["deliveries"], published * members);
    for fault in ["lost", "duplicated", "out_of_order"] {
        assert_eq!(report[fault], 0, "{report}");
    }
    assert!(report["latency_micros"]["p50"].as_f64().unwrap() > 0.0);
    assert!(report["deliveries_per_second"].as_f64().unwrap() > 0.0);
}

#[test]
fn fanout_counts_every_message_of_every_member_once() {
    let (url, own) = (server::start(), std::process::id());
    let report = clean(&format!(
        "fanout --url {url}/room/bench/ --members 20 --window 3 --seconds 0.3 --warm-up 0.1 --pid {own}"
    ));
    assert_all_arrived(&report, 20);
    assert_keys(&report, KEYS);
    assert_costs(&report);
    assert_eq!((&report["members"], &report["window"]), (&20.into(), &3.into()));
}

#[test]
fn rooms_keep_their_messages_to_themselves() {
    let (url, own) = (server::start(), std::process::id());
    let report = clean(&format!(
        "rooms --url {url}/room/{{room}}/ --rooms 30 --members 4 --window 2 --seconds 0.3 --warm-up 0.1 --pid {own}"
    ));
    assert_all_arrived(&report, 4);
    assert_keys(&report, KEYS);
    assert_costs(&report);
    assert_eq!((&report["rooms"], &report["connections"]), (&30.into(), &120.into()));
}

#[test]
fn members_are_spread_over_several_servers_and_one_that_hears_nothing_of_the_others_is_found_out() {
    let (one, two) = (server::start(), server::start());
    // Two servers with nothing between them: the sender's half gets its messages, the other half none.
    let run = crate::command::run(&format!(
        "fanout --url {one}/room/a/ --url {two}/room/a/ --members 6 --seconds 0.2 --warm-up 0 --patience 0.2"
    ));
    assert!(!run.is_success, "{}", run.report);
    let (published, lost) = (run.report["published"].as_u64().unwrap(), run.report["lost"].as_u64().unwrap());
    assert!(published > 0 && lost == 3 * published, "{}", run.report);
    assert_eq!(run.report["deliveries"].as_u64().unwrap(), 3 * published);
    assert_eq!(run.report["url"], format!("{one}/room/a/, {two}/room/a/"));
}

#[test]
fn a_group_on_two_servers_of_one_system_is_one_group() {
    let (one, two) = server::start_two();
    let report = clean(&format!(
        "fanout --url {one}/room/a/ --url {two}/room/a/ --members 7 --window 2 --seconds 0.3 --warm-up 0.1"
    ));
    assert_all_arrived(&report, 7);
}

#[test]
fn what_the_servers_depend_on_is_told_by_itself() {
    let (url, own) = (server::start(), std::process::id());
    let report = clean(&format!(
        "rooms --url {url}/room/{{room}}/ --rooms 2 --members 2 --seconds 0.2 --warm-up 0 --backend-pid {own}"
    ));
    assert_eq!(report["server"], Value::Null);
    assert_keys(&report["backend"], "cpu_seconds cpu_seconds_per_million share_of_a_core resident_kib");
    assert!(report["backend"]["resident_kib"].as_u64().unwrap() > 0);
    let output = bench(&format!(
        "fanout --url {url}/room/a/ --members 2 --seconds 0.1 --warm-up 0 --backend-pid {own}"
    ));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("\n  backend      "), "{text}");
}

#[test]
fn messages_that_stray_into_other_rooms_are_found() {
    let url = server::start();
    let run = crate::command::run(&format!(
        "rooms --url {url}/only/{{room}}/ --rooms 2 --members 2 --seconds 0.2 --warm-up 0"
    ));
    assert!(!run.is_success && run.report["duplicated"].as_u64().unwrap() > 0, "{}", run.report);
}

#[test]
fn an_echo_goes_to_the_connection_that_sent_it() {
    let url = server::start();
    let report = clean(&format!(
        "echo --url {url}/echo/ --connections 30 --window 2 --seconds 0.3 --warm-up 0.1 --pid {}",
        std::process::id()
    ));
    assert_all_arrived(&report, 1);
    assert_keys(&report, KEYS);
    assert_costs(&report);
}

#[test]
fn a_rate_sets_how_many_messages_go_out() {
    let url = server::start();
    let report = clean(&format!(
        "rooms --url {url}/room/{{room}}/ --rooms 3 --members 2 --rate 200 --seconds 0.5 --warm-up 0"
    ));
    assert_all_arrived(&report, 2);
    // From the first at 0 to the last at 0.5, however late the machine was.
    assert_eq!(report["published"], 101);
    assert_eq!((&report["rate"], &report["window"]), (&200.0.into(), &Value::Null));
}

#[test]
fn a_server_of_several_processes_is_the_sum_of_them() {
    let (url, own) = (server::start(), std::process::id());
    let command = format!("echo --url {url}/echo/ --connections 1 --seconds 0.1 --warm-up 0 --pid {own}");
    let resident = |report: Value| report["server"]["resident_kib"].as_u64().unwrap();
    let (once, twice) = (resident(clean(&command)), resident(clean(&format!("{command} --pid {own}"))));
    assert!(twice > once + once / 2, "{once} and {twice}");
}

#[test]
fn a_report_for_people_says_what_it_was_and_shows_no_progress_outside_a_terminal() {
    let url = format!("{}/room/a/", server::start());
    let output = bench(&format!("fanout --url {url} --members 3 --seconds 0.1 --warm-up 0"));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.starts_with(&format!("3 members on {url}, 128 bytes, window 1")), "{text}");
    assert!(text.contains("0 lost, 0 duplicated, 0 out of order"), "{text}");
    assert!(text.contains("generator"), "{text}");
    assert_eq!(output.stderr, b"");
}

#[test]
fn rooms_that_would_all_be_one_are_refused() {
    let one = "--url ws://127.0.0.1:1/ws/room/";
    for urls in [one.to_owned(), format!("--url ws://127.0.0.1:1/ws/{{room}}/ {one}")] {
        let said = failure(&format!("rooms {urls} --rooms 2"));
        assert!(said.contains("ws/room/ has no {room} in it"), "{said}");
    }
}

#[test]
fn no_time_is_no_message() {
    let report =
        clean(&format!("echo --url {}/echo/ --connections 2 --seconds 0 --warm-up 0", server::start()));
    assert_eq!((&report["published"], &report["deliveries"]), (&0.into(), &0.into()));
    assert_eq!(report["latency_micros"]["max"], 0.0);
}
