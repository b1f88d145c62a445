use std::fmt::Write;
use std::fs;
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::process::Process;
use crate::resp::{Connection, Reply};
use crate::server::on_free_ports;
use crate::wait::wait_until;
use crate::{Redis, RedisOptions, ports};

const COUNT: usize = 3;

/// A master, its replica, and three Sentinels that watch them, two of which must agree that the master is down.
///
/// They think so after half a second; a failover takes one to three.
///
/// ```no_run
/// let Some(sentinels) = rig::Sentinels::start() else { return };
/// let old = sentinels.kill_master();
/// assert_ne!(sentinels.wait_for_failover(), old);
/// ```
#[derive(Debug)]
pub struct Sentinels {
    servers: [Redis; 2],
    sentinels: Vec<Sentinel>,
}

impl Sentinels {
    /// What the Sentinels call the master.
    pub const MASTER: &str = "mymaster";

    /// Starts them all; `None` where there is no `redis-server`.
    ///
    /// # Panics
    ///
    /// As [`RedisOptions::start`].
    #[must_use]
    pub fn start() -> Option<Self> {
        Self::start_with(Redis::options())
    }

    /// The same with master and replica as told; a password is that of the Sentinels too.
    ///
    /// # Panics
    ///
    /// As [`RedisOptions::start`]; with TLS or only a Unix socket, for which there are no Sentinels here.
    #[must_use]
    pub fn start_with(options: RedisOptions) -> Option<Self> {
        assert!(!options.tls && !options.socket_only, "the Sentinels here watch plain TCP only");
        let [program] = programs::need(["redis-server"])?;
        let options = options.replicated();
        let master = options.clone().start()?;
        let replica = options.config("replicaof", &format!("127.0.0.1 {}", master.port())).start()?;
        wait_until("the replica to follow its master", || replica.follows());
        let servers = [master, replica];
        let sentinels = on_free_ports(|| {
            let places = std::array::from_fn(|_| Place::new());
            let sentinels = (0..COUNT).map(|nth| Sentinel::start(nth, &places, &servers, &program));
            sentinels.collect()
        });
        let this = Self { servers, sentinels };
        for sentinel in &this.sentinels {
            wait_until("a Sentinel to see the others and the replica", || sentinel.sees_all());
        }
        Some(this)
    }

    /// How clients reach each Sentinel.
    #[must_use]
    pub fn urls(&self) -> Vec<String> {
        self.ports().into_iter().map(|port| self.servers[0].url_at(port)).collect()
    }

    /// The ports of the Sentinels on 127.0.0.1.
    #[must_use]
    pub fn ports(&self) -> Vec<u16> {
        self.sentinels.iter().map(|sentinel| sentinel.place.port).collect()
    }

    /// All that channels_redis has to know, as one of its `hosts`.
    #[must_use]
    pub fn python_host(&self) -> Value {
        let addresses: Vec<Value> = self.ports().into_iter().map(|port| json!(["127.0.0.1", port])).collect();
        let mut host = json!({"sentinels": addresses, "master_name": Self::MASTER});
        if let Some(password) = self.servers[0].password() {
            host["password"] = password.into();
            host["sentinel_kwargs"] = json!({"password": password});
        }
        host
    }

    /// The two servers, the first master first; each can be killed, frozen and restarted by itself.
    #[must_use]
    pub fn servers(&self) -> &[Redis; 2] {
        &self.servers
    }

    /// Who is the master now, after a failover that is under way.
    ///
    /// # Panics
    ///
    /// When no server becomes master within [`PATIENCE`](crate::PATIENCE); with what the Sentinels log.
    #[must_use]
    pub fn master(&self) -> &Redis {
        let port = self.wait_for_failover();
        self.server(port)
    }

    /// Kills the master and gives its port. [`Redis::restart`] brings it back, as a replica.
    ///
    /// # Panics
    ///
    /// As [`master`](Self::master).
    pub fn kill_master(&self) -> u16 {
        let master = self.master();
        master.kill();
        master.port()
    }

    /// Waits until the Sentinels that run agree on a master that answers and knows that it is one; gives its port.
    ///
    /// # Panics
    ///
    /// As [`master`](Self::master).
    pub fn wait_for_failover(&self) -> u16 {
        self.wait_for_master(|_| true)
    }

    /// Lets the Sentinels make the replica master while the master is well, and waits for that; gives its port.
    ///
    /// The old master goes on as one: only after some ten seconds do they make it a replica, which closes all its
    /// connections. What it took meanwhile is lost.
    ///
    /// # Panics
    ///
    /// When it is refused, or does not happen within [`PATIENCE`](crate::PATIENCE); with what the Sentinels log.
    pub fn fail_over(&self) -> u16 {
        let old = self.wait_for_failover();
        let sentinel = self.running().next().expect("a Sentinel runs");
        match sentinel.command(&["SENTINEL", "FAILOVER", Self::MASTER]) {
            Ok(Reply::Text(_)) => {}
            other => panic!("no failover: {other:?}{}", sentinel.process.log()),
        }
        self.wait_for_master(|port| port != old)
    }

