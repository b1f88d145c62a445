use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::net::UnixStream;
use tokio::process::Command;

use super::held::Held;
use super::python::{Python, PythonError, run};
use crate::shared::Shared;

/// The site that is Django's: its commands, and its server.
pub(crate) struct Website {
    pub(crate) site: PathBuf,
    pub(crate) python: Python,
    pub(crate) data: PathBuf,
    pub(crate) shared: Shared,
    /// Where Redis is, or nothing.
    pub(crate) layer: String,
    pub(crate) socket: PathBuf,
}

/// Between two looks whether the server is there.
const LOOK: Duration = Duration::from_millis(50);

/// Between the end of a server and the start of the next, at most.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

impl Website {
    /// Brings database and static files up to date; with a password there are demo users, too.
    pub(crate) fn prepare(&self, demo_password: &str) -> Result<(), PythonError> {
        let mut command = std::process::Command::new(self.python.python());
        command.args(["manage.py", "prepare"]).current_dir(&self.site).envs(self.variables());
        run(command.env("DEMO_PASSWORD", demo_password))
    }

    /// Where Narrows reaches it.
    pub(crate) fn address(&self) -> String {
        format!("unix:{}", self.socket.display())
    }

    /// Starts its server, and waits until it takes requests.
    pub(crate) async fn start(&self) -> io::Result<Held> {
        // One that was killed leaves its socket behind.
        match std::fs::remove_file(&self.socket) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut command = Command::new(self.python.python());
        command.args(["-m", "waitress", "--threads", "8", "--ident", "", "--unix-socket"]).arg(&self.socket);
        // Narrows is the one who says who the client is; it reads ahead, so that no thread waits for a slow client.
        command.args([
            "--trusted-proxy",
            "localhost",
            "--trusted-proxy-headers",
            "x-forwarded-for x-forwarded-proto x-forwarded-host",
            "--clear-untrusted-proxy-headers",
            "project.wsgi:application",
        ]);
        command.current_dir(&self.site).envs(self.variables());
        let mut held = Held::start("django", &self.python.python(), &self.site, &command)?;
        while UnixStream::connect(&self.socket).await.is_err() {
            tokio::select! {
                ended = held.ended() => {
                    let lines = held.last_lines();
                    return Err(io::Error::other(format!("Django's server ended with {}:\n{lines}", ended?)));
                }
                () = tokio::time::sleep(LOOK) => {}
            }
        }
        Ok(held)
    }

    /// Starts its server anew whenever it ends, until this is told to stop.
    pub(crate) async fn keep(&self, mut held: Held, stop: tokio::sync::oneshot::Receiver<()>) {
        let mut stop = std::pin::pin!(stop);
        let mut pause = LOOK;
        loop {
            tokio::select! {
                _ = stop.as_mut() => return held.end().await,
                ended = held.ended() => match ended {
                    Ok(status) => tracing::error!("Django's server ended with {status}; it is started again"),
                    Err(error) => tracing::error!(%error, "Django's server is lost; it is started again"),
                },
            }
            held = loop {
                tokio::select! {
                    _ = stop.as_mut() => return,
                    () = tokio::time::sleep(pause) => {}
                }
                match self.start().await {
                    Ok(held) => break held,
                    Err(error) => tracing::error!("{error}"),
                }
                pause = (pause * 2).min(LONGEST_PAUSE);
            };
            tracing::info!("Django's server is back");
        }
    }

    fn variables(&self) -> impl Iterator<Item = (&'static str, &Path)> {
        let shared = self.shared.variables().into_iter().map(|(name, value)| (name, Path::new(value)));
        let own = [
            ("SITE_DATA", &*self.data),
            ("CHANNEL_LAYER_URL", Path::new(&self.layer)),
            ("PYTHONDONTWRITEBYTECODE", Path::new("1")),
            ("PYTHONUNBUFFERED", Path::new("1")),
        ];
        shared.chain(own)
    }
}
