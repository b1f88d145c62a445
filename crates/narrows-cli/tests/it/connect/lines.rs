//! Scripts: lines in, lines out.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::client::{command, connect, done};
use super::screen::{Home, Screen};
use super::server;
use crate::crooked::{self, CLOSE, PING, PONG, Peer, TEXT};

fn ws() -> String {
    format!("{}/ws/", server::start())
}

#[test]
fn each_line_is_a_message_and_each_message_is_a_line() {
    connect(&[&ws()], "one\nschön 🙂\r\n\nlast").assert_out("one\nschön 🙂\n\nlast\n");
}

#[test]
fn all_that_was_sent_is_answered_before_the_close() {
    // As many as the server holds for a client that it finds slow.
    let lines: String = (0..4000).map(|number| format!("line {number}\n")).collect();
    connect(&[&ws()], &lines).assert_out(&lines);
}

#[test]
fn nothing_to_send_is_a_connection_that_closes() {
    connect(&[&ws()], "").assert_out("");
}

#[test]
fn control_characters_are_raw_in_a_pipe() {
    connect(&[&ws()], "a\x1b[2Jb\n").assert_out("a\x1b[2Jb\n");
}

#[test]
fn binary_messages_are_hexadecimal_both_ways() {
    let url = ws();
    connect(&[&url, "--binary"], "00 ff\n\n").assert_out("00ff\n\n");
    connect(&[&url], "bytes\n").assert_out("001bff\n");
}

#[test]
fn a_line_that_cannot_be_sent_ends_it_with_its_number() {
    let url = ws();
    let wrong = connect(&[&url, "--binary"], "00\nzz\n01\n");
    wrong.assert(1, &["narrows: line 2 of the input: `z` is no hexadecimal digit"]);
    assert_eq!(wrong.out, "00\n");
    connect(&[&url, "--max-message-bytes", "4"], "abcd\nabcde\n")
        .assert(1, &["line 2", "--max-message-bytes, 4"]);
}

#[test]
fn text_that_is_no_utf8_is_no_message() {
    let mut child = command(&[&ws()]);
    child.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = child.spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"a\n\xff\n").unwrap();
    done(child.wait_with_output().unwrap()).assert(1, &["line 2 of the input: it is no UTF-8"]);
}

#[test]
fn json_lines_say_all_that_comes() {
    let url = crooked::start(|stream| {
        let Some(mut peer) = Peer::accept(stream) else { return };
        peer.send(TEXT, b"a\n\"b\"");
        peer.send(2, &[1, 255]);
        peer.send(PING, b"hi");
        assert_eq!(peer.read(), Some((PONG, b"hi".to_vec())));
        peer.send(PONG, b"");
        peer.send(CLOSE, &[0x03, 0xe9, b'b', b'y', b'e']);
        peer.read();
    });
    let done = connect(&[&url, "--json-lines", "--stay"], "");
    assert_eq!((done.code, done.said.as_str()), (0, ""), "{done:?}");
    let lines: Vec<Value> = done.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let expected = [
        json!({ "type": "text", "data": "a\n\"b\"" }),
        json!({ "type": "binary", "data": "01ff" }),
        json!({ "type": "ping", "data": "6869" }),
        json!({ "type": "pong", "data": "" }),
        json!({ "type": "close", "data": { "code": 1001, "reason": "bye" } }),
    ];
    assert_eq!(lines, expected);
}

#[test]
fn count_closes_when_so_many_came_and_prints_no_more() {
    connect(&[&ws(), "--count", "3"], "many 10\n").assert_out("1\n2\n3\n");
}

#[test]
fn count_does_not_wait_for_the_end_of_the_input() {
    let mut child = command(&[&ws(), "--count", "1"]);
    child.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = child.spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(b"one\n").unwrap();
    done(child.wait_with_output().unwrap()).assert_out("one\n");
    drop(input);
}

