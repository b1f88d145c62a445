use std::io::{self, BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use crate::machine;

/// A server process on the first core; ended when dropped.
pub(crate) struct Server {
    process: Child,
    /// Kept open: the server prints to it.
    _output: BufReader<ChildStdout>,
    pub(crate) address: String,
}

impl Server {
    /// Starts a server that prints `listening on http://<address>/` once it does.
    pub(crate) fn start(program: &Path, arguments: &[&str]) -> io::Result<Self> {
        let mut process = pinned(0, program).args(arguments).stdout(Stdio::piped()).spawn()?;
        let stdout = process.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
        let mut output = BufReader::new(stdout);
        let mut line = String::new();
        output.read_line(&mut line)?;
        let address = line.trim().strip_prefix("listening on http://").unwrap_or_default();
        let address = address.trim_end_matches('/').to_owned();
        Ok(Self { process, _output: output, address })
    }

    /// `taskset` becomes the server, so this is the server's own.
    pub(crate) fn pid(&self) -> u32 {
        self.process.id()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself; the measurement has failed then.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A command that stays on one core, where the system has `taskset` and a second core.
pub(crate) fn pinned(core: usize, program: &Path) -> Command {
    if !machine::can_pin() {
        return Command::new(program);
    }
    let mut command = Command::new("taskset");
    command.args(["-c", &core.to_string()]).arg(program);
    command
}
