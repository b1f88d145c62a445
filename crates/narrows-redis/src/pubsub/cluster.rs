use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, Weak};
use std::time::Duration;

use futures_util::future::join_all;
use futures_util::stream::{FuturesUnordered, StreamExt};
use narrows_core::LayerError;
use redis::{FromRedisValue, Value};
use tokio::sync::{Mutex, Notify, oneshot};
use tokio::time::{sleep, timeout};

use super::router::{Name, Router};
use super::servers::{Server, Servers};
use super::subscriber::Request;
use crate::backoff::Backoff;
use crate::connect::Connector;
use crate::hosts::Place;

/// How many slots a Redis Cluster has (Redis Cluster specification, "Key distribution model").
const SLOTS: u16 = 16_384;

/// How often the cluster is looked at though nothing says that it has changed.
const LOOK: Duration = Duration::from_secs(30);

/// The least time between two looks.
const REST: Duration = Duration::from_millis(50);

/// How long the next server waits for its turn to be asked, while one does not answer.
const HEDGE: Duration = Duration::from_millis(200);

/// Who has which slot of a Redis Cluster, as far as is known.
#[derive(Debug)]
pub(super) struct Slots {
    seeds: Vec<Arc<Connector>>,
    /// The number of a server for each slot; empty before the first look.
    servers: RwLock<Vec<Option<usize>>>,
    /// Held by the one who looks; how often somebody has.
    looking: Mutex<()>,
    looks: AtomicU64,
    moved: Arc<Notify>,
}

impl Slots {
    pub(super) fn new(connectors: Vec<Connector>, moved: Arc<Notify>) -> Self {
        let seeds = connectors.iter().flat_map(|connector| match &connector.host().place {
            Place::Cluster { seeds } => {
                seeds.iter().map(|(host, port)| Arc::new(connector.at(host, *port))).collect()
            }
            _ => Vec::new(),
        });
        Self {
            seeds: seeds.collect(),
            servers: RwLock::default(),
            looking: Mutex::default(),
            looks: AtomicU64::new(0),
            moved,
        }
    }

    pub(super) async fn of(&self, name: &str, servers: &Servers) -> Result<usize, LayerError> {
        let slot = slot_of(name);
        if let Some(server) = self.known(slot) {
            return Ok(server);
        }
        self.refresh(servers).await?;
        let nobody = || LayerError::Unavailable(format!("no server of the cluster has slot {slot}").into());
        self.known(slot).ok_or_else(nobody)
    }

    fn known(&self, slot: u16) -> Option<usize> {
        self.servers.read().unwrap_or_else(PoisonError::into_inner).get(usize::from(slot)).copied().flatten()
    }

    /// Asks the servers, one after another, until one tells. None of them is waited for long: it may be away.
    pub(super) async fn refresh(&self, servers: &Servers) -> Result<(), LayerError> {
        let looks = self.looks.load(Ordering::Acquire);
        let _one = self.looking.lock().await;
        if self.looks.load(Ordering::Acquire) != looks {
            // Somebody has looked while this call waited.
            return Ok(());
        }
        let mut known = servers.all();
        // Another one each time, as one may be behind the others.
        let first = looks as usize % known.len().max(1);
        known.rotate_left(first);
        let mut ways = known.into_iter().map(Way::Server).chain(self.seeds.iter().cloned().map(Way::Seed));
        let mut asked = FuturesUnordered::new();
        let mut why = "the cluster has no seeds".to_owned();
        loop {
            match ways.next() {
                Some(way) => asked.push(way.slots()),
                None if asked.is_empty() => return Err(LayerError::Unavailable(why.into())),
                None => {}
            }
            match timeout(HEDGE, asked.next()).await {
                Ok(Some((connector, Ok(slots)))) => match self.read(&slots, servers, &connector) {
                    true => return Ok(()),
                    false => why = format!("{} tells no slots", connector.host()),
                },
                Ok(Some((connector, Err(error)))) => why = format!("{}: {error}", connector.host()),
                Ok(None) | Err(_) => {}
            }
        }
    }

    /// Takes in an answer to `CLUSTER SLOTS`: `[[first, last, [host, port, …], replicas…], …]`.
    fn read(&self, answer: &Value, servers: &Servers, asked: &Connector) -> bool {
        let Value::Array(ranges) = answer else { return false };
        let mut found = vec![None; usize::from(SLOTS)];
        for range in ranges {
            let Value::Array(range) = range else { return false };
            let [first, last, Value::Array(master), ..] = range.as_slice() else { return false };
            let number = |value: &Value| u16::from_redis_value(value.clone()).ok();
            let (Some(first), Some(last), Some(port)) =
                (number(first), number(last), master.get(1).and_then(number))
            else {
                return false;
            };
            // An empty host is the one that was asked (`CLUSTER SLOTS`, "Nested Result Array").
            let host = master.first().and_then(|host| String::from_redis_value(host.clone()).ok());
            let host = match (host.filter(|host| !host.is_empty() && host != "?"), &asked.host().place) {
                (Some(host), _) => host,
                (None, Place::Tcp { host, .. }) => host.clone(),
                (None, _) => return false,
            };
            let server = servers.at(asked.at(&host, port));
            if let Some(slots) = found.get_mut(usize::from(first)..=usize::from(last)) {
                slots.fill(Some(server));
            }
        }
        let any = found.iter().any(Option::is_some);
        if any {
            servers.keep(&found.iter().copied().flatten().collect());
            *self.servers.write().unwrap_or_else(PoisonError::into_inner) = found;
            self.looks.fetch_add(1, Ordering::AcqRel);
        }
        any
    }
}

