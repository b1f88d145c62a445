mod options;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

pub use options::RedisOptions;

use crate::ports;
use crate::process::Process;
use crate::resp::{Connection, Reply};
use crate::tls::Certificates;
use crate::wait::wait_until;

/// The user, and its password, by which a test rules its server, whatever other users may do.
const CONTROL: &str = "rig";

/// How many ports to try when other programs take them first.
const PORTS: usize = 20;

/// A real Redis, alone on a free port of 127.0.0.1, with a temporary folder; killed when this is dropped.
///
/// ```
/// let Some(redis) = rig::Redis::options().password("secret").start() else { return };
/// assert_eq!(redis.url(), format!("redis://:secret@127.0.0.1:{}/", redis.port()));
/// assert_eq!(redis.cli(&["PING"]), "PONG");
/// ```
#[derive(Debug)]
pub struct Redis {
    options: RedisOptions,
    port: u16,
    certificates: Option<Certificates>,
    // Before its folder, so that it is gone when the folder goes.
    process: Process,
    folder: TempDir,
}

impl Redis {
    /// Starts one as it comes; `None` where there is no `redis-server`.
    ///
    /// # Panics
    ///
    /// As [`RedisOptions::start`].
    #[must_use]
    pub fn start() -> Option<Self> {
        Self::options().start()
    }

    /// Starts one with a password, TLS and so on.
    #[must_use]
    pub fn options() -> RedisOptions {
        RedisOptions::default()
    }

    /// The password of the default user, if it has one.
    pub(crate) fn password(&self) -> Option<&str> {
        self.options.password.as_deref()
    }

    /// Whether this replica has its master's data and gets what is new.
    pub(crate) fn follows(&self) -> bool {
        self.cli(&["INFO", "replication"]).contains("master_link_status:up")
    }

    pub(crate) fn start_with(options: RedisOptions) -> Option<Self> {
        let [program] = programs::need(["redis-server"])?;
        Some(on_free_ports(|| {
            let redis = Self::on(ports::free(), options.clone(), &program);
            redis.launch().then_some(redis)
        }))
    }

    /// How clients reach it: `redis://`, `rediss://` or `unix://`, with the default user's password.
    ///
    /// # Panics
    ///
    /// With a password and [`RedisOptions::unix_socket`]: clients differ in how such a URL is written.
    #[must_use]
    pub fn url(&self) -> String {
        if self.options.socket_only {
            assert!(self.options.password.is_none(), "no common form of URL has a socket and a password");
            return format!("unix://{}", self.socket_path().display());
        }
        self.url_at(self.port)
    }

    /// The same with another port, of something that stands in front of it.
    #[must_use]
    pub fn url_at(&self, port: u16) -> String {
        match &self.options.password {
            Some(password) => self.url_with(&format!(":{password}@"), port),
            None => self.url_with("", port),
        }
    }

    /// How another user reaches it, see [`RedisOptions::acl_user`].
    #[must_use]
    pub fn url_as(&self, name: &str, password: &str) -> String {
        self.url_with(&format!("{name}:{password}@"), self.port)
    }

    /// The TCP port on 127.0.0.1, where it speaks TLS if told so.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The Unix socket, which is always there.
    #[must_use]
    pub fn socket_path(&self) -> PathBuf {
        self.folder.path().join("redis.sock")
    }

    /// The authority that clients have to trust, a PEM file.
    ///
    /// # Panics
    ///
    /// Without [`RedisOptions::tls`].
    #[must_use]
    pub fn ca_path(&self) -> &Path {
        &self.certificates.as_ref().expect("the server was started with tls()").ca
    }

    /// Runs a command and gives the answer as text, as [`Reply`] writes it.
    ///
    /// # Panics
    ///
    /// When the command is refused, or nothing answers for 10 s; with the end of the server's log.
    pub fn cli<T: AsRef<[u8]>>(&self, words: &[T]) -> String {
        match self.reply(words) {
            Reply::Error(text) => panic!("{}: {text}{}", shown(words), self.process.log()),
            reply => reply.to_string(),
        }
    }

    /// Runs a command and gives the answer itself.
    ///
    /// # Panics
    ///
    /// When nothing answers for 10 s; with the end of the server's log.
    pub fn reply<T: AsRef<[u8]>>(&self, words: &[T]) -> Reply {
        let reply = self.control().and_then(|mut control| control.command(words));
        reply.unwrap_or_else(|error| panic!("{}: {error}{}", shown(words), self.process.log()))
    }

    /// A connection with all rights that goes past port, password and TLS, for `MONITOR` and the like.
    ///
    /// # Panics
    ///
    /// When the server does not answer; with the end of its log.
    #[must_use]
    pub fn connection(&self) -> Connection {
        self.control().unwrap_or_else(|error| panic!("no connection: {error}{}", self.process.log()))
    }