    /// Kills one of the three Sentinels, counted from 0.
    pub fn kill_sentinel(&self, nth: usize) {
        self.sentinels[nth].process.end("KILL");
    }

    fn wait_for_master(&self, is_right: impl Fn(u16) -> bool) -> u16 {
        let mut found = 0;
        let holds = || {
            let mut named = self.running().map(Sentinel::master);
            let Some(first) = named.next().flatten() else { return false };
            found = first;
            is_right(first) && named.all(|port| port == Some(first)) && self.server(first).is_master()
        };
        if !crate::wait::holds_within(crate::PATIENCE, holds) {
            let logs: String = self.running().map(|sentinel| sentinel.process.log()).collect();
            panic!("no new master within {:?}{logs}", crate::PATIENCE);
        }
        found
    }

    fn running(&self) -> impl Iterator<Item = &Sentinel> {
        self.sentinels.iter().filter(|sentinel| sentinel.process.answers())
    }

    fn server(&self, port: u16) -> &Redis {
        let server = self.servers.iter().find(|server| server.port() == port);
        server.unwrap_or_else(|| panic!("port {port} is none of the servers'"))
    }
}

/// What a Sentinel is known by.
#[derive(Clone, Debug)]
struct Place {
    port: u16,
    id: String,
}

impl Place {
    fn new() -> Self {
        let port = ports::free();
        // 40 hexadecimal digits, other ones for each Sentinel.
        Self { port, id: format!("{:016x}{port:024x}", RandomState::new().hash_one(port)) }
    }
}

#[derive(Debug)]
struct Sentinel {
    place: Place,
    password: Option<String>,
    process: Process,
    _folder: TempDir,
}

impl Sentinel {
    /// Starts one; `None` when its port is taken.
    fn start(nth: usize, places: &[Place; COUNT], servers: &[Redis; 2], program: &Path) -> Option<Self> {
        let folder = tempfile::Builder::new().prefix("rig-").tempdir();
        let folder = folder.unwrap_or_else(|error| panic!("no temporary folder: {error}"));
        let path = folder.path().join("sentinel.conf");
        fs::write(&path, conf(nth, places, servers, folder.path()))
            .unwrap_or_else(|error| panic!("cannot write {}: {error}", path.display()));
        let arguments = vec![path.display().to_string(), "--sentinel".to_owned()];
        let process = Process::new(program, arguments, folder.path().join("sentinel.log"));
        let password = servers[0].password().map(str::to_owned);
        let this = Self { place: places[nth].clone(), password, process, _folder: folder };
        let pong = Reply::Text(b"PONG".to_vec());
        this.process.start(|| this.command(&["PING"]).is_ok_and(|reply| reply == pong)).then_some(this)
    }

    fn command(&self, words: &[&str]) -> io::Result<Reply> {
        let mut connection = Connection::to_port(self.place.port)?;
        if let Some(password) = &self.password {
            connection.command(&["AUTH", password])?;
        }
        connection.command(words)
    }

    /// The port that it has for the master.
    fn master(&self) -> Option<u16> {
        let reply = self.command(&["SENTINEL", "GET-MASTER-ADDR-BY-NAME", Sentinels::MASTER]).ok()?;
        reply.items().get(1)?.to_string().parse().ok()
    }

    /// Whether it could see a failover through: two other Sentinels and a replica are there and well.
    fn sees_all(&self) -> bool {
        let all_are = |what: &str, count: usize, flags: &str| {
            let reply = self.command(&["SENTINEL", what, Sentinels::MASTER]);
            let are = |one: &Reply| {
                let fields = one.items().chunks(2);
                fields
                    .into_iter()
                    .any(|field| field[0].as_bytes() == b"flags" && field[1].as_bytes() == flags.as_bytes())
            };
            reply.is_ok_and(|reply| reply.items().len() == count && reply.items().iter().all(are))
        };
        all_are("SENTINELS", COUNT - 1, "sentinel") && all_are("REPLICAS", 1, "slave")
    }
}

/// What a Sentinel would have written itself after it had found all others, which takes it seconds.
fn conf(nth: usize, places: &[Place; COUNT], servers: &[Redis; 2], folder: &Path) -> String {
    let (name, folder) = (Sentinels::MASTER, folder.display());
    let Place { port, id } = &places[nth];
    let [master, replica] = servers.each_ref().map(Redis::port);
    let mut conf = format!(
        "port {port}\nbind 127.0.0.1\ndir {folder}\nlogfile {folder}/sentinel.log\n\
         sentinel myid {id}\n\
         sentinel monitor {name} 127.0.0.1 {master} 2\n\
         sentinel down-after-milliseconds {name} 500\n\
         sentinel failover-timeout {name} 2000\n\
         sentinel known-replica {name} 127.0.0.1 {replica}\n"
    );
    let mut line = |text: String| writeln!(conf, "{text}").expect("a string takes all text");
    for other in places.iter().filter(|place| place.port != *port) {
        line(format!("sentinel known-sentinel {name} 127.0.0.1 {} {}", other.port, other.id));
    }
    if let Some(password) = servers[0].password() {
        line(format!("requirepass {password}\nsentinel sentinel-pass {password}"));
        line(format!("sentinel auth-pass {name} {password}"));
    }
    conf
}
