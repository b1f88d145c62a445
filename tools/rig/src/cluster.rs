use crate::resp::Reply;
use crate::wait::holds_within;
use crate::{PATIENCE, Redis, RedisOptions};

const MASTERS: usize = 3;
const SLOTS: usize = 16_384;

/// A Redis Cluster of three masters with a replica each. A node is down for the others after a second.
///
/// The same node must not take over twice within five seconds: in Redis 7.0 the votes of the first time still count, it
/// believes that it has won, nobody else does, and the cluster stays down.
///
/// ```no_run
/// let Some(cluster) = rig::Cluster::start() else { return };
/// let old = cluster.kill_master_of("asgi:group:room");
/// assert_ne!(cluster.wait_for_failover("asgi:group:room"), old);
/// ```
#[derive(Debug)]
pub struct Cluster {
    nodes: Vec<Redis>,
}

impl Cluster {
    /// Starts it, and returns when all nodes say that all is well; `None` where there is no `redis-server`.
    ///
    /// # Panics
    ///
    /// As [`RedisOptions::start`].
    #[must_use]
    pub fn start() -> Option<Self> {
        Self::start_with(Redis::options())
    }

    /// The same with all nodes as told.
    ///
    /// # Panics
    ///
    /// As [`RedisOptions::start`]; with TLS or only a Unix socket, which cannot be had here.
    #[must_use]
    pub fn start_with(options: RedisOptions) -> Option<Self> {
        assert!(!options.tls && !options.socket_only, "the cluster here speaks plain TCP only");
        let options = options
            .replicated()
            .config("cluster-enabled", "yes")
            .config("cluster-node-timeout", "1000")
            .config("cluster-replica-validity-factor", "0")
            .config("cluster-allow-replica-migration", "no");
        let nodes: Option<Vec<Redis>> = (0..MASTERS * 2).map(|_| options.clone().start()).collect();
        let this = Self { nodes: nodes? };
        this.form();
        Some(this)
    }

    /// How clients reach each node.
    #[must_use]
    pub fn urls(&self) -> Vec<String> {
        self.nodes.iter().map(Redis::url).collect()
    }

    /// All nodes; each can be killed, frozen and restarted by itself.
    #[must_use]
    pub fn nodes(&self) -> &[Redis] {
        &self.nodes
    }

    /// The slot of a key: 0 to 16383.
    ///
    /// # Panics
    ///
    /// When no node answers.
    #[must_use]
    pub fn slot_of(&self, key: &str) -> u16 {
        let slot = self.any().cli(&["CLUSTER", "KEYSLOT", key]);
        slot.parse().expect("a slot is a number")
    }

    /// The master of a key, after a failover that is under way.
    ///
    /// # Panics
    ///
    /// As [`wait_for_failover`](Self::wait_for_failover).
    #[must_use]
    pub fn master_of(&self, key: &str) -> &Redis {
        self.node(self.wait_for_failover(key))
    }

    /// A replica of the master of a key that follows it, also one that only just comes back.
    ///
    /// # Panics
    ///
    /// When there is none within [`PATIENCE`]; with what the nodes log.
    #[must_use]
    pub fn replica_of(&self, key: &str) -> &Redis {
        let (master, slot) = (self.master_of(key), self.slot_of(key));
        let mut found = None;
        self.wait(&format!("a replica of the node on port {}", master.port()), || {
            found = self.owners(master, slot).get(1).map(|port| self.node(*port));
            found.is_some_and(|replica| replica.answers() && replica.follows())
        });
        found.expect("it was waited for")
    }

    /// Kills the master of a key and gives its port. [`Redis::restart`] brings it back, as a replica.
    ///
    /// # Panics
    ///
    /// As [`wait_for_failover`](Self::wait_for_failover).
    pub fn kill_master_of(&self, key: &str) -> u16 {
        let master = self.master_of(key);
        master.kill();
        master.port()
    }

