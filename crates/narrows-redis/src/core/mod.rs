//! The core layer: every process has a sorted set with its messages, every group one with its members.

mod histories;
mod locals;
mod memberships;
mod queue;
mod receiver;
mod sender;

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use narrows_core::{
    ChannelLayer, ClaimStore, HistoryStore, Inbound, LayerError, PayloadFormat, PresenceStore, Queue, Topic,
    TopicKind,
};
use tokio::runtime::Handle;

use self::locals::Locals;
use self::queue::{Forward, Popper};
use crate::claims::Claims;
use crate::connect::Connector;
use crate::histories::Histories;
use crate::inlet::Inlet;
use crate::link::{CallError, Link};
use crate::options::{OptionsError, RedisOptions};
use crate::presence::Presences;
use crate::shard::shard_of;
use crate::stores::Stores;
use crate::thread::Thread;
use crate::wire::Wire;

/// What the process part of a Narrows node's channels begins with: who sees it knows that the node listens on every
/// host, and keeps its memberships alive.
const NODE: &str = "narrows.";

/// A node that has not said for so long that it lives is taken for gone, once its channel fills.
const ALIVE: Duration = Duration::from_secs(60);

/// A channel layer on Redis' sorted sets: messages wait in Redis for a receiver that is away for a moment, and the
/// messages of a named channel are shared by its workers.
///
/// ```no_run
/// use narrows_redis::{CoreLayer, RedisOptions};
///
/// let layer = CoreLayer::new(RedisOptions::new("redis://127.0.0.1:6379".parse()?))?;
/// // narrows::Channels::with_layer(layer)
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// It is on the wire what channels_redis calls `RedisChannelLayer`: Django processes with that layer, the same hosts,
/// prefix, serializer, keys and random prefix length are part of the system. The sender looks up a group's members and
/// writes one message for each process, however many connections that one has.
///
/// A channel that is full refuses what is sent to it ([`LayerError::ChannelFull`]); where it is a member of a group, the
/// message is dropped there and counted. A Narrows node whose channel was full is told of the gap.
///
/// With several hosts the messages of a named channel go to them in turn, as Django's workers take them, and keep no
/// order. Each group's messages keep one order as far as Narrows nodes send them; a Django process may see
/// another, as its own channel can be on another host.
#[derive(Debug)]
pub struct CoreLayer {
    shared: Arc<Shared>,
    thread: Thread,
}

#[derive(Debug)]
struct Shared {
    wire: Wire,
    options: RedisOptions,
    /// This process, up to and including the `!`.
    process: String,
    /// Where its messages are.
    key: String,
    hosts: Vec<HostLink>,
    stores: Stores,
    presences: Presences,
    inlet: Inlet,
    locals: Locals,
    /// Those named channels that a connection, not a worker, listens to.
    forwards: Mutex<HashMap<Topic, Forward>>,
    runtime: Handle,
    receiving: AtomicBool,
    turn: AtomicUsize,
    add: redis::Script,
}

#[derive(Debug)]
struct HostLink {
    connector: Connector,
    link: Link,
    /// Whether it was said in the log that memberships are refused here.
    refused: AtomicBool,
}

impl CoreLayer {
    /// A layer of one node.
    ///
    /// # Errors
    /// [`OptionsError`] when the options make no layer. That Redis cannot be reached is none: it may come.
    pub fn new(options: RedisOptions) -> Result<Self, OptionsError> {
        if options.is_cluster() {
            return Err(OptionsError::CoreOnCluster);
        }
        let connectors = options.connectors()?;
        let thread = Thread::start().map_err(OptionsError::Thread)?;
        let runtime = thread.handle();
        let hosts: Vec<HostLink> = connectors
            .into_iter()
            .map(|connector| {
                let (link, work) = Link::new(connector.clone(), options.answer_timeout);
                runtime.spawn(work);
                HostLink { connector, link, refused: AtomicBool::new(false) }
            })
            .collect();
        let links = hosts.iter().map(|host| host.link.clone());
        let stores = Stores::on_core(links, &options.prefix, thread.handle());
        let process = format!("{NODE}{:032x}!", rand::random::<u128>());
        let shared = Shared {
            wire: options.wire(),
            key: format!("{}{process}", options.prefix),
            process,
            hosts,
            presences: Presences::new(stores.clone(), &options),
            stores,
            inlet: Inlet::default(),
            locals: Locals::default(),
            forwards: Mutex::default(),
            runtime,
            receiving: AtomicBool::new(false),
            turn: AtomicUsize::new(0),
            add: redis::Script::new(concat!(include_str!("channel.lua"), include_str!("add.lua"))),
            options,
        };
        Ok(Self { shared: Arc::new(shared), thread })
    }
}

impl Shared {
    fn group_key(&self, group: &str) -> String {
        format!("{}:group:{group}", self.options.prefix)
    }

    /// The host on which a name is, by the rule of channels_redis.
    fn host_of(&self, name: &str) -> usize {
        shard_of(name, self.hosts.len())
    }

    /// How old an encrypted message may be, as channels_redis has it: some seconds more than it is kept.
    fn max_age(&self) -> Duration {
        self.options.expiry + Duration::from_secs(10)
    }

    fn is_ours(&self, channel: &str) -> bool {
        channel.starts_with(&self.process)
    }

    /// What puts this node into a group, or renews that it is in it.
    fn membership(&self, group: &str, local: &str) -> redis::Pipeline {
        let key = self.group_key(group);
        let mut pipeline = redis::pipe();
        let member = format!("{}{local}", self.process);
        pipeline.cmd("ZADD").arg(&key).arg(format!("{:.6}", now())).arg(member);
        pipeline.cmd("EXPIRE").arg(&key).arg(seconds(self.options.group_expiry));
        pipeline
    }

