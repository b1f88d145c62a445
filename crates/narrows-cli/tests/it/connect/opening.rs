//! The handshake: what is sent, and what servers answer.

use std::io::{Read, Write};

use serde_json::Value;

use super::client::{Done, connect};
use super::server;
use crate::crooked::{self, Peer, read_head};

/// What the server sees of a handshake.
fn seen(arguments: &[&str]) -> Value {
    let done = connect(arguments, "handshake\n");
    assert_eq!(done.code, 0, "{done:?}");
    serde_json::from_str(&done.out).unwrap()
}

/// What becomes of a server that answers this.
fn answer(answer: impl AsRef<[u8]> + Clone + Send + 'static) -> Done {
    let url = crooked::start(move |mut stream| {
        if read_head(&mut stream).is_some() {
            stream.write_all(answer.as_ref()).unwrap();
            // Until the client has read it and is gone.
            let _ = stream.read(&mut [0]);
        }
    });
    connect(&[&url], "")
}

#[test]
fn origin_headers_and_cookies_are_sent() {
    let base = server::start();
    let url = format!("{base}/ws/?room=1");
    let seen_first =
        seen(&[&url, "--cookie", "sessionid=abc", "--cookie", "a=1", "-H", "X-One: 1", "-H", "X-One: 2"]);
    let headers = &seen_first["headers"];
    assert_eq!(headers["origin"], base.replace("ws:", "http:"));
    assert_eq!(seen_first["cookies"], serde_json::json!({ "sessionid": "abc", "a": "1" }));
    assert_eq!((&headers["x-one"], &seen_first["query"]), (&"1, 2".into(), &"room=1".into()));
    // Without cookies, a program need not name an origin.
    assert!(seen(&[&url, "--no-origin"])["headers"].get("origin").is_none());
    let host = seen(&[&url, "-H", "Host: example.org", "--origin", "http://example.org"]);
    assert_eq!(host["headers"]["host"], "example.org");
}

#[test]
fn http_addresses_are_taken_too() {
    let url = server::start().replace("ws:", "HTTP:");
    connect(&[&format!("{url}/ws/#here")], "x\n").assert_out("x\n");
}

#[test]
fn a_unix_socket_is_reached_by_address_or_flag() {
    let path = std::env::temp_dir().join(format!("narrows-connect-{}.sock", std::process::id()));
    server::start_on(path.clone());
    let path = path.to_str().unwrap();
    connect(&[&format!("ws+unix://{path}:/ws/")], "x\n").assert_out("x\n");
    connect(&["ws://example.org/ws/", "--unix", path], "x\n").assert_out("x\n");
    connect(&[&format!("ws+unix://{path}.not:/ws/")], "").assert(2, &["cannot connect to", ".not"]);
    std::fs::remove_file(path).unwrap();
}

#[test]
fn a_token_may_be_a_subprotocol() {
    let url = format!("{}/guarded/", server::start());
    let known = [url.as_str(), "--subprotocol", "chat.v1", "--subprotocol", "token.secret"];
    connect(&known, "x\n").assert_out("x\n");
    let verbose = connect(&[&known, ["-v"].as_slice()].concat(), "");
    verbose.assert(
        0,
        &["< 101 Switching Protocols", "< sec-websocket-protocol: chat.v1", "subprotocol chat.v1"],
    );
    let refused = connect(&[&url], "");
    refused.assert(3, &["refused the handshake: 401 Unauthorized", "\n  who are\\u001b[2J you?\n", "hint: "]);
}

#[test]
fn subprotocols_that_do_not_agree_are_told() {
    let url = format!("{}/ws/", server::start());
    let done = connect(&[&url, "--subprotocol", "a", "--subprotocol", "b"], "");
    done.assert(3, &["chose none of the subprotocols that were offered: a, b"]);
    let url = crooked::start(|stream| {
        Peer::accept_with(stream, "Sec-WebSocket-Protocol: c\r\n");
    });
    connect(&[&url, "--subprotocol", "a"], "").assert(3, &["chose the subprotocol \"c\", and a was offered"]);
    connect(&[&url], "").assert(3, &["chose the subprotocol \"c\", and none was offered"]);
    let url = crooked::start(|stream| {
        Peer::accept_with(stream, "Sec-WebSocket-Extensions: x\r\n");
    });
    connect(&[&url], "").assert(3, &["an extension that was not offered: \"x\""]);
}