#[test]
fn what_was_expected_must_come() {
    let url = ws();
    let hello = r#"{"type":"hello","to":{"id":1},"at":5}"#;
    let wanted = r#"{"type":"hello","to":{"id":1}}"#;
    let both = ["--expect", "there", "--expect-json", wanted];
    let input = format!("{hello}\nthere\n");
    let arguments = [&[url.as_str()], both.as_slice()].concat();
    connect(&arguments, &input).assert_out(&input);
    let arguments = [&arguments, ["--timeout", "1s"].as_slice()].concat();
    let not_met = connect(&arguments, "there\n");
    not_met.assert(6, &["no message held", r#"{"to":{"id":1},"type":"hello"}"#, "within 1s"]);
    assert!(!not_met.said.contains("there"), "{not_met:?}");
}

#[test]
fn goals_that_the_server_cuts_short_are_not_met() {
    let url = ws();
    connect(&[&url, "--count", "2"], "one\nclose 1000\n").assert(6, &["1 of 2 messages came", "1000"]);
    // Why it closed says more.
    connect(&[&url, "--expect", "x"], "close 4001 no\n").assert(4, &["4001 (no)"]);
}

#[test]
fn wait_stays_for_so_long_and_stay_until_the_server_closes() {
    let url = crooked::start(|stream| {
        let Some(mut peer) = Peer::accept(stream) else { return };
        while let Some((opcode, payload)) = peer.read() {
            match (opcode, payload.as_slice()) {
                (CLOSE, _) => return peer.send(CLOSE, &payload),
                (TEXT, b"bye") => peer.send(CLOSE, &1000_u16.to_be_bytes()),
                _ => peer.send(TEXT, b"answer"),
            }
        }
    });
    let before = std::time::Instant::now();
    connect(&[&url, "--wait", "300ms"], "x\n").assert_out("answer\n");
    assert!(before.elapsed().as_millis() >= 300);
    connect(&[&url, "--stay"], "x\nbye\n").assert_out("answer\n");
    // Ends at once when it has all.
    connect(&[&url, "--wait", "1h", "--count", "1"], "x\n").assert_out("answer\n");
    connect(&[&url, "--wait", "1s", "--count", "2"], "x\n").assert(6, &["1 of 2"]);
}

#[test]
fn a_terminal_without_a_prompt_gets_nothing_that_could_command_it() {
    let home = Home::new("dumb");
    let screen = Screen::start_with(&[&ws(), "--stay"], &home, "dumb");
    screen.press("a\u{9b}1mb\n");
    screen.wait("shown", |screen| screen.contents().contains("\na\\u009b1mb"));
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    let url = ws();
    let mut child = command(&[&url, "--stay"]);
    child.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = child.spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(b"one\n").unwrap();
    let mut first = String::new();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    out.read_line(&mut first).unwrap();
    drop(out);
    input.write_all(b"two\n").unwrap();
    let done = done(child.wait_with_output().unwrap());
    assert_eq!((first.as_str(), done.code, done.said.as_str()), ("one\n", 0, ""));
}

#[test]
fn output_that_cannot_be_written_is_an_error() {
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let mut child = command(&[&ws()]);
    child.stdin(Stdio::piped()).stdout(full).stderr(Stdio::piped());
    let mut child = child.spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"one\n").unwrap();
    done(child.wait_with_output().unwrap()).assert(1, &["cannot write the output"]);
}

#[test]
fn a_server_that_writes_before_it_reads_is_read() {
    let url = crooked::start(|stream| {
        let Some(mut peer) = Peer::accept(stream) else { return };
        for _ in 0..500 {
            peer.send(TEXT, &[b'x'; 60_000]);
        }
        while let Some((opcode, payload)) = peer.read() {
            if opcode == CLOSE {
                return peer.send(CLOSE, &payload);
            }
        }
    });
    let line = format!("{}\n", "y".repeat(60_000));
    let done = connect(&[&url], &line.repeat(500));
    assert_eq!((done.code, done.out.lines().count(), done.said.as_str()), (0, 500, ""));
}

#[test]
fn a_signal_closes_politely() {
    for signal in ["-INT", "-TERM"] {
        let (tell, told) = std::sync::mpsc::channel();
        let url = crooked::start(move |stream| {
            let Some(mut peer) = Peer::accept(stream) else { return };
            peer.send(TEXT, b"hello");
            let (opcode, payload) = peer.read().unwrap();
            peer.send(opcode, &payload);
            tell.send((opcode, payload)).unwrap();
        });
        let mut child = command(&[&url, "--stay"]);
        child.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = child.spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        out.read_line(&mut String::new()).unwrap();
        let sent = Command::new("kill").arg(signal).arg(child.id().to_string()).status().unwrap();
        assert!(sent.success());
        assert_eq!(told.recv().unwrap(), (CLOSE, 1000_u16.to_be_bytes().to_vec()));
        done(child.wait_with_output().unwrap()).assert_out("");
    }
}