    /// Ends it as a crash does (SIGKILL). Nothing when it does not run.
    pub fn kill(&self) {
        self.process.end("KILL");
    }

    /// Ends it as a service manager does (SIGTERM). Nothing when it does not run.
    pub fn stop(&self) {
        if self.process.is_running() {
            // One that is frozen would hear of it only afterwards.
            self.thaw();
        }
        self.process.end("TERM");
    }

    /// Starts it again, on the same port and folder, after [`kill`](Self::kill) or [`stop`](Self::stop) or without.
    ///
    /// # Panics
    ///
    /// When it does not start, with the end of its log.
    pub fn restart(&self) {
        self.stop();
        wait_until("the port of a Redis that was stopped", || self.launch());
    }

    /// Stops it in the midst of whatever it does: its connections stay open and nothing answers (SIGSTOP).
    pub fn freeze(&self) {
        self.process.freeze();
    }

    /// Lets it go on (SIGCONT).
    pub fn thaw(&self) {
        self.process.thaw();
    }

    /// Closes all connections, subscribers too; gives how many there were.
    pub fn client_kill_all(&self) -> u64 {
        let kinds = ["normal", "pubsub"].into_iter();
        kinds.map(|kind| count(&self.cli(&["CLIENT", "KILL", "TYPE", kind, "SKIPME", "yes"]))).sum()
    }

    /// Waits until a channel of Redis' pub/sub has so many subscribers.
    ///
    /// # Panics
    ///
    /// When it has not within [`PATIENCE`](crate::PATIENCE).
    pub fn wait_for_subscribers(&self, channel: &str, subscribers: u64) {
        wait_until(&format!("{subscribers} subscribers of {channel}"), || {
            let reply = self.reply(&["PUBSUB", "NUMSUB", channel]);
            reply.items().get(1).map(|count_of| count(&count_of.to_string())) == Some(subscribers)
        });
    }

    /// Whether it runs and is not frozen.
    #[must_use]
    pub fn answers(&self) -> bool {
        self.process.answers()
    }

    /// Whether it answers and takes writes, of which it says as `ROLE` what it thinks itself.
    #[must_use]
    pub fn is_master(&self) -> bool {
        // It closes all connections, this one too, in the moment in which it becomes a replica.
        let role = |mut control: Connection| control.command(&["ROLE"]);
        let is_master = |role: Reply| role.items().first().is_some_and(|kind| kind.as_bytes() == b"master");
        self.answers() && self.control().and_then(role).is_ok_and(is_master)
    }

    /// The end of its log, to be shown after a text.
    #[must_use]
    pub fn log(&self) -> String {
        self.process.log()
    }

    fn on(port: u16, options: RedisOptions, program: &Path) -> Self {
        let folder = tempfile::Builder::new().prefix("rig-").tempdir();
        let folder = folder.unwrap_or_else(|error| panic!("no temporary folder: {error}"));
        let certificates = options.tls.then(|| Certificates::make_in(folder.path()));
        let conf = folder.path().join("redis.conf");
        fs::write(&conf, options.conf(port, folder.path(), certificates.as_ref()))
            .unwrap_or_else(|error| panic!("cannot write {}: {error}", conf.display()));
        let arguments = vec![conf.display().to_string()];
        let process = Process::new(program, arguments, folder.path().join("redis.log"));
        Self { options, port, certificates, process, folder }
    }

    /// Starts the process; false when its port is taken.
    fn launch(&self) -> bool {
        // It listens on the port before it does so on the socket, and loads its data before it answers.
        let answers = |mut control: Connection| control.command(&["PING"]);
        let pong = Reply::Text(b"PONG".to_vec());
        self.process.start(|| self.control().and_then(answers).is_ok_and(|reply| reply == pong))
    }

    fn control(&self) -> io::Result<Connection> {
        let mut control = Connection::to_socket(&self.socket_path())?;
        match control.command(&["AUTH", CONTROL, CONTROL])? {
            Reply::Error(text) => Err(io::Error::other(text)),
            _ => Ok(control),
        }
    }

    fn url_with(&self, user: &str, port: u16) -> String {
        let scheme = if self.options.tls { "rediss" } else { "redis" };
        format!("{scheme}://{user}127.0.0.1:{port}/")
    }
}

/// Starts what needs free ports until no other program has taken one first.
pub(crate) fn on_free_ports<T>(mut start: impl FnMut() -> Option<T>) -> T {
    let started = (0..PORTS).find_map(|_| start());
    started.unwrap_or_else(|| panic!("in each of {PORTS} tries another program took a port first"))
}

fn count(text: &str) -> u64 {
    text.parse().unwrap_or_else(|_| panic!("Redis counts in numbers, not {text:?}"))
}

fn shown<T: AsRef<[u8]>>(words: &[T]) -> String {
    let words: Vec<_> = words.iter().map(|word| String::from_utf8_lossy(word.as_ref())).collect();
    words.join(" ")
}
