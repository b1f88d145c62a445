use std::io::{Read, Write};
use std::net::TcpListener;

use crate::command::failure;
use crate::crooked::{self, CLOSE, Peer, TEXT, read_head};
use crate::server;

/// What each mode says of a server. `connect` and `churn` open connections their own way.
fn said(url: &str) -> Vec<String> {
    ["fanout --members 3", "connect --concurrency 3", "churn --members 2"]
        .iter()
        .map(|mode| failure(&format!("{mode} --url {url} --seconds 0.5 --warm-up 0 --patience 0.5")))
        .collect()
}

fn assert_said(url: &str, expected: &str) {
    for said in said(url) {
        assert!(said.starts_with("narrows: ") && said.contains(expected), "{said}");
    }
}

/// What is said of a server whose answer to a handshake is this.
fn answer(head: &'static str) -> String {
    crooked::start(move |mut stream| {
        if read_head(&mut stream).is_some() {
            stream.write_all(head.as_bytes()).unwrap();
            // Until the client has read it and is gone.
            let _ = stream.read(&mut [0]);
        }
    })
}

#[test]
fn a_server_that_never_answers_the_handshake_is_told() {
    let url = crooked::start(|mut stream| {
        let _ = stream.read_to_end(&mut Vec::new());
    });
    assert_said(&url, "did not answer the handshake");
}

#[test]
fn a_server_that_refuses_is_told_by_its_status() {
    assert_said(
        &answer("HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n"),
        "refused the handshake with \"503 Service Unavailable\"",
    );
    assert_said(&format!("{}/nowhere/", server::start()), "refused the handshake with \"404 Not Found\"");
}

#[test]
fn a_server_that_is_no_websocket_server_is_told() {
    assert_said(&answer("SSH-2.0-OpenSSH_9.6\r\n"), "its answer to the handshake is not HTTP");
    assert_said(
        &answer("HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: x\r\n\r\n"),
        "no right Sec-WebSocket-Accept",
    );
}

#[test]
fn a_server_that_hangs_up_in_the_handshake_is_told() {
    let url = crooked::start(|mut stream| {
        read_head(&mut stream);
    });
    assert_said(&url, "did not answer the handshake");
}

#[test]
fn a_server_that_is_not_there_is_told() {
    // Bound and dropped again: nobody listens there.
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    assert_said(&format!("ws://{free}/"), "is the server running there?");
}

#[test]
fn a_server_that_says_nothing_after_the_handshake_is_told() {
    let url = crooked::answering(|| |_| vec![]);
    let said = failure(&format!("fanout --url {url} --members 2 --patience 0.3"));
    assert!(said.contains("no message arrived within 0.3 s"), "{said}");
}

#[test]
fn a_server_that_sends_garbage_is_told() {
    for (bytes, expected) in [
        (&b"HTTP/1.1 200 OK"[..], "reserved bits"),
        (&[0x81, 0xff, 1, 2, 3, 4], "a masked frame"),
        (&[0x82, 127, 0x7f, 0, 0, 0, 0, 0, 0, 0], "more than 1 GiB"),
        (&[0x83, 0], "unknown opcode"),
    ] {
        let url = crooked::start(move |stream| {
            let Some(mut peer) = Peer::accept(stream) else { return };
            peer.0.write_all(bytes).unwrap();
            while peer.read().is_some() {}
        });
        let said = failure(&format!("fanout --url {url} --members 1 --patience 2"));
        assert!(said.contains(expected), "{said}");
    }
}

#[test]
fn a_server_that_closes_is_told_with_its_code() {
    let url = crooked::start(|stream| {
        let Some(mut peer) = Peer::accept(stream) else { return };
        if peer.read().is_some_and(|(opcode, _)| opcode == TEXT) {
            peer.send(CLOSE, b"\x03\xf5try again");
        }
        while peer.read().is_some() {}
    });
    let said = failure(&format!("fanout --url {url} --members 2 --patience 2"));
    assert!(
        said.contains("the server closed 1 of 2 connections; the first: closed with 1013 try again"),
        "{said}"
    );
}

#[test]
fn a_server_that_hangs_up_is_told() {
    let url = crooked::start(|stream| {
        if let Some(mut peer) = Peer::accept(stream) {
            peer.read();
        }
    });
    let said = failure(&format!("echo --url {url} --connections 1 --patience 2"));
    assert!(said.contains("went without a close frame"), "{said}");
}
