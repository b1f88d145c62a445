use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use programs::Child;

use crate::server::Server;

/// As many as `tests/clients/contract.md` lists.
const CHECKS: usize = 12;

#[test]
fn the_python_client_websockets_finds_the_contract_kept() {
    let Some(python) = python() else { return };
    contract_is_kept(Command::new(python).arg(script("websockets_sync.py")));
}

#[test]
fn the_python_client_websocket_client_finds_the_contract_kept() {
    let Some(python) = python() else { return };
    contract_is_kept(Command::new(python).arg(script("websocket_client.py")));
}

#[test]
fn the_node_client_ws_finds_the_contract_kept() {
    let Some([node]) = programs::need(["node"]) else { return };
    let Some(modules) = installed("node/node_modules") else { return };
    contract_is_kept(Command::new(node).arg(script("ws.cjs")).env("NODE_PATH", modules));
}

#[test]
fn curl_is_told_to_upgrade_on_a_socket_path_and_that_there_is_no_other() {
    let Some([curl]) = programs::need(["curl"]) else { return };
    let server = Server::start();
    let status = |path: &str, more: &[&str]| {
        let mut command = Command::new(&curl);
        // No proxy of the environment may come between.
        command.args(["--silent", "--noproxy", "*", "--max-time", "20", "--output", "/dev/null"]);
        command.args(["--write-out", "%{http_code}"]).args(more);
        let output = command.arg(format!("http://{}{path}", server.address)).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let handshake = [
        "-HConnection: Upgrade",
        "-HUpgrade: websocket",
        "-HSec-WebSocket-Version: 13",
        "-HSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    ];
    assert_eq!(status("/ws/echo/", &[]), "426");
    assert_eq!(status("/ws/nothing/here/", &[]), "404");
    assert_eq!(status("/ws/nothing/here/", &handshake), "404");
}

/// Runs a client's script against a server, and sees to it that it made all its checks.
fn contract_is_kept(script: &mut Command) {
    let server = Server::start();
    let (status, output) = Child::start(script.arg(&server.address)).end(Duration::from_secs(120));
    assert!(status.success(), "{status}:\n{output}");
    assert_eq!(output.matches("holds: ").count(), CHECKS, "{output}");
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients").join(name)
}

fn python() -> Option<PathBuf> {
    installed("venv/bin/python").filter(|_| installed("python.installed").is_some())
}

/// What `cargo xtask install` put below the target directory; where it is missing the test is left out.
fn installed(what: &str) -> Option<PathBuf> {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent()?;
    let path = target.join("clients").join(what);
    if path.exists() {
        return Some(path);
    }
    programs::leave_out(&format!("{} is missing; cargo xtask install makes it", path.display()));
    None
}
