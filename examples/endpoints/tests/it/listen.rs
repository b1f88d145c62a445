use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use programs::Child;
use tokio::net::{TcpStream, UnixStream};

use crate::server::{Server, ask};

const HEALTHZ: &str = "GET /healthz HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n";

/// A path for a socket, in a folder of this test alone.
fn socket_path(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("endpoints-{}-{name}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    folder.join("socket")
}

/// Starts the program where it must fail; gives its status and what it said.
fn refused(flags: &[&str]) -> (i32, String) {
    let mut child = Child::start(Command::new(env!("CARGO_BIN_EXE_endpoints")).args(flags));
    let (status, output) = child.end(Duration::from_secs(30));
    (status.code().unwrap(), output)
}

#[tokio::test]
async fn several_addresses_and_a_unix_socket_are_served_at_once() {
    let path = socket_path("several");
    let mut server = Server::with(&["--bind", "127.0.0.1:0", "--unix", path.to_str().unwrap()]);
    let other = server.child.line("listening on http://").trim_end_matches('/').to_owned();
    server.child.line("listening on unix:");
    assert!(server.get("/healthz").await.contains("200 OK"));
    assert!(ask(TcpStream::connect(other).await.unwrap(), HEALTHZ).await.contains("200 OK"));
    assert!(ask(UnixStream::connect(&path).await.unwrap(), HEALTHZ).await.contains("200 OK"));
    server.child.terminate();
    assert!(server.child.end(Duration::from_secs(30)).0.success());
    assert!(!path.exists(), "the socket is removed at the end");
}

#[tokio::test]
async fn the_socket_that_a_killed_server_left_behind_is_replaced() {
    let path = socket_path("stale");
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    let mut server = Server::with(&["--unix", path.to_str().unwrap()]);
    server.child.line("listening on unix:");
    assert!(ask(UnixStream::connect(&path).await.unwrap(), HEALTHZ).await.contains("200 OK"));
}

#[test]
fn what_is_in_the_way_of_a_unix_socket_is_left_alone_and_named() {
    let path = socket_path("file");
    std::fs::write(&path, "precious").unwrap();
    let (status, output) = refused(&["--unix", path.to_str().unwrap()]);
    assert_eq!(status, 1);
    assert!(output.contains("unix:") && output.contains("is in use, or is no socket"), "{output}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "precious");
}

#[test]
fn a_port_that_is_taken_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let (status, output) = refused(&["--bind", &address]);
    assert_eq!(status, 1);
    assert!(output.contains(&format!("bind: cannot listen on {address}")), "{output}");
}

#[tokio::test]
async fn a_socket_that_the_parent_opened_is_taken_over() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    // As systemd does it: the socket as descriptor 3, and two variables that say so.
    let script = "exec 3<&0 0</dev/null; LISTEN_FDS=1 LISTEN_PID=$$ exec \"$0\" --inherit";
    let mut command = Command::new("sh");
    let command = command.args(["-c", script, env!("CARGO_BIN_EXE_endpoints")]);
    let mut child = Child::start_with_input(command, OwnedFd::from(listener));
    assert_eq!(child.line("listening on "), format!("http://{address}/"));
    assert!(ask(TcpStream::connect(address).await.unwrap(), HEALTHZ).await.contains("200 OK"));
}

#[test]
fn nothing_to_inherit_is_an_error() {
    let (status, output) = refused(&["--inherit"]);
    assert_eq!(status, 1);
    assert!(output.contains("LISTEN_FDS"), "{output}");
}

#[test]
fn a_wrong_setting_is_named_with_what_it_accepts() {
    let (status, output) = refused(&["--ping-interval", "often"]);
    assert_ne!(status, 0);
    assert!(output.contains("ping_interval") && output.contains("20s"), "{output}");
}
