use std::io::Write;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use browsers::Tab;
use programs::Child;
use serde_json::Value;

/// Where a client runs, with what the tests need of it in its global scope.
pub(super) enum Page {
    Node(Mutex<Node>),
    Chromium(Tab),
}

/// A script of Node's that does what it is told.
pub(super) struct Node {
    child: Child,
    input: UnixStream,
}

/// What each page begins with. `start` makes a client that notes all that it is told.
const START: &str = r#"globalThis.start = (address, options) => {
    globalThis.seen = [];
    globalThis.happened = [];
    globalThis.client = new Narrows(address, options);
    client.on("*", (message) => seen.push(message));
    for (const name of ["open", "close", "reconnecting", "resumed", "final", "unrecovered", "error"]) {
        client.on("narrows." + name, (event) => happened.push({ name, ...event }));
    }
    globalThis.count = (name) => happened.filter((event) => event.name === name).length;
    globalThis.last = (name) => happened.filter((event) => event.name === name).pop();
}"#;

impl Page {
    /// Node, or nothing where it is missing.
    pub(super) fn node() -> Option<Self> {
        let [node] = programs::need(["node"])?;
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let (input, theirs) = UnixStream::pair().unwrap();
        let mut command = Command::new(&node);
        if version(&node) < 22 {
            command.arg("--experimental-websocket");
        }
        command.arg("--no-warnings").arg(root.join("tests/it/js_client/agent.mjs"));
        command.arg(root.join("client/narrows.mjs"));
        let mut child = Child::start_with_input(&mut command, Stdio::from(OwnedFd::from(theirs)));
        child.line("ready");
        Some(Self::Node(Mutex::new(Node { child, input })))
    }

    /// Makes a client: its address, and its options in JavaScript.
    pub(super) async fn start(&self, address: &str, options: &str) {
        self.run(START).await;
        self.run(&format!("start({address:?}, {options})")).await;
    }

    /// Runs an expression for what it does.
    pub(super) async fn run(&self, expression: &str) {
        self.value(&format!("(({expression}), null)")).await;
    }

    /// The value of an expression; that of a promise is awaited.
    pub(super) async fn value(&self, expression: &str) -> Value {
        match self {
            Self::Node(node) => {
                tokio::task::block_in_place(|| node.lock().unwrap().value(&expression.replace('\n', " ")))
            }
            Self::Chromium(tab) => tab.value(expression).await,
        }
    }

    /// Waits until an expression is true.
    pub(super) async fn until(&self, condition: &str) {
        let end = Instant::now() + Duration::from_secs(30);
        while self.value(&format!("Boolean({condition})")).await != Value::Bool(true) {
            if Instant::now() > end {
                let state = self.value("({ state: client.state, happened, seen: seen.slice(-20) })").await;
                panic!("{condition} did not come true: {state:#}");
            }
            // Nothing that could be awaited: it is another program.
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

impl Node {
    fn value(&mut self, expression: &str) -> Value {
        writeln!(self.input, "{expression}").unwrap();
        let answer = self.child.line(": ");
        serde_json::from_str(&answer).unwrap_or_else(|_| panic!("{expression}: {answer}"))
    }
}

/// Its major version: sockets are behind a flag before 22.
fn version(node: &Path) -> u32 {
    let output = Command::new(node).arg("--version").output().unwrap().stdout;
    let text = String::from_utf8(output).unwrap();
    text.trim_start_matches('v').split('.').next().unwrap().parse().unwrap()
}