    async fn subscribe(self: &Arc<Self>, topic: &Topic) -> Result<(), LayerError> {
        if !self.receiving.swap(true, Ordering::AcqRel) {
            receiver::start(self);
        }
        match topic.kind() {
            TopicKind::Group => self.join(topic).await,
            TopicKind::Channel if self.is_ours(topic.name()) => {
                self.locals.open(topic, &topic.name()[self.process.len()..]);
                Ok(())
            }
            TopicKind::Channel if topic.name().contains('!') => {
                Err(LayerError::NotOurs { channel: topic.name().to_owned() })
            }
            TopicKind::Channel => {
                // What is sent from now on waits in Redis, if nobody takes it sooner.
                self.forwards().insert(topic.clone(), Forward::start(self, topic));
                Ok(())
            }
        }
    }

    async fn unsubscribe(&self, topic: &Topic) -> Result<(), LayerError> {
        match topic.kind() {
            TopicKind::Group => self.leave(topic).await,
            TopicKind::Channel if self.is_ours(topic.name()) => {
                self.locals.close(&topic.name()[self.process.len()..]);
                Ok(())
            }
            TopicKind::Channel => {
                let forward = self.forwards().remove(topic);
                if let Some(forward) = forward {
                    forward.end().await;
                }
                Ok(())
            }
        }
    }

    fn forwards(&self) -> MutexGuard<'_, HashMap<Topic, Forward>> {
        self.forwards.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn join(&self, topic: &Topic) -> Result<(), LayerError> {
        let local = self.locals.enter(topic);
        let mut pipeline = self.membership(topic.name(), &local);
        // Before the receiver has said so; but not in its place, as it would not see that it was forgotten.
        pipeline.cmd("SET").arg(self.alive_key()).arg("joins").arg("EX").arg(ALIVE.as_secs()).arg("NX");
        let link = &self.hosts[self.host_of(topic.name())].link;
        let joined = link.call_all(&pipeline, link.deadline()).await;
        if let Err(error) = &joined {
            self.locals.leave(topic);
            if let CallError::Layer(LayerError::Unavailable(_)) = error {
                // Redis may have done it all the same.
                self.locals.owe(topic, local);
            }
        }
        Ok(joined.map(drop)?)
    }

    async fn leave(&self, topic: &Topic) -> Result<(), LayerError> {
        let Some(local) = self.locals.leave(topic) else { return Ok(()) };
        let link = &self.hosts[self.host_of(topic.name())].link;
        let left = link.call(&self.removal(topic.name(), &local), link.deadline()).await;
        if let Err(CallError::Layer(LayerError::Unavailable(_))) = left {
            // Nothing for the caller to do: it is taken out when Redis is back.
            self.locals.owe(topic, local);
            return Ok(());
        }
        Ok(left.map(drop)?)
    }

    fn removal(&self, group: &str, local: &str) -> redis::Cmd {
        let mut remove = redis::cmd("ZREM");
        remove.arg(self.group_key(group)).arg(format!("{}{local}", self.process));
        remove
    }

    fn alive_key(&self) -> String {
        format!("{}$alive", self.key)
    }
}

/// Seconds since 1970, as Python's `time.time()` gives them.
fn now() -> f64 {
    // A clock before 1970 is wrong anyway; messages then expire at once, and are counted.
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64())
}

/// What Redis takes for an expiry: whole seconds, at least one.
fn seconds(time: Duration) -> u64 {
    time.as_secs_f64().ceil().max(1.0) as u64
}

impl ChannelLayer for CoreLayer {
    fn start(&self, inbound: Inbound) {
        self.shared.inlet.start(inbound);
    }

    fn format(&self) -> PayloadFormat {
        self.shared.wire.format
    }

    async fn subscribe(&self, topic: &Topic) -> Result<(), LayerError> {
        let (shared, topic) = (self.shared.clone(), topic.clone());
        if !shared.inlet.is_started() {
            return Err(LayerError::Closed);
        }
        self.thread.run(async move { shared.subscribe(&topic).await }).await
    }

    async fn unsubscribe(&self, topic: &Topic) -> Result<(), LayerError> {
        let (shared, topic) = (self.shared.clone(), topic.clone());
        self.thread.run(async move { shared.unsubscribe(&topic).await }).await
    }

    async fn publish(&self, topic: &Topic, payload: Bytes) -> Result<(), LayerError> {
        let (shared, topic) = (self.shared.clone(), topic.clone());
        let publish = async move {
            match topic.kind() {
                TopicKind::Group => shared.send_to_group(topic.name(), &payload).await,
                TopicKind::Channel => shared.send_to(topic.name(), &payload).await,
            }
        };
        self.thread.run(publish).await
    }

    fn new_channel(&self) -> String {
        self.shared.locals.new_channel(&self.shared.process)
    }

    fn history(&self) -> Option<HistoryStore> {
        Some(HistoryStore::new(Histories(self.shared.clone())))
    }

    fn claims(&self) -> Option<ClaimStore> {
        Some(ClaimStore::new(Claims::new(self.shared.stores.clone())))
    }

    fn presence(&self) -> Option<PresenceStore> {
        Some(PresenceStore::new(self.shared.presences.clone()))
    }

    fn open(&self, channel: &Topic) -> Option<Queue> {
        let named = channel.kind() == TopicKind::Channel && !channel.name().contains('!');
        named.then(|| Queue::new(Popper::open(&self.shared, channel.name(), None)))
    }
}
