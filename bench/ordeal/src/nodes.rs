use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use programs::Child;
use rig::Proxy;

/// Three nodes, each behind a network of its own.
pub(crate) struct Nodes {
    program: PathBuf,
    redis: String,
    nodes: Vec<Node>,
}

struct Node {
    port: u16,
    network: Arc<Proxy>,
    process: Option<Child>,
}

impl Nodes {
    pub(crate) const COUNT: usize = 3;

    pub(crate) fn start(program: &Path, redis: &str) -> Self {
        let nodes = (0..Self::COUNT).map(|_| {
            let port = programs::free_port();
            Node { port, network: Arc::new(Proxy::to_port(port)), process: None }
        });
        let mut nodes = Self { program: program.to_owned(), redis: redis.to_owned(), nodes: nodes.collect() };
        (0..Self::COUNT).for_each(|node| nodes.begin(node));
        nodes
    }

    /// How clients reach them.
    pub(crate) fn urls(&self) -> Vec<String> {
        self.nodes.iter().map(|node| format!("ws://127.0.0.1:{}", node.network.port())).collect()
    }

    pub(crate) fn networks(&self) -> Vec<Arc<Proxy>> {
        self.nodes.iter().map(|node| node.network.clone()).collect()
    }

    fn begin(&mut self, node: usize) {
        let mut command = Command::new(&self.program);
        command.args(["--bind", &format!("127.0.0.1:{}", self.nodes[node].port)]);
        command.args(["--layer", &self.redis, "--drain-window", "2s", "--drain-timeout", "5s"]);
        let process = self.nodes[node].process.insert(Child::start(&mut command));
        process.line("ready");
    }

    /// Ends a node in the orderly way, and begins it anew.
    pub(crate) fn restart(&mut self, node: usize) {
        if let Some(mut process) = self.nodes[node].process.take() {
            process.terminate();
            process.end(Duration::from_secs(20));
        }
        self.begin(node);
    }
}