/// One that can be asked who has what.
enum Way {
    Server(Arc<Server>),
    Seed(Arc<Connector>),
}

impl Way {
    async fn slots(self) -> (Connector, Result<Value, String>) {
        let mut ask = redis::cmd("CLUSTER");
        ask.arg("SLOTS");
        match self {
            Self::Server(server) => {
                let slots = server.link.call(&ask, server.link.deadline()).await;
                let slots = slots.map_err(|error| said(&LayerError::from(error)));
                (server.connector.clone(), slots)
            }
            Self::Seed(seed) => {
                let slots = match seed.connect(|_| {}).await {
                    Ok(connection) => {
                        ask.query_async(&mut connection.redis.clone()).await.map_err(|e| e.to_string())
                    }
                    Err(error) => Err(error.to_string()),
                };
                (Connector::clone(&seed), slots)
            }
        }
    }
}

/// An error with what is behind it.
fn said(error: &LayerError) -> String {
    std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string)
}

/// Follows the cluster: when a server is lost or names move, what is wanted is subscribed where it is now.
pub(super) async fn follow(servers: Weak<Servers>, router: Arc<Router>) {
    let Some(moved) = servers.upgrade().and_then(|s| s.cluster.as_ref().map(|slots| slots.moved.clone()))
    else {
        return;
    };
    let mut backoff = Backoff::new();
    loop {
        // Whether told or not: slots also move without a word to those who only listen.
        let _ = timeout(LOOK, moved.notified()).await;
        // However many tell.
        sleep(REST).await;
        loop {
            let Some(servers) = servers.upgrade() else { return };
            if servers.refresh().await.is_ok() && resettle(&servers, &router).await {
                break;
            }
            drop(servers);
            backoff.pause().await;
        }
        backoff.reset();
    }
}

/// Subscribes what has moved where it is now, and tells of the gap; `false` when some of it is left.
async fn resettle(servers: &Servers, router: &Router) -> bool {
    let mut settled = true;
    for places in router.places().chunks(512) {
        let moves =
            places.iter().filter_map(|(name, was)| Some(resettle_one(servers, router, name, (*was)?)));
        settled &= join_all(moves).await.into_iter().all(|settled| settled);
    }
    settled
}

async fn resettle_one(servers: &Servers, router: &Router, name: &Name, was: usize) -> bool {
    let Ok(server) = servers.of(name).await else { return false };
    if server.number == was || !router.place(name, server.number) {
        return true;
    }
    let (done, answer) = oneshot::channel();
    let asked = server.subscriber().send(Request::Subscribe(name.clone(), done)).await.is_ok();
    let subscribed = asked && matches!(answer.await, Ok(Ok(())));
    if subscribed {
        router.gap(std::slice::from_ref(name), false);
    } else {
        // Still to be moved, as seen from where it was.
        router.place(name, was);
    }
    subscribed
}

/// The slot of a name: CRC-16/XMODEM of what stands in the first `{…}`, or of all of it (Redis Cluster specification,
/// "Hash tags").
pub(super) fn slot_of(name: &str) -> u16 {
    let tag = name.split_once('{').and_then(|(_, rest)| rest.split_once('}')).map(|(tag, _)| tag);
    let hashed = tag.filter(|tag| !tag.is_empty()).unwrap_or(name);
    let crc = hashed.bytes().fold(0u16, |crc, byte| {
        (0..8).fold(crc ^ u16::from(byte) << 8, |crc, _| {
            if crc & 0x8000 == 0 { crc << 1 } else { (crc << 1) ^ 0x1021 }
        })
    });
    crc % SLOTS
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From the specification, and from `CLUSTER KEYSLOT`.
    #[test]
    fn a_slot_is_that_of_the_cluster() {
        for (name, slot) in
            [("123456789", 12_739), ("foo", 12_182), ("{user1000}.following", 3443), ("foo{}{bar}", 8363)]
        {
            assert_eq!(slot_of(name), slot, "{name}");
        }
        assert_eq!(slot_of("x{user1000}y"), slot_of("user1000"));
    }
}
