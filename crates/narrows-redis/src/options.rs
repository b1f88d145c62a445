use std::fmt;
use std::time::Duration;

use narrows_core::{LayerError, PayloadFormat};

use crate::capacity::Capacities;
use crate::connect::{Connector, TlsFileError};
use crate::hosts::{Host, ParseHostError, Place};
use crate::keys::Keys;
use crate::wire::Wire;

/// How a layer reaches Redis and what it writes there. The same must be said on every node, and in the settings of
/// every Django process, that are to be one system.
///
/// ```
/// use narrows_redis::{PayloadFormat, RedisOptions};
///
/// let options = RedisOptions::new("redis://127.0.0.1:6379/0".parse()?)
///     .prefix("mysite")
///     .format(PayloadFormat::Json)
///     .symmetric_encryption_keys(["new key", "old key"]);
/// # Ok::<(), narrows_redis::ParseHostError>(())
/// ```
///
/// The defaults are those of channels_redis where it has the setting.
#[derive(Clone)]
#[non_exhaustive]
#[must_use = "a layer is made of it, by `PubSubLayer::new` or `CoreLayer::new`"]
pub struct RedisOptions {
    /// Where Redis is. Several share the names among them, by the rule of channels_redis: their order matters.
    pub hosts: Vec<Host>,
    /// What the layer's names in Redis begin with. Default `asgi`.
    pub prefix: String,
    /// How messages are written (`serializer_format`). Default [`PayloadFormat::MsgPack`].
    pub format: PayloadFormat,
    /// With these messages are encrypted: the first for writing, each for reading. Default none.
    pub symmetric_encryption_keys: Vec<String>,
    /// The largest message, in bytes, that is sent, or taken. Default 16 MiB.
    pub max_message_bytes: usize,
    /// How long connecting may take. Default 5 s.
    pub connect_timeout: Duration,
    /// How long an answer of Redis may take, after which publishing is an error. Default 2 s.
    pub answer_timeout: Duration,
    /// How often a quiet connection is asked whether it is still there. Default 5 s.
    pub health_interval: Duration,
    /// Core layer: how many messages may wait in a channel, and in that of a whole process. Default 100.
    pub capacities: Capacities,
    /// Core layer: how many may wait for a Narrows node, all of its connections together, when a Narrows node
    /// sends. Default 10 000.
    pub node_capacity: usize,
    /// Core layer: how long a message waits for its receiver. Default 60 s.
    pub expiry: Duration,
    /// How long what a node has in Redis lasts when nobody renews it, as the node does while it lives: its memberships
    /// on the core layer, and presence on both. Default one day.
    pub group_expiry: Duration,
    /// Core layer: how many random bytes stand before a message. Default 12.
    pub random_prefix_length: usize,
}

/// How long things may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Times {
    pub(crate) connect: Duration,
    pub(crate) answer: Duration,
    pub(crate) health: Duration,
}

impl RedisOptions {
    /// One Redis, and every other default.
    pub fn new(host: Host) -> Self {
        Self::several([host])
    }

    /// Several that share the names among them.
    pub fn several(hosts: impl IntoIterator<Item = Host>) -> Self {
        Self {
            hosts: hosts.into_iter().collect(),
            prefix: "asgi".into(),
            format: PayloadFormat::MsgPack,
            symmetric_encryption_keys: Vec::new(),
            max_message_bytes: 16 << 20,
            connect_timeout: Duration::from_secs(5),
            answer_timeout: Duration::from_secs(2),
            health_interval: Duration::from_secs(5),
            capacities: Capacities::new(100),
            node_capacity: 10_000,
            expiry: Duration::from_secs(60),
            group_expiry: Duration::from_secs(86_400),
            random_prefix_length: 12,
        }
    }

    /// Sets [`prefix`](Self#structfield.prefix).
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// Sets [`format`](Self#structfield.format).
    pub fn format(mut self, format: PayloadFormat) -> Self {
        self.format = format;
        self
    }

    /// Sets [`symmetric_encryption_keys`](Self#structfield.symmetric_encryption_keys).
    pub fn symmetric_encryption_keys(mut self, keys: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.symmetric_encryption_keys = keys.into_iter().map(Into::into).collect();
        self
    }

    /// Sets [`max_message_bytes`](Self#structfield.max_message_bytes).
    pub fn max_message_bytes(mut self, bytes: usize) -> Self {
        self.max_message_bytes = bytes;
        self
    }

