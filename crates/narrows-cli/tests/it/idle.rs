use std::sync::mpsc;
use std::time::Duration;

use crate::command::{assert_keys, bench, clean, failure};
use crate::crooked::{self, PING, PONG, Peer};
use crate::server;

#[test]
fn idle_says_what_a_connection_costs() {
    let (url, own) = (server::start(), std::process::id());
    let report = clean(&format!(
        "idle --url {url}/room/{{n}}/ --connections 200 --seconds 0.1 --warm-up 0 --pid {own}"
    ));
    assert_keys(
        &report,
        "url connections opened_per_second seconds resident_kib_before resident_kib_after kib_per_connection \
         cpu_micros_per_connection_second server generator",
    );
    assert_eq!(report["connections"], 200);
    assert!(report["kib_per_connection"].is_number(), "{report}");
    assert!(report["cpu_micros_per_connection_second"].as_f64().unwrap() >= 0.0, "{report}");
    assert!(report["resident_kib_after"].as_u64().unwrap() > 0);
}

#[test]
fn idle_connections_answer_pings() {
    let (tell, told) = mpsc::channel();
    let url = crooked::start(move |stream| {
        let Some(mut peer) = Peer::accept(stream) else { return };
        peer.send(PING, b"there?");
        while let Some((opcode, payload)) = peer.read() {
            if opcode == PONG {
                tell.send(payload).unwrap();
            } else {
                return peer.send(opcode, &payload);
            }
        }
    });
    let own = std::process::id();
    clean(&format!("idle --url {url} --connections 2 --seconds 1 --warm-up 0 --pid {own}"));
    // The one that comes first, for the server to have had one, may be gone before it is asked.
    for _ in 0..2 {
        assert_eq!(told.recv_timeout(Duration::from_secs(20)).unwrap(), b"there?");
    }
}

#[test]
fn idle_without_a_process_has_nothing_to_look_at() {
    let said = failure("idle --url ws://127.0.0.1:1/");
    assert!(said.contains("with --pid"), "{said}");
}

#[test]
fn idle_tells_people_what_one_connection_takes() {
    let (url, own) = (server::start(), std::process::id());
    let output =
        bench(&format!("idle --url {url}/echo/ --connections 5 --seconds 0 --warm-up 0 --pid {own}"));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.starts_with("5 idle connections on ws://") && text.contains("KiB each"), "{text}");
}
