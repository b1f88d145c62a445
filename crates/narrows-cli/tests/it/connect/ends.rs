//! How connections end, and the exit codes for it.

use std::io::Write;

use super::client::connect;
use super::server;
use crate::crooked::{self, CLOSE, PING, PONG, Peer, TEXT};

#[test]
fn the_server_may_close_well_or_not() {
    let url = format!("{}/ws/", server::start());
    connect(&[&url, "--stay"], "close 1000\n").assert_out("");
    connect(&[&url, "--stay"], "close 1001\n").assert_out("");
    let other = connect(&[&url, "--stay"], "one\nclose 4001 go \x1baway\n");
    other.assert(4, &["narrows: the server closed the connection: 4001 (go \\u001baway)"]);
    assert_eq!(other.out, "one\n");
    connect(&[&url, "-v"], "").assert(0, &["closed: 1000"]);
}

#[test]
fn a_close_without_a_code_is_a_good_end() {
    let url = crooked::start(|stream| {
        let Some(mut peer) = Peer::accept(stream) else { return };
        peer.send(CLOSE, b"");
        assert_eq!(peer.read().map(|(opcode, _)| opcode), Some(CLOSE));
    });
    connect(&[&url, "--stay"], "").assert_out("");
}

#[test]
fn a_connection_that_is_cut_is_lost() {
    let url = crooked::start(|stream| {
        let Some(mut peer) = Peer::accept(stream) else { return };
        peer.send(TEXT, b"one");
    });
    let done = connect(&[&url, "--stay"], "");
    done.assert(5, &["the connection was lost"]);
    assert_eq!(done.out, "one\n");
}

#[test]
fn a_close_that_is_not_answered_is_told() {
    let url = crooked::start(|stream| {
        let Some(mut peer) = Peer::accept(stream) else { return };
        while peer.read().is_some() {}
    });
    let done = connect(&[&url, "--close-timeout", "200ms"], "one\n");
    done.assert(5, &["did not answer the close within 200ms"]);
    let url = crooked::start(|stream| {
        let Some(mut peer) = Peer::accept(stream) else { return };
        peer.read();
    });
    connect(&[&url], "").assert(5, &["ended without an answer to the close"]);
}

#[test]
fn a_server_that_still_talks_is_not_late_with_its_answer() {
    let url = crooked::start(|stream| {
        let Some(mut peer) = Peer::accept(stream) else { return };
        let (opcode, payload) = peer.read().unwrap();
        assert_eq!(opcode, CLOSE);
        for _ in 0..25 {
            peer.send(TEXT, b"more");
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
        peer.send(CLOSE, &payload);
    });
    connect(&[&url, "--close-timeout", "2s"], "").assert_out(&"more\n".repeat(25));
}

#[test]
fn a_silent_server_is_lost_when_pings_are_asked_for() {
    let url = crooked::start(|stream| {
        let Some(mut peer) = Peer::accept(stream) else { return };
        // One answer, and no more.
        assert_eq!(peer.read(), Some((PING, Vec::new())));
        peer.send(PONG, b"");
        while peer.read().is_some() {}
    });
    let done = connect(&[&url, "--stay", "--ping-interval", "100ms"], "");
    done.assert(5, &["nothing came for 100ms"]);
}

#[test]
fn a_server_that_breaks_the_protocol_is_told_so() {
    let (tell, told) = std::sync::mpsc::channel();
    let breaks = move |bytes: &'static [u8]| {
        let tell = tell.clone();
        crooked::start(move |stream| {
            let Some(mut peer) = Peer::accept(stream) else { return };
            peer.0.write_all(bytes).unwrap();
            tell.send(peer.read()).unwrap();
        })
    };
    for (bytes, code, said) in [
        (&b"\xc1\x01x"[..], 1002_u16, "the server broke the protocol"),
        (b"\x81\x81\0\0\0\0x", 1002, "the server broke the protocol"),
        (b"\x81\x01\xff", 1007, "no UTF-8"),
        (b"\x81\x7e\x04\x00", 1009, "--max-message-bytes is 1000"),
    ] {
        let done = connect(&[&breaks(bytes), "--stay", "--max-message-bytes", "1000"], "");
        done.assert(5, &[said]);
        assert_eq!(told.recv().unwrap(), Some((CLOSE, code.to_be_bytes().to_vec())), "{done:?}");
    }
}
