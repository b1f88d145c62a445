//! The servers that take part: one table, one row each.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::build::{Programs, peers};
use crate::launch::{Launch, Ready};
use crate::machine::first_line;
use crate::on_redis::ON_REDIS;

/// A server that can be measured.
#[derive(Debug)]
pub(crate) struct Row {
    /// Its name on the command line and in the results.
    pub(crate) key: &'static str,
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    pub(crate) pace: Pace,
    pub(crate) dialect: Dialect,
    /// Whether messages may overtake each other in it, which is then no sign that it is broken.
    pub(crate) overtakes: bool,
    pub(crate) layer: Layer,
    /// How many processes of it are one system.
    pub(crate) nodes: usize,
    /// How to start it; the error says what is missing.
    pub(crate) launch: fn(&Programs) -> Result<Launch, String>,
    pub(crate) version: fn(&Programs) -> Option<String>,
}

/// How much of the work a server gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pace {
    /// All workloads, all rounds.
    Fast,
    /// Only those workloads, for a shorter time, that it gets through at all.
    Slow,
    /// No server, but what the system calls alone cost: only where that means something.
    Floor { batched: bool },
}

/// What is between the processes of a server, or could be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layer {
    /// Nothing but memory.
    Memory,
    /// Redis' publish and subscribe.
    PubSub,
    /// Redis' sorted sets.
    Core,
}

/// How a client talks to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// `{"message": "…"}` at the paths of the tutorial of Django Channels.
    Json,
    /// Socket.IO, which has one path and joins by a message.
    SocketIo,
}

/// What the others are compared with, by key.
pub(crate) const OURS: &str = "narrows";
pub(crate) const BUN: &str = "bun";
pub(crate) const AXUM: &str = "axum";
pub(crate) const CHANNELS: &[&str] = &["channels-daphne", "channels-uvicorn", "channels-granian"];

/// How uvicorn is started, on whatever layer.
pub(crate) const CHANNELS_ON_UVICORN: &str = "--host 127.0.0.1 --port {port} --loop uvloop --http httptools --ws-per-message-deflate false --lifespan off \
     --no-access-log --log-level warning --backlog 65535 chat:application";