#[test]
fn refusals_have_a_hint() {
    let base = server::start();
    let other_origin = connect(&[&format!("{base}/ws/"), "--origin", "http://evil.example"], "");
    other_origin.assert(3, &["403 Forbidden", "hint: ", "http://evil.example", "--origin"]);
    connect(&[&format!("{base}/nowhere/")], "")
        .assert(3, &["404 Not Found", "hint: there is nothing at this path"]);
    connect(&[&format!("{base}/page/")], "").assert(3, &["200 OK", "\n  a page\n", "no WebSocket endpoint"]);
    connect(&[&format!("{base}/away/")], "").assert(3, &["303 See Other", "it points to /ws/"]);
    let upgrade =
        answer("HTTP/1.1 426 Upgrade Required\r\nSec-WebSocket-Version: 8\r\nContent-Length: 0\r\n\r\n");
    upgrade.assert(3, &["426 Upgrade Required", "other versions: 8"]);
    let busy = answer("HTTP/1.1 503 Service Unavailable\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n");
    busy.assert(3, &["503", "come back: 7"]);
    let plain = answer(
        "HTTP/1.1 400 Bad Request\r\nContent-Length: 41\r\n\r\nplain HTTP request was sent to HTTPS port",
    );
    plain.assert(3, &["400", "try wss://"]);
}

#[test]
fn the_body_of_a_refusal_is_bounded_and_need_not_end() {
    let long = format!(
        "HTTP/1.1 500 Oops\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{}",
        1 << 30,
        "x".repeat(9000)
    );
    let done = answer(long);
    done.assert(3, &["500 Oops", "(there is more)"]);
    assert!(done.said.len() < 2500, "{}", done.said.len());
    let chunks = "HTTP/1.1 418 Tea\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
    let done = answer(chunks);
    done.assert(3, &["418 Tea\n  abcde\n"]);
}

#[test]
fn an_interim_answer_is_not_the_answer() {
    let done = answer(
        "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
    );
    done.assert(3, &["404"]);
}

#[test]
fn a_101_that_is_none_is_told() {
    answer("HTTP/1.1 101 Switching Protocols\r\n\r\n").assert(3, &["no upgrade to WebSocket"]);
    let wrong_key =
        "HTTP/1.1 101 Ok\r\nUpgrade: WebSocket\r\nConnection: upgrade\r\nSec-WebSocket-Accept: x\r\n\r\n";
    answer(wrong_key).assert(3, &["no answer to our key"]);
}

#[test]
fn what_is_no_http_is_told() {
    answer("SSH-2.0-OpenSSH_9.6\r\n").assert(2, &["does not speak HTTP", "right port"]);
    answer(b"\x15\x03\x01\x00\x02\x02\x16").assert(2, &["answers in TLS", "hint: try wss://"]);
    let endless = format!("HTTP/1.1 200 OK\r\nX: {}", "x".repeat(70_000));
    answer(endless).assert(2, &["the head is longer than"]);
    let url = crooked::start(|mut stream| drop(read_head(&mut stream)));
    connect(&[&url], "").assert(2, &["without an answer", "wss://"]);
}

#[test]
fn a_server_that_is_not_there_is_told() {
    let refused = connect(&["ws://127.0.0.1:1/"], "");
    refused.assert(2, &["cannot connect to 127.0.0.1:1", "Connection refused", "no server listens there"]);
    connect(&["ws://no-such-host.invalid/"], "").assert(2, &["cannot find the host `no-such-host.invalid`"]);
}

#[test]
fn a_server_that_does_not_answer_is_not_waited_for() {
    let url = crooked::start(|mut stream| drop(stream.read_to_end(&mut Vec::new())));
    let before = std::time::Instant::now();
    let done = connect(&[&url, "--connect-timeout", "200ms"], "");
    done.assert(2, &["did not answer within 200ms"]);
    assert!(before.elapsed().as_secs() < 5);
}

#[test]
fn wrong_arguments_are_explained() {
    for (arguments, why) in [
        (["localhost:1/", "-q"], "the scheme is missing"),
        (["ftp://a/", "-q"], "`ftp` is not spoken"),
        (["ws://a/", "-HX-A"], "`Name: value`"),
        (["ws://a/", "-HX: a\r\nY: b"], "cannot hold a line end"),
        (["ws://a/", "-HUpgrade: x"], "the handshake sets `Upgrade` itself"),
        (["ws://a/", "--subprotocol=a b"], "a subprotocol cannot hold ` `"),
        (["ws://a/", "--cookie=a"], "`name=value`"),
        (["ws://a/", "--origin=a\nb"], "line end"),
        (["ws://a/", "--wait=5"], "`5` is no time"),
        (["ws://a/", "--max-message-bytes=0"], "no size"),
        (["ws://a/", "--expect-json={"], "this is no JSON"),
        (["ws://a/", "--timeout=5s"], "--count"),
        (["ws://a/", "--count=0"], "0 is not in"),
        (["ws://a/", "--ping-interval=0s"], "above 0"),
    ] {
        let done = connect(&arguments, "");
        done.assert(1, &[why]);
        assert_eq!(done.out, "", "{done:?}");
    }
}

#[test]
fn help_lists_the_exit_codes() {
    let help = connect(&["--help"], "");
    assert_eq!(help.code, 0);
    for part in ["Exit codes:", "  6  ", "--subprotocol", "--no-origin", "16MiB"] {
        assert!(help.out.contains(part), "{part}: {}", help.out);
    }
}
