use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::mpsc::RecvTimeoutError;
use std::time::{Duration, Instant};

use crate::machine::pinned;
use crate::process::Group;
use crate::redis::Redis;

/// How long a server may take to start; Django takes seconds on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// How to start a server.
#[derive(Debug, Clone)]
pub(crate) struct Launch {
    program: PathBuf,
    /// `{port}` stands for a free one, `{redis}` for where Redis is.
    arguments: Vec<String>,
    directory: Option<PathBuf>,
    environment: Vec<(&'static str, String)>,
    pub(crate) ready: Ready,
}

/// How a server shows that it serves.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Ready {
    /// It prints `listening on http://<address>/`, with a port that it chose.
    Prints,
    /// It answers HTTP at the port that it was given.
    Answers,
}

/// A server on the first core; ended when dropped.
#[derive(Debug)]
pub(crate) struct Server {
    group: Group,
    pub(crate) address: SocketAddr,
}

impl Launch {
    pub(crate) fn new(program: PathBuf, arguments: &[&str]) -> Self {
        let arguments = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        Self { program, arguments, directory: None, environment: Vec::new(), ready: Ready::Prints }
    }

    pub(crate) fn at(self, directory: PathBuf) -> Self {
        Self { directory: Some(directory), ..self }
    }

    /// With one more variable in its environment, in which `{redis}` stands for where Redis is.
    pub(crate) fn with(mut self, name: &'static str, value: &str) -> Self {
        self.environment.push((name, value.to_owned()));
        self
    }

    /// With more arguments.
    pub(crate) fn and(mut self, arguments: impl IntoIterator<Item = String>) -> Self {
        self.arguments.extend(arguments);
        self
    }

    /// As it would be typed.
    pub(crate) fn shown(&self) -> String {
        let program = self.program.file_stem().unwrap_or_default().to_string_lossy();
        let shown = |text: &String| text.replace("{port}", "<port>").replace("{redis}", "<redis>");
        let own = |name: &str| name != "PYTHONDONTWRITEBYTECODE" && name != "NODE_ENV";
        let environment = self.environment.iter().filter(|(name, _)| own(name));
        let environment = environment.map(|(name, value)| format!("{name}={}", shown(value)));
        let command = std::iter::once(program.into_owned()).chain(self.arguments.iter().map(shown));
        environment.chain(command).collect::<Vec<_>>().join(" ")
    }

    /// Starts it, beside Redis where it needs one.
    pub(crate) fn start(&self, redis: Option<&Redis>) -> Result<Server, String> {
        let port = free_port().map_err(|error| format!("no port is free: {error}"))?;
        let mut group = self.run(0, port, redis)?;
        let address = match self.ready {
            Ready::Prints => printed(&group),
            Ready::Answers => answered(&mut group, SocketAddr::from((Ipv4Addr::LOCALHOST, port))),
        };
        match address {
            Some(address) => Ok(Server { group, address }),
            None => Err(format!("did not start: {}", group.errors().trim())),
        }
    }

    /// Starts it on this core as a program that is no server.
    pub(crate) fn start_beside(&self, core: usize, redis: Option<&Redis>) -> Result<Group, String> {
        self.run(core, 0, redis)
    }

    fn run(&self, core: usize, port: u16, redis: Option<&Redis>) -> Result<Group, String> {
        let redis = redis.map_or_else(String::new, |redis| redis.address.to_string());
        let filled = |text: &String| text.replace("{port}", &port.to_string()).replace("{redis}", &redis);
        let mut command = pinned(core, &self.program);
        command.args(self.arguments.iter().map(filled));
        command.envs(self.environment.iter().map(|(name, value)| (name, filled(value))));
        if let Some(directory) = &self.directory {
            command.current_dir(directory);
        }
        Group::start(&mut command).map_err(|error| format!("cannot start: {error}"))
    }
}

impl Server {
    /// All its processes. `taskset` becomes the server, so it is none of them.
    pub(crate) fn pids(&self) -> Vec<u32> {
        self.group.pids()
    }
}

fn printed(group: &Group) -> Option<SocketAddr> {
    let end = Instant::now() + PATIENCE;
    loop {
        match group.lines.recv_timeout(end.saturating_duration_since(Instant::now())) {
            Ok(line) => {
                if let Some(address) = address_in(&line) {
                    return Some(address);
                }
            }
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return None,
        }
    }
}

fn address_in(line: &str) -> Option<SocketAddr> {
    line.trim().strip_prefix("listening on http://")?.trim_end_matches('/').parse().ok()
}

/// A socket that accepts is not enough: the process behind it, whose cost counts, may not have started yet.
fn answered(group: &mut Group, address: SocketAddr) -> Option<SocketAddr> {
    let end = Instant::now() + PATIENCE;
    while Instant::now() < end && group.ended().is_none() {
        if answers(address).is_ok() {
            return Some(address);
        }
        // A refused connection is no event to wait for.
        std::thread::sleep(Duration::from_millis(20));
    }
    None
}

fn answers(address: SocketAddr) -> io::Result<()> {
    let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(1))?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
    let mut start = [0; 5];
    stream.read_exact(&mut start)?;
    if start == *b"HTTP/" { Ok(()) } else { Err(io::ErrorKind::InvalidData.into()) }
}

pub(crate) fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sh(script: &str) -> Launch {
        Launch::new("/bin/sh".into(), &["-c", script])
    }

    #[test]
    fn a_server_is_ready_when_it_prints_its_address() {
        let server = sh("echo hello; echo listening on http://127.0.0.1:81/; sleep 60").start(None).unwrap();
        assert_eq!(server.address, "127.0.0.1:81".parse().unwrap());
    }

    #[test]
    fn a_server_that_ends_is_told_with_its_last_words() {
        let said = sh("echo alas >&2").start(None).unwrap_err();
        assert!(said.contains("did not start"), "{said}");
        let mut answering = sh("sleep 0.2; echo alas >&2");
        answering.ready = Ready::Answers;
        assert_eq!(answering.start(None).unwrap_err(), "did not start: alas");
    }

    #[test]
    fn a_command_is_shown_without_folders_and_ports() {
        let launch = Launch::new("/somewhere/bin/uvicorn".into(), &["--port", "{port}"]);
        assert_eq!(launch.shown(), "uvicorn --port <port>");
        let launch = launch.with("NODE_ENV", "production").with("REDIS", "redis://{redis}");
        assert_eq!(launch.and(["on".to_owned()]).shown(), "REDIS=redis://<redis> uvicorn --port <port> on");
    }
}