    /// Waits until all nodes that answer agree on a master of this key that answers too, and [all is
    /// well](Self::wait_until_ok); gives its port.
    ///
    /// # Panics
    ///
    /// When that does not come within [`PATIENCE`]; with what the nodes log.
    pub fn wait_for_failover(&self, key: &str) -> u16 {
        self.wait_for_owner(self.slot_of(key), |_| true)
    }

    /// Makes a replica master of a key while the master is well, and waits for that; gives its port.
    ///
    /// # Panics
    ///
    /// When there is no replica, or it does not happen within [`PATIENCE`]; with what the nodes log.
    pub fn fail_over(&self, key: &str) -> u16 {
        let (master, replica) = (self.master_of(key).port(), self.replica_of(key));
        replica.cli(&["CLUSTER", "FAILOVER"]);
        self.wait_for_owner(self.slot_of(key), |owner| owner != master)
    }

    /// Moves the slot of a key, with all that is in it, to another master, and returns the port of that when all nodes
    /// know.
    ///
    /// # Panics
    ///
    /// When a node refuses, or does not come to know within [`PATIENCE`]; with its log.
    pub fn migrate_slot(&self, key: &str) -> u16 {
        let target = self.begin_migration(key);
        self.finish_migration(key, target);
        target
    }

    /// The first half of [`migrate_slot`](Self::migrate_slot): gives the port of the master to which
    /// [`finish_migration`](Self::finish_migration) is to move the slot. Until then the old one answers `ASK` for keys
    /// that it does not have.
    ///
    /// # Panics
    ///
    /// When a node refuses; with its log.
    pub fn begin_migration(&self, key: &str) -> u16 {
        let (slot, source) = (self.slot_of(key).to_string(), self.master_of(key));
        let other = self.nodes.iter().find(|node| node.port() != source.port() && node.is_master());
        let target = other.unwrap_or_else(|| panic!("there is no other master{}", source.log()));
        target.cli(&["CLUSTER", "SETSLOT", &slot, "IMPORTING", &id(source)]);
        source.cli(&["CLUSTER", "SETSLOT", &slot, "MIGRATING", &id(target)]);
        target.port()
    }

    /// The second half of [`migrate_slot`](Self::migrate_slot).
    ///
    /// # Panics
    ///
    /// As [`migrate_slot`](Self::migrate_slot).
    pub fn finish_migration(&self, key: &str, target: u16) {
        let (slot, source, target) = (self.slot_of(key), self.master_of(key), self.node(target));
        let number = slot.to_string();
        loop {
            let keys = source.reply(&["CLUSTER", "GETKEYSINSLOT", &number, "100"]);
            if keys.items().is_empty() {
                break;
            }
            let port = target.port().to_string();
            let mut command: Vec<&[u8]> = vec![b"MIGRATE", b"127.0.0.1", port.as_bytes(), b"", b"0", b"5000"];
            if let Some(password) = target.password() {
                command.extend([&b"AUTH"[..], password.as_bytes()]);
            }
            command.push(b"KEYS");
            command.extend(keys.items().iter().map(Reply::as_bytes));
            source.cli(&command);
        }
        // The new owner first: so no node sends anybody to one that does not take it yet.
        let others = self.nodes.iter().filter(|node| node.port() != target.port() && node.answers());
        for node in std::iter::once(target).chain(others) {
            // Only masters take it; replicas hear of it from theirs.
            if node.is_master() {
                node.cli(&["CLUSTER", "SETSLOT", &number, "NODE", &id(target)]);
            }
        }
        self.wait_for_owner(slot, |owner| owner == target.port());
    }

    /// Waits until all nodes that answer say `cluster_state:ok`.
    ///
    /// # Panics
    ///
    /// When they do not within [`PATIENCE`]; with what they log.
    pub fn wait_until_ok(&self) {
        self.wait("cluster_state:ok", || self.answering().all(is_ok));
    }

