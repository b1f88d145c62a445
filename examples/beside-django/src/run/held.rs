use std::collections::VecDeque;
use std::io;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::{Child, ChildStdin, Command};

/// How many lines to show of a program that ended.
const SHOWN: usize = 20;

/// How long a program may take to end.
const PATIENCE: Duration = Duration::from_secs(10);

/// A server that ends with this process, whichever way that comes to its end: `site/hold.py` sees to it.
pub(crate) struct Held {
    child: Child,
    hold: Option<ChildStdin>,
    last: Arc<Mutex<VecDeque<String>>>,
}

impl Held {
    /// Starts it, and passes on what it prints to the log.
    pub(crate) fn start(
        name: &'static str,
        python: &Path,
        site: &Path,
        command: &Command,
    ) -> io::Result<Self> {
        let command = command.as_std();
        let mut holder = Command::new(python);
        holder.arg(site.join("hold.py")).arg(command.get_program()).args(command.get_args());
        holder.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        if let Some(folder) = command.get_current_dir() {
            holder.current_dir(folder);
        }
        // In a group of its own: Ctrl-C is for this process, which ends the others in order.
        holder.process_group(0).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = holder.spawn()?;
        let hold = child.stdin.take();
        let last = Arc::new(Mutex::new(VecDeque::new()));
        if let Some(stdout) = child.stdout.take() {
            tokio::spawn(pass_on(name, stdout, last.clone()));
        }
        if let Some(stderr) = child.stderr.take() {
            tokio::spawn(pass_on(name, stderr, last.clone()));
        }
        Ok(Self { child, hold, last })
    }

    /// Waits until it ends by itself.
    ///
    /// # Cancel safety
    /// It goes on when this is dropped.
    pub(crate) async fn ended(&mut self) -> io::Result<ExitStatus> {
        self.child.wait().await
    }

    /// The last lines that it printed.
    pub(crate) fn last_lines(&self) -> String {
        let last = self.last.lock().expect("nothing panics in here");
        last.iter().map(String::as_str).collect::<Vec<_>>().join("\n")
    }

    /// Ends it, and waits for that.
    pub(crate) async fn end(mut self) {
        drop(self.hold.take());
        if tokio::time::timeout(PATIENCE, self.child.wait()).await.is_err()
            && let Err(error) = self.child.kill().await
        {
            tracing::warn!(%error, "a program cannot be ended");
        }
    }
}

async fn pass_on(name: &'static str, output: impl AsyncRead + Unpin, last: Arc<Mutex<VecDeque<String>>>) {
    let mut lines = BufReader::new(output).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        tracing::info!(target: "beside_django", "{name}: {line}");
        let mut last = last.lock().expect("nothing panics in here");
        if last.len() == SHOWN {
            last.pop_front();
        }
        last.push_back(line);
    }
}
