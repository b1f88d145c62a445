use std::process::Command;

use programs::Child;

/// The example running as a program of its own, on a port that the system chose.
pub(crate) struct Server {
    pub(crate) address: String,
    _child: Child,
}

impl Server {
    pub(crate) fn start() -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_endpoints"));
        let mut child = Child::start(command.args(["--bind", "127.0.0.1:0"]));
        let address = child.line("listening on http://").trim_end_matches('/').to_owned();
        Self { address, _child: child }
    }
}
