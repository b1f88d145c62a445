use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use crate::command::{assert_costs, assert_keys, clean, failure, run};
use crate::crooked::{self, CLOSE, Peer};
use crate::server;

#[test]
fn connect_counts_whole_cycles() {
    let (url, own) = (server::start(), std::process::id());
    let report =
        clean(&format!("connect --url {url}/echo/ --concurrency 8 --seconds 0.3 --warm-up 0.1 --pid {own}"));
    assert_keys(
        &report,
        "url concurrency seconds cycles cycles_per_second failed latency_micros server generator",
    );
    assert_costs(&report);
    assert_eq!(report["failed"], 0);
    assert!(report["cycles"].as_u64().unwrap() > 0, "{report}");
    assert!(report["latency_micros"]["p50"].as_f64().unwrap() > 0.0);
}

#[test]
fn connect_ends_each_cycle_with_a_close_frame_and_waits_for_the_servers() {
    let (tell, told) = mpsc::channel();
    let url = crooked::start(move |stream| {
        let Some(mut peer) = Peer::accept(stream) else { return };
        let Some(frame) = peer.read() else { return };
        peer.send(CLOSE, &frame.1);
        // Nobody may be listening any more.
        let _ = tell.send((frame, peer.read()));
    });
    clean(&format!("connect --url {url} --concurrency 1 --seconds 0.2 --warm-up 0"));
    assert_eq!(
        told.recv_timeout(Duration::from_secs(20)).unwrap(),
        ((CLOSE, 1000u16.to_be_bytes().to_vec()), None)
    );
}

#[test]
fn connections_that_a_server_does_not_close_have_failed() {
    let count = Arc::new(AtomicUsize::new(0));
    let url = crooked::start(move |stream| {
        let Some(mut peer) = Peer::accept(stream) else { return };
        let closes = !count.fetch_add(1, Ordering::Relaxed).is_multiple_of(10);
        while let Some((_, payload)) = peer.read() {
            if closes {
                peer.send(CLOSE, &payload);
            }
        }
    });
    let run = run(&format!("connect --url {url} --concurrency 4 --seconds 1 --warm-up 0 --patience 0.2"));
    assert!(!run.is_success && run.report["failed"].as_u64().unwrap() > 0, "{}", run.report);
    let why = run.report["first_failure"].as_str().unwrap();
    assert!(why.contains("without a close frame: timed out"), "{why}");
}

#[test]
fn a_server_that_closes_nothing_is_told() {
    let url = crooked::start(|stream| {
        let Some(mut peer) = Peer::accept(stream) else { return };
        while peer.read().is_some() {}
    });
    let said = failure(&format!("connect --url {url} --seconds 0 --warm-up 0 --patience 0.2"));
    assert!(said.contains("no cycle was completed") && said.contains("timed out"), "{said}");
}

#[test]
fn churn_measures_visitors_and_those_that_stay() {
    let (url, own) = (server::start(), std::process::id());
    let report = clean(&format!(
        "churn --url {url}/room/a/ --members 5 --per-second 50 --seconds 0.5 --warm-up 0.1 --pid {own}"
    ));
    assert_keys(
        &report,
        "url members bytes window rate seconds per_second visits visits_per_second failed first_message_micros \
         published deliveries deliveries_per_second lost duplicated out_of_order latency_micros server generator",
    );
    assert_costs(&report);
    assert!(report["visits"].as_u64().unwrap() > 0, "{report}");
    assert_eq!(report["deliveries"], report["published"].as_u64().unwrap() * 5);
    let first = report["first_message_micros"]["p50"].as_f64().unwrap();
    assert!(first > 0.0 && report["failed"] == 0, "{report}");
}

#[test]
fn churn_reports_visitors_that_get_nothing() {
    // Each gets its own messages only, and visitors send none.
    let said = failure(&format!(
        "churn --url {}/echo/ --members 1 --per-second 50 --seconds 1 --warm-up 0 --patience 0.3",
        server::start()
    ));
    assert!(said.contains("it sent a visitor no message"), "{said}");
}