    /// Makes one cluster of the nodes.
    fn form(&self) {
        let (masters, replicas) = self.nodes.split_at(MASTERS);
        for (nth, master) in masters.iter().enumerate() {
            let (first, last) = (SLOTS * nth / MASTERS, SLOTS * (nth + 1) / MASTERS - 1);
            master.cli(&["CLUSTER", "ADDSLOTSRANGE", &first.to_string(), &last.to_string()]);
        }
        for (nth, node) in self.nodes.iter().enumerate() {
            // A node takes one only before it knows any other.
            node.cli(&["CLUSTER", "SET-CONFIG-EPOCH", &(nth + 1).to_string()]);
        }
        for (nth, node) in self.nodes.iter().enumerate() {
            // Each with each, so that nobody waits for gossip.
            for other in &self.nodes[nth + 1..] {
                node.cli(&["CLUSTER", "MEET", "127.0.0.1", &other.port().to_string()]);
            }
        }
        self.wait("all nodes to know each other", || {
            self.nodes.iter().all(|node| knows(node, self.nodes.len()))
        });
        for (master, replica) in masters.iter().zip(replicas) {
            replica.cli(&["CLUSTER", "REPLICATE", &id(master)]);
        }
        self.wait("the replicas to follow", || replicas.iter().all(Redis::follows));
        let starts = (0..MASTERS).map(|nth| u16::try_from(SLOTS * nth / MASTERS).expect("a slot fits"));
        let starts: Vec<u16> = starts.collect();
        self.wait("a cluster that is well", || {
            let complete = |node: &Redis| starts.iter().all(|slot| self.owners(node, *slot).len() == 2);
            self.nodes.iter().all(|node| is_ok(node) && complete(node))
        });
    }

    /// Waits until all nodes that answer name the same master of a slot, and it is a right one and well.
    fn wait_for_owner(&self, slot: u16, is_right: impl Fn(u16) -> bool) -> u16 {
        let mut found = 0;
        self.wait(&format!("a master of slot {slot}"), || {
            let mut named = self.answering().map(|node| self.owners(node, slot).first().copied());
            let Some(first) = named.next().flatten() else { return false };
            found = first;
            is_right(first)
                && named.all(|owner| owner == Some(first))
                && self.node(first).answers()
                && self.answering().all(is_ok)
        });
        found
    }

    /// The ports of a slot's master and its replicas, as a node has it.
    fn owners(&self, node: &Redis, slot: u16) -> Vec<u16> {
        let ranges = node.reply(&["CLUSTER", "SLOTS"]);
        let bound = |range: &Reply, place: usize| match range.items().get(place) {
            Some(Reply::Number(slot)) => *slot,
            other => panic!("CLUSTER SLOTS has no {other:?}"),
        };
        let holds = |range: &&Reply| (bound(range, 0)..=bound(range, 1)).contains(&i64::from(slot));
        let Some(range) = ranges.items().iter().find(holds) else { return Vec::new() };
        let port = |owner: &Reply| owner.items()[1].to_string().parse().expect("a port is a number");
        range.items()[2..].iter().map(port).collect()
    }

    fn wait(&self, what: &str, holds: impl FnMut() -> bool) {
        if !holds_within(PATIENCE, holds) {
            let logs: String = self.nodes.iter().map(Redis::log).collect();
            panic!("{what}: not within {PATIENCE:?}{logs}");
        }
    }

    fn answering(&self) -> impl Iterator<Item = &Redis> {
        self.nodes.iter().filter(|node| node.answers())
    }

    fn any(&self) -> &Redis {
        self.answering().next().expect("a node answers")
    }

    fn node(&self, port: u16) -> &Redis {
        let node = self.nodes.iter().find(|node| node.port() == port);
        node.unwrap_or_else(|| panic!("port {port} is none of the nodes'"))
    }
}

fn id(node: &Redis) -> String {
    node.cli(&["CLUSTER", "MYID"])
}

fn is_ok(node: &Redis) -> bool {
    node.cli(&["CLUSTER", "INFO"]).contains("cluster_state:ok")
}

/// Whether a node is past the handshake with so many, itself included.
fn knows(node: &Redis, count: usize) -> bool {
    let nodes = node.cli(&["CLUSTER", "NODES"]);
    nodes.lines().count() == count && !nodes.contains("handshake") && !nodes.contains("disconnected")
}