const SERVERS: &[Row] = &[
    Row {
        key: OURS,
        name: "Narrows",
        about: "a typed consumer that reads and writes JSON, through the in-memory channel layer \
                (`examples/endpoints`)",
        pace: Pace::Fast,
        dialect: Dialect::Json,
        overtakes: false,
        layer: Layer::Memory,
        nodes: 1,
        launch: |programs| Ok(Launch::new(programs.built("endpoints"), &["--bind", "127.0.0.1:0"])),
        version: |_| Some(format!("narrows {}", env!("CARGO_PKG_VERSION"))),
    },
    Row {
        key: BUN,
        name: "Bun publish/subscribe",
        about: "uWebSockets' topics; text passes through as it is (`bench/peers/javascript/bun.js`)",
        pace: Pace::Fast,
        dialect: Dialect::Json,
        overtakes: false,
        layer: Layer::Memory,
        nodes: 1,
        launch: |programs| script(programs, bun(programs)?, "bun.js"),
        version: |programs| {
            Some(format!("Bun {}", first_line(Command::new(bun(programs).ok()?).arg("--version"))?))
        },
    },
    Row {
        key: "ws",
        name: "Node ws",
        about: "a loop over the sockets of the room; text passes through (`bench/peers/javascript/ws.js`)",
        pace: Pace::Fast,
        dialect: Dialect::Json,
        overtakes: false,
        layer: Layer::Memory,
        nodes: 1,
        launch: |programs| {
            let node = first_line(Command::new("node").arg("--version"));
            node.ok_or_else(|| format!("there is no node; {INSTALL}"))?;
            script(programs, "node".into(), "ws.js")
        },
        version: |programs| {
            let package = fs::read(programs.installed("javascript/node_modules/ws/package.json")).ok()?;
            let package: serde_json::Value = serde_json::from_slice(&package).ok()?;
            let node = first_line(Command::new("node").arg("--version"))?;
            Some(format!("ws {}, Node {}", package["version"].as_str()?, node.trim_start_matches('v')))
        },
    },
    Row {
        key: AXUM,
        name: "axum's chat example",
        about: "a `tokio::sync::broadcast` channel a room, two tasks a socket; text passes through \
                (`bench/peers/axum-chat`)",
        pace: Pace::Fast,
        dialect: Dialect::Json,
        overtakes: false,
        layer: Layer::Memory,
        nodes: 1,
        launch: |programs| Ok(Launch::new(programs.peer("axum-chat"), &["127.0.0.1:0"])),
        version: |_| locked(&["axum", "tokio"]),
    },
    Row {
        key: "socketioxide",
        name: "socketioxide",
        about: "Socket.IO's rooms, over WebSocket from the start; each message is handled by a task of its own, so one may \
                overtake another (`bench/peers/socketioxide-chat`)",
        pace: Pace::Fast,
        dialect: Dialect::SocketIo,
        overtakes: true,
        layer: Layer::Memory,
        nodes: 1,
        launch: |programs| Ok(Launch::new(programs.peer("socketioxide-chat"), &["127.0.0.1:0"])),
        version: |_| locked(&["socketioxide", "axum"]),
    },
    Row {
        key: CHANNELS[0],
        name: "Channels on daphne",
        about: "the tutorial's asynchronous consumer, in-memory layer (`bench/peers/channels`)",
        pace: Pace::Slow,
        dialect: Dialect::Json,
        overtakes: false,
        layer: Layer::Memory,
        nodes: 1,
        launch: |programs| {
            channels(programs, "daphne", "-v 0 --no-server-name -b 127.0.0.1 -p {port} chat:application")
        },
        version: |programs| python(programs, &["channels", "Django", "daphne", "Twisted"]),
    },
    Row {
        key: CHANNELS[1],
        name: "Channels on uvicorn",
        about: "the same on uvicorn, one worker, uvloop and httptools",
        pace: Pace::Slow,
        dialect: Dialect::Json,
        overtakes: false,
        layer: Layer::Memory,
        nodes: 1,
        launch: |programs| channels(programs, "uvicorn", CHANNELS_ON_UVICORN),
        version: |programs| {
            python(programs, &["channels", "Django", "uvicorn", "uvloop", "httptools", "websockets"])
        },
    },
    Row {
        key: CHANNELS[2],
        name: "Channels on granian",
        about: "the same on granian, one worker, uvloop",
        pace: Pace::Slow,
        dialect: Dialect::Json,
        overtakes: false,
        layer: Layer::Memory,
        nodes: 1,
        // Its back pressure counts open WebSockets, so it has to be more than there will be.
        launch: |programs| {
            channels(
                programs,
                "granian",
                "--host 127.0.0.1 --port {port} --interface asginl --workers 1 --loop uvloop --no-access-log \
                 --log-level warning --backlog 65535 --backpressure 65535 chat:application",
            )
        },
        version: |programs| python(programs, &["channels", "Django", "granian", "uvloop"]),
    },
    Row {
        key: "floor",
        name: "one `send` each",
        about: "no server but a floor: one thread, one system call for each member and message (`bench/peers/floor`)",
        pace: Pace::Floor { batched: false },
        dialect: Dialect::Json,
        overtakes: false,
        layer: Layer::Memory,
        nodes: 1,
        launch: |programs| Ok(Launch::new(programs.peer("floor"), &["127.0.0.1:0"])),
        version: |_| locked(&["mio"]),
    },
    Row {
        key: "floor-batched",
        name: "one `send` each, batched",
        about: "the floor again, but what is due at once goes out together",
        pace: Pace::Floor { batched: true },
        dialect: Dialect::Json,
        overtakes: false,
        layer: Layer::Memory,
        nodes: 1,
        launch: |programs| Ok(Launch::new(programs.peer("floor"), &["127.0.0.1:0", "batched"])),
        version: |_| locked(&["mio"]),
    },
];

/// All rows, in the order in which they take their turns.
pub(crate) fn all() -> impl Iterator<Item = &'static Row> {
    SERVERS.iter().chain(ON_REDIS)
}

/// The row with this key.
pub(crate) fn find(key: &str) -> Option<&'static Row> {
    all().find(|row| row.key == key)
}

const INSTALL: &str = "cargo xtask bench installs it";

impl Layer {
    /// As programs and their settings know the two on Redis.
    pub(crate) fn kind(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::PubSub => "pubsub",
            Self::Core => "core",
        }
    }
}

impl Dialect {
    /// As `narrows bench --envelope` knows it.
    pub(crate) fn envelope(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::SocketIo => "socket-io",
        }
    }

    /// Where a room is; `room` may stand for many, as `{n}`.
    pub(crate) fn room(self, room: &str) -> String {
        match self {
            Self::Json => format!("/ws/chat/{room}/"),
            Self::SocketIo => SOCKET_IO.to_owned(),
        }
    }

    pub(crate) fn echo(self) -> &'static str {
        match self {
            Self::Json => "/ws/echo/",
            Self::SocketIo => SOCKET_IO,
        }
    }
}

