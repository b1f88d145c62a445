use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::mpsc::RecvTimeoutError;
use std::time::{Duration, Instant};

use crate::machine::pinned;
use crate::process::Group;

/// How long a server may take to start; Django takes seconds on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// How to start a server.
#[derive(Debug)]
pub(crate) struct Launch {
    program: PathBuf,
    /// `{port}` stands for a free one.
    arguments: Vec<String>,
    directory: Option<PathBuf>,
    pub(crate) environment: Vec<(&'static str, &'static str)>,
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

    /// As it would be typed.
    pub(crate) fn shown(&self) -> String {
        let program = self.program.file_stem().unwrap_or_default().to_string_lossy();
        let arguments = self.arguments.iter().map(|argument| argument.replace("{port}", "<port>"));
        std::iter::once(program.into_owned()).chain(arguments).collect::<Vec<_>>().join(" ")
    }

    pub(crate) fn start(&self) -> Result<Server, String> {
        let port = free_port().map_err(|error| format!("no port is free: {error}"))?;
        let mut command = pinned(0, &self.program);
        command.args(self.arguments.iter().map(|argument| argument.replace("{port}", &port.to_string())));
        command.envs(self.environment.iter().copied());
        if let Some(directory) = &self.directory {
            command.current_dir(directory);
        }
        let mut group = Group::start(&mut command).map_err(|error| format!("cannot start: {error}"))?;
        let address = match self.ready {
            Ready::Prints => printed(&group),
            Ready::Answers => answered(&mut group, SocketAddr::from((Ipv4Addr::LOCALHOST, port))),
        };
        match address {
            Some(address) => Ok(Server { group, address }),
            None => Err(format!("did not start: {}", group.errors().trim())),
        }
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

fn free_port() -> io::Result<u16> {
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
        let server = sh("echo hello; echo listening on http://127.0.0.1:81/; sleep 60").start().unwrap();
        assert_eq!(server.address, "127.0.0.1:81".parse().unwrap());
    }

    #[test]
    fn a_server_that_ends_is_told_with_its_last_words() {
        let said = sh("echo alas >&2").start().unwrap_err();
        assert!(said.contains("did not start"), "{said}");
        let mut answering = sh("sleep 0.2; echo alas >&2");
        answering.ready = Ready::Answers;
        assert_eq!(answering.start().unwrap_err(), "did not start: alas");
    }

    #[test]
    fn a_command_is_shown_without_folders_and_ports() {
        let launch = Launch::new("/somewhere/bin/uvicorn".into(), &["--port", "{port}"]);
        assert_eq!(launch.shown(), "uvicorn --port <port>");
    }
}
