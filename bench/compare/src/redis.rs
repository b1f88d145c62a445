use std::io::{self, BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::launch::free_port;
use crate::machine::{beside_the_servers, first_line, pinned};
use crate::process::Group;

const PROGRAM: &str = "redis-server";

/// How long it may take to start, or to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// A Redis that keeps nothing on disk, for all servers that need one; ended when dropped.
#[derive(Debug)]
pub(crate) struct Redis {
    group: Group,
    pub(crate) address: SocketAddr,
}

impl Redis {
    pub(crate) fn start() -> Result<Self, String> {
        version().ok_or("there is no redis-server; cargo xtask bench installs it")?;
        let port = free_port().map_err(|error| format!("no port is free: {error}"))?;
        let mut command = pinned(beside_the_servers(), Path::new(PROGRAM));
        command.args([
            "--port",
            &port.to_string(),
            "--bind",
            "127.0.0.1",
            "--save",
            "",
            "--appendonly",
            "no",
        ]);
        command.args(["--daemonize", "no", "--dir"]).arg(std::env::temp_dir());
        let mut group = Group::start(&mut command).map_err(|error| format!("cannot start redis: {error}"))?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let end = Instant::now() + PATIENCE;
        while Instant::now() < end && group.ended().is_none() {
            if ask(address, "PING").is_ok_and(|answer| answer == "+PONG") {
                return Ok(Self { group, address });
            }
            // A refused connection is no event to wait for.
            std::thread::sleep(Duration::from_millis(10));
        }
        Err(format!("redis did not start: {}", group.errors().trim()))
    }

    /// Empties it, so that nobody has what another left behind.
    pub(crate) fn flush(&self) -> Result<(), String> {
        match ask(self.address, "FLUSHALL") {
            Ok(answer) if answer == "+OK" => Ok(()),
            Ok(answer) => Err(format!("redis was not emptied: {answer}")),
            Err(error) => Err(format!("redis was not emptied: {error}")),
        }
    }

    pub(crate) fn pids(&self) -> Vec<u32> {
        self.group.pids()
    }
}

/// As `Redis 7.2.4`.
pub(crate) fn version() -> Option<String> {
    let line = first_line(Command::new(PROGRAM).arg("--version"))?;
    let version = line.split_whitespace().find_map(|word| word.strip_prefix("v="))?;
    Some(format!("Redis {version}"))
}

/// The first line of what it answers.
fn ask(address: SocketAddr, command: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(format!("{command}\r\n").as_bytes())?;
    let mut answer = String::new();
    BufReader::new(stream).read_line(&mut answer)?;
    Ok(answer.trim_end().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_starts_empty_is_emptied_again_and_ends_with_its_guard() {
        if version().is_none() {
            eprintln!("left out: redis-server not found");
            return;
        }
        let redis = Redis::start().unwrap();
        assert_eq!(ask(redis.address, "SET a b").unwrap(), "+OK");
        redis.flush().unwrap();
        assert_eq!(ask(redis.address, "DBSIZE").unwrap(), ":0");
        let address = redis.address;
        assert_eq!(redis.pids().len(), 1);
        drop(redis);
        assert!(TcpStream::connect(address).is_err());
    }
}