const SOCKET_IO: &str = "/socket.io/?EIO=4&transport=websocket";

/// Bun, wherever its package has put it: its installation moves the program, but may not have been allowed to run.
fn bun(programs: &Programs) -> Result<PathBuf, String> {
    let modules = programs.installed("javascript/node_modules");
    let platforms = fs::read_dir(modules.join("@oven")).into_iter().flatten().flatten();
    let mut places: Vec<PathBuf> = platforms.map(|platform| platform.path().join("bin/bun")).collect();
    places.push(modules.join("bun/bin/bun.exe"));
    // There may be one for older processors beside the usual one: the first that runs here.
    places.sort();
    let found = places.into_iter().find(|place| first_line(Command::new(place).arg("--version")).is_some());
    found.ok_or_else(|| format!("there is no bun; {INSTALL}"))
}

/// A script, copied to the modules that it imports.
fn script(programs: &Programs, program: PathBuf, name: &str) -> Result<Launch, String> {
    let folder = programs.installed("javascript");
    if !folder.join("node_modules").exists() {
        return Err(format!("its packages are missing; {INSTALL}"));
    }
    fs::copy(peers().join("javascript").join(name), folder.join(name))
        .map_err(|error| format!("{name}: {error}"))?;
    Ok(Launch::new(program, &[name]).at(folder).with("NODE_ENV", "production"))
}

pub(crate) fn channels(programs: &Programs, server: &str, arguments: &str) -> Result<Launch, String> {
    let program = programs.installed("venv/bin").join(server);
    if !program.exists() {
        return Err(format!("there is no {server}; {INSTALL}"));
    }
    let arguments: Vec<&str> = arguments.split_whitespace().collect();
    let mut launch = Launch::new(program, &arguments).at(peers().join("channels"));
    launch.ready = Ready::Answers;
    Ok(launch.with("PYTHONDONTWRITEBYTECODE", "1"))
}

/// Versions of Python packages, and of Python.
pub(crate) fn python(programs: &Programs, packages: &[&str]) -> Option<String> {
    const SCRIPT: &str = "import platform, sys; from importlib.metadata import version; \
                          print(', '.join([f'{p} {version(p)}' for p in sys.argv[1:]] + \
                          ['Python ' + platform.python_version()]))";
    first_line(Command::new(programs.installed("venv/bin/python")).args(["-c", SCRIPT]).args(packages))
}

/// Versions of crates, as the peers' lock file has them.
fn locked(crates: &[&str]) -> Option<String> {
    let lock = fs::read_to_string(peers().join("Cargo.lock")).ok()?;
    let versions: Option<Vec<String>> = crates.iter().map(|name| version_in(&lock, name)).collect();
    Some(versions?.join(", "))
}

fn version_in(lock: &str, name: &str) -> Option<String> {
    let rest = lock.split_once(&format!("name = \"{name}\"\nversion = \""))?.1;
    Some(format!("{name} {}", rest.split('"').next()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::on_redis::{CHANNELS_CORE, CHANNELS_PUBSUB, CORE, PUBSUB, TWO_NODES};

    #[test]
    fn the_keys_are_those_that_ratios_and_goals_name() {
        let on_redis = [PUBSUB, CORE, TWO_NODES, CHANNELS_PUBSUB, CHANNELS_CORE];
        for named in [OURS, BUN, AXUM].iter().chain(CHANNELS).chain(&on_redis) {
            assert!(find(named).is_some(), "{named}");
        }
        let mut keys: Vec<&str> = all().map(|row| row.key).collect();
        keys.sort_unstable();
        let mut once = keys.clone();
        once.dedup();
        assert_eq!(once, keys);
    }

    #[test]
    fn versions_are_read_off_the_lock_file() {
        let lock = "[[package]]\nname = \"axum-core\"\nversion = \"0.5.6\"\n\n[[package]]\nname = \"axum\"\nversion = \"0.8.9\"\n";
        assert_eq!(version_in(lock, "axum").as_deref(), Some("axum 0.8.9"));
        assert_eq!(version_in(lock, "tokio"), None);
        assert!(locked(&["axum", "socketioxide", "mio"]).is_some());
    }
}