    /// Sets [`connect_timeout`](Self#structfield.connect_timeout).
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// Sets [`answer_timeout`](Self#structfield.answer_timeout).
    pub fn answer_timeout(mut self, timeout: Duration) -> Self {
        self.answer_timeout = timeout;
        self
    }

    /// Sets [`health_interval`](Self#structfield.health_interval).
    pub fn health_interval(mut self, interval: Duration) -> Self {
        self.health_interval = interval;
        self
    }

    /// Sets [`capacities`](Self#structfield.capacities).
    pub fn capacities(mut self, capacities: Capacities) -> Self {
        self.capacities = capacities;
        self
    }

    /// Sets [`node_capacity`](Self#structfield.node_capacity).
    pub fn node_capacity(mut self, messages: usize) -> Self {
        self.node_capacity = messages;
        self
    }

    /// Sets [`expiry`](Self#structfield.expiry).
    pub fn expiry(mut self, expiry: Duration) -> Self {
        self.expiry = expiry;
        self
    }

    /// Sets [`group_expiry`](Self#structfield.group_expiry).
    pub fn group_expiry(mut self, expiry: Duration) -> Self {
        self.group_expiry = expiry;
        self
    }

    /// Sets [`random_prefix_length`](Self#structfield.random_prefix_length).
    pub fn random_prefix_length(mut self, bytes: usize) -> Self {
        self.random_prefix_length = bytes;
        self
    }

    pub(crate) fn times(&self) -> Times {
        Times { connect: self.connect_timeout, answer: self.answer_timeout, health: self.health_interval }
    }

    pub(crate) fn wire(&self) -> Wire {
        Wire {
            format: self.format,
            keys: Keys::new(&self.symmetric_encryption_keys),
            random_prefix: self.random_prefix_length,
            max_message_bytes: self.max_message_bytes,
        }
    }

    /// Whether a receiver takes a message of this size, with all that stands around it.
    pub(crate) fn fits(&self, message: &[u8]) -> Result<(), LayerError> {
        self.fits_bytes(message.len())
    }

    pub(crate) fn fits_bytes(&self, bytes: usize) -> Result<(), LayerError> {
        let limit = self.max_message_bytes;
        if bytes > limit { Err(LayerError::TooLarge { bytes, limit }) } else { Ok(()) }
    }

    pub(crate) fn is_cluster(&self) -> bool {
        self.hosts.iter().any(|host| matches!(host.place, Place::Cluster { .. }))
    }

    /// One connector a host, once the hosts make sense together.
    pub(crate) fn connectors(&self) -> Result<Vec<Connector>, OptionsError> {
        if self.hosts.is_empty() {
            return Err(OptionsError::NoHosts);
        }
        if self.is_cluster() && self.hosts.len() > 1 {
            return Err(OptionsError::ClusterAmongOthers);
        }
        for host in &self.hosts {
            host.check()?;
        }
        let times = self.times();
        let connectors = self.hosts.iter().map(|host| Connector::new(host.clone(), times));
        Ok(connectors.collect::<Result<_, _>>()?)
    }
}

impl fmt::Debug for RedisOptions {
    /// Without keys and passwords.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hosts: Vec<String> = self.hosts.iter().map(ToString::to_string).collect();
        f.debug_struct("RedisOptions")
            .field("hosts", &hosts)
            .field("prefix", &self.prefix)
            .field("format", &self.format)
            .field("encrypted", &!self.symmetric_encryption_keys.is_empty())
            .finish_non_exhaustive()
    }
}

/// Why options make no layer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OptionsError {
    /// There is no host.
    #[error("a Redis layer needs at least one host")]
    NoHosts,
    /// A host's settings do not go together.
    #[error(transparent)]
    Host(#[from] ParseHostError),
    /// A cluster shares its names itself.
    #[error("a Redis Cluster cannot be one of several hosts")]
    ClusterAmongOthers,
    /// The core layer's scripts need keys of several slots.
    #[error("the core layer cannot use a Redis Cluster; the pub/sub layer can")]
    CoreOnCluster,
    /// A certificate or key.
    #[error(transparent)]
    Tls(#[from] TlsFileError),
    /// The layer's thread.
    #[error("the layer's thread did not start")]
    Thread(#[source] std::io::Error),
}
