//! What an idle connection costs the server in resident memory, measured with many of them.
//!
//! `cargo xtask memory`, or `cargo test -p endpoints --release --test memory -- --ignored --nocapture`

// Clippy allows this in test functions only, and not in their helpers.
#![allow(clippy::unwrap_used)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

const CONNECTIONS: usize = 10_000;
const MOST_KIB_EACH: f64 = 6.0;

/// The server, ended with the test.
struct Server {
    process: Child,
    /// Kept open: the server prints to it.
    _output: BufReader<ChildStdout>,
    address: String,
}

impl Server {
    fn start() -> Self {
        // A server that was built for release may be named; the one beside this test is often a slow one.
        let program = std::env::var_os("NARROWS_ENDPOINTS").unwrap_or(env!("CARGO_BIN_EXE_endpoints").into());
        let mut process =
            Command::new(program).args(["--bind", "127.0.0.1:0"]).stdout(Stdio::piped()).spawn().unwrap();
        let mut output = BufReader::new(process.stdout.take().unwrap());
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("listening on http://").unwrap().trim_end_matches('/');
        Self { process, address: address.to_owned(), _output: output }
    }

    /// Opens a WebSocket; returns once it is accepted.
    fn open(&self, path: &str) -> TcpStream {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        let host = &self.address;
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )
        .unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\n") {
            let mut buffer = [0; 1024];
            let filled = stream.read(&mut buffer).unwrap();
            assert!(filled > 0, "the server closed the connection");
            answer.extend_from_slice(&buffer[..filled]);
        }
        assert!(answer.starts_with(b"HTTP/1.1 101 "), "{}", String::from_utf8_lossy(&answer));
        stream
    }

    fn resident_kib(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.split_whitespace().next().unwrap().parse().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself, which the test has then noticed.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// KiB for each of many connections to what `path` says for each.
fn kib_each(path: impl Fn(usize) -> String) -> f64 {
    // One after another: the descriptors are those of the whole process.
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let limit = rlimit::increase_nofile_limit(u64::MAX).unwrap();
    assert!(limit > CONNECTIONS as u64 + 64, "{CONNECTIONS} connections need more than {limit} descriptors");
    let server = Server::start();
    // What the first connections bring with them is the server's, not theirs.
    drop((0..8).map(|_| server.open("/ws/echo/")).collect::<Vec<_>>());
    let before = server.resident_kib();
    let open: Vec<_> = (0..CONNECTIONS).map(|n| server.open(&path(n))).collect();
    let after = server.resident_kib();
    drop(open);
    let each = (after as f64 - before as f64) / CONNECTIONS as f64;
    println!("{each:.2} KiB for each connection to {}", path(0));
    each
}

#[test]
#[ignore = "opens 10 000 sockets, and means something in release builds on a machine with Linux only"]
fn an_idle_connection_that_echoes_costs_little_memory() {
    assert!(kib_each(|_| "/ws/echo/".to_owned()) <= MOST_KIB_EACH);
}

#[test]
#[ignore = "opens 10 000 sockets, and means something in release builds on a machine with Linux only"]
fn an_idle_member_of_one_large_group_costs_little_memory() {
    assert!(kib_each(|_| "/ws/chat/all/".to_owned()) <= MOST_KIB_EACH);
}

#[test]
#[ignore = "opens 10 000 sockets, and means something in release builds on a machine with Linux only"]
fn an_idle_connection_with_a_group_of_its_own_costs_little_memory() {
    assert!(kib_each(|n| format!("/ws/chat/room{n}/")) <= MOST_KIB_EACH);
}

#[test]
#[ignore = "opens 10 000 sockets, and means something in release builds on a machine with Linux only"]
fn an_idle_connection_with_a_session_and_two_groups_and_presence_costs_little_memory() {
    assert!(kib_each(|n| format!("/ws/resident/shared/{n}/")) <= MOST_KIB_EACH);
}
