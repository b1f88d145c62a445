use std::fmt;
use std::io;
use std::net::IpAddr;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{OnceLock, Weak};
use std::time::Duration;

use narrows_core::{Channel, ChannelLayer, Group, LayerError, Message, MessageError};

use crate::admission::{Admission, Full, Permit};
use crate::blocking::{Blocking, BlockingConsumer};
use crate::capacity::Capacity;
use crate::consumer::Consumer;
use crate::hub::{DynLayer, Hub};
use crate::identity::{Bound, First, Identities, Identity, NotBound, Since};
use crate::layer::MemoryLayer;
use crate::limits::Limits;
use crate::live::LiveRegister;
use crate::origin::{MissingOrigin, OriginPolicy, ParseOriginPolicyError};
use crate::presence::Presences;
use crate::resume::{Keys, Resumption};
use crate::scope::{Front, ParseTrustedProxiesError, ScopeLayer, TrustedProxies};
use crate::serve::settings::Settings;
use crate::shard::{Code, Mail, Method, Placed, Shard, Watch, Watchdog, choose, marked};
use crate::stats::{Counters, Stats};
use crate::sync::{Arc, Mutex, lock};
use crate::transport::ConsumerRoute;

/// A node: its connections, its groups and its link to the other nodes.
///
/// ```
/// use narrows::{Channels, Group};
/// # #[derive(serde::Serialize, serde::Deserialize)]
/// # struct Notice { text: String }
/// # async fn from_a_view() -> Result<(), Box<dyn std::error::Error>> {
/// let channels = Channels::new();
/// // From anywhere: a view, a job, another task.
/// channels.broadcast(&Group::inbox("ada"), &Notice { text: "your post got a comment".into() }).await?;
/// # Ok(()) }
/// ```
///
/// Clones are cheap and all the same node; keep one in the router's state. It starts no thread before
/// its server listens or the first connection comes, so a program without a server can broadcast too.
#[derive(Clone)]
pub struct Channels(Arc<Node>);

struct Node {
    hub: Arc<Hub>,
    limits: Limits,
    outbox: Capacity,
    origin: OriginPolicy,
    front: Arc<Front>,
    shards: Shards,
    /// Held by the one who starts the shards.
    starting: Mutex<()>,
    watch: Arc<Watch>,
    watchdog: OnceLock<Watchdog>,
    /// Which of the shards that are alike comes next.
    turn: AtomicUsize,
    admission: Arc<Admission>,
    identities: Arc<Identities>,
    presences: Arc<Presences>,
    resumption: Arc<Resumption>,
    live: Arc<LiveRegister>,
    counters: Arc<Counters>,
    unready: AtomicBool,
    draining: AtomicBool,
}

/// A node that may be gone.
pub(crate) struct WeakChannels(Weak<Node>);

impl WeakChannels {
    pub(crate) fn upgrade(&self) -> Option<Channels> {
        self.0.upgrade().map(Channels)
    }
}

#[derive(Debug, Clone, Copy)]
enum Shards {
    Threads(usize),
    Here,
}

impl Channels {
    /// A node of its own, with the in-memory layer and every default.
    pub fn new() -> Self {
        Self::builder().build()
    }

    /// A node on this layer, with every other default.
    pub fn with_layer(layer: impl ChannelLayer) -> Self {
        Self::builder().layer(layer).build()
    }

    /// A node with other settings.
    pub fn builder() -> ChannelsBuilder {
        ChannelsBuilder {
            layer: None,
            limits: Limits::default(),
            outbox: Capacity::default(),
            origin: OriginPolicy::same_origin(),
            trusted_proxies: TrustedProxies::none(),
            root_path: String::new(),
            shards: Shards::Threads(0),
            identity_check_period: Duration::from_secs(60),
            presence_lease: Duration::from_secs(30),
            presence_period: Duration::from_secs(1),
            resume_window: Duration::from_secs(120),
            keys: None,
        }
    }

    /// Serves a consumer: `channels.consumer::<ChatRoom>().route()` is what axum's `Router::route` takes.
    pub fn consumer<C: Consumer>(&self) -> ConsumerRoute<C> {
        ConsumerRoute::new(self.clone(), std::any::type_name::<C>())
    }

    /// Serves a consumer whose handlers block, on the shards' pools of threads.
    pub fn blocking_consumer<C: BlockingConsumer>(&self) -> ConsumerRoute<Blocking<C>> {
        ConsumerRoute::new(self.clone(), std::any::type_name::<C>())
    }

    /// Sends a message to every member of a group, on every node.
    ///
    /// It waits only for the layer, and while this node has far more to deliver than it can.
    ///
    /// # Errors
    /// [`BroadcastError`] when the message cannot be written or the channel layer did not take it.
    ///
    /// # Cancel safety
    /// Dropped before it is done, the message may or may not have been sent; never in part.
    pub async fn broadcast<M: Message>(&self, group: &Group<M>, msg: &M) -> Result<(), BroadcastError> {
        self.broadcast_with(group, msg, None).await.map(drop)
    }

    /// Sends a message to one channel: a connection's own, or a background worker's.
    ///
    /// When nobody has the channel open the message is gone, as with Django Channels.
    ///
    /// # Errors
    /// As for [`broadcast`](Self::broadcast).
    ///
    /// # Cancel safety
    /// As for [`broadcast`](Self::broadcast).
    pub async fn send<M: Message>(&self, channel: &Channel<M>, msg: &M) -> Result<(), BroadcastError> {
        let payload = self.0.hub.format().encode(msg)?;
        Ok(self.0.hub.publish(&channel.topic(), payload).await?)
    }

    /// A layer for routes that are no consumers', outside of [`serve::Server`](crate::serve::Server): it lets the
    /// extractors of [`scope`](crate::scope) look behind the trusted proxies.
    pub fn scope_layer(&self) -> ScopeLayer {
        ScopeLayer(self.0.front.clone())
    }

    /// What this node has done so far, and what it dropped.
    pub fn stats(&self) -> Stats {
        self.0.counters.read(self.0.hub.started_shards().iter().map(|shard| shard.tally()))
    }

    /// Closes every connection with 1012, one after another over this window, and refuses new ones from now
    /// on. Returns when the last has been told; the consumers may still be finishing.
    ///
    /// [`Server`](crate::serve::Server) does this on SIGTERM.
    ///
    /// # Cancel safety
    /// Dropped, it closes no further connections, and goes on refusing new ones.
    pub async fn drain(&self, window: Duration) {
        self.0.draining.store(true, Ordering::Release);
        let shards = self.0.hub.started_shards().iter();
        futures_util::future::join_all(shards.map(|shard| shard.clone().drain(window))).await;
    }

    /// Whether [`drain`](Self::drain) has begun.
    pub fn is_draining(&self) -> bool {
        self.0.draining.load(Ordering::Acquire)
    }

    /// Whether a drain has been asked for, or begun.
    pub(crate) fn is_unready(&self) -> bool {
        self.0.unready.load(Ordering::Acquire) || self.is_draining()
    }

    pub(crate) fn set_unready(&self) {
        self.0.unready.store(true, Ordering::Release);
    }

    /// Waits until no connection is left.
    pub(crate) async fn idle(&self) {
        self.0.admission.idle().await;
    }

    /// Serves an accepted socket on the shard that has the least to do.
    pub(crate) fn place_socket<F>(&self, serve: impl FnOnce() -> F + Send + 'static) -> io::Result<()>
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let placed = self.place_from(None)?.1;
        let code = Code { consumer: Watch::HTTP, method: Method::Request, limit: self.limits().long_handler };
        let shard = placed.shard().clone();
        let adopt = move || {
            let serving = serve();
            let home = placed.shard().clone();
            home.spawn_task(async move {
                marked(Some(placed.shard()), code, serving).await;
            });
        };
        if shard.is_here() {
            adopt();
        } else {
            shard.post(Mail::Adopt(Box::new(adopt)));
        }
        Ok(())
    }

    /// The shard that accepts for all: `now`, while it can, or the one that has the least to do.
    pub(crate) fn host(&self, now: Option<usize>) -> io::Result<usize> {
        let shards = self.shards()?;
        let now = now.filter(|now| !shards[*now].is_held_up());
        Ok(choose(shards, now, 0))
    }

    pub(crate) fn spawn_on(&self, shard: usize, task: impl Future<Output = ()> + Send + 'static) {
        self.0.hub.started_shards()[shard].spawn_task(task);
    }

    /// Runs a task of the node's: on a shard, or where none has started, on the caller's runtime. `false` where there is
    /// neither.
    pub(crate) fn spawn_somewhere(&self, task: impl Future<Output = ()> + Send + 'static) -> bool {
        let shards = self.0.hub.started_shards();
        if !shards.is_empty() {
            self.spawn_on(choose(shards, None, 0), task);
            return true;
        }
        let runtime = tokio::runtime::Handle::try_current();
        runtime.map(|runtime| drop(runtime.spawn(task))).is_ok()
    }

    pub(crate) fn presences(&self) -> &Arc<Presences> {
        &self.0.presences
    }

    /// Makes an identity known; what needs a thread of its own runs on the shard that has the least to do.
    pub(crate) async fn bind(&self, identity: Identity, since: Since) -> Result<Bound, NotBound> {
        let shards = self.shards().map_err(NotBound::Shards)?;
        let shard = &shards[choose(shards, None, 0)];
        self.0.identities.bind(identity, since, shard).await
    }

    /// As [`bind`](Self::bind), for the identity of a connection that comes back.
    pub(crate) async fn bind_again(&self, identity: Identity) -> Result<(Bound, Option<First>), NotBound> {
        let shards = self.shards().map_err(NotBound::Shards)?;
        let shard = &shards[choose(shards, None, 0)];
        self.0.identities.bind_again(identity, shard).await
    }

    pub(crate) fn resumption(&self) -> &Arc<Resumption> {
        &self.0.resumption
    }

    pub(crate) fn live_register(&self) -> &Arc<LiveRegister> {
        &self.0.live
    }

    /// For what must not keep the node.
    pub(crate) fn downgrade(&self) -> WeakChannels {
        WeakChannels(Arc::downgrade(&self.0))
    }

    pub(crate) fn identities(&self) -> &Identities {
        &self.0.identities
    }

    pub(crate) fn hub(&self) -> &Arc<Hub> {
        &self.0.hub
    }

    pub(crate) fn counters(&self) -> &Arc<Counters> {
        &self.0.counters
    }

    /// The limits of its connections; a route that differs in one of them starts from these.
    pub fn limits(&self) -> &Limits {
        &self.0.limits
    }

    pub(crate) fn outbox(&self) -> Capacity {
        self.0.outbox
    }

    pub(crate) fn origin(&self) -> &OriginPolicy {
        &self.0.origin
    }

    pub(crate) fn front(&self) -> &Arc<Front> {
        &self.0.front
    }

    pub(crate) fn admit(&self, limits: &Limits, address: Option<IpAddr>) -> Result<Permit, Full> {
        self.0.admission.admit(limits, address)
    }

    pub(crate) fn watch(&self) -> &Watch {
        &self.0.watch
    }

    /// The shards, started if this is the first need of them.
    pub(crate) fn shards(&self) -> io::Result<&[Arc<Shard>]> {
        let hub = &self.0.hub;
        if hub.started_shards().is_empty() {
            let _one = lock(&self.0.starting);
            if hub.started_shards().is_empty() {
                let shards = self.0.start()?;
                let shards = hub.shards(|| shards);
                self.0.live.begin(self, shards);
                return Ok(shards);
            }
        }
        Ok(hub.started_shards())
    }

    /// The shard on whose thread the caller runs.
    pub(crate) fn here(&self) -> Option<(usize, &Arc<Shard>)> {
        self.0.hub.started_shards().iter().enumerate().find(|(_, shard)| shard.is_here())
    }

    /// A place for the next connection, which counts from now on: on the shard that has the least to do, or this
    /// one, where the caller runs on one that is not much worse.
    pub(crate) fn place(&self) -> io::Result<(u16, Placed)> {
        self.place_from(self.here().map(|(i, _)| i))
    }

    fn place_from(&self, home: Option<usize>) -> io::Result<(u16, Placed)> {
        let shards = self.shards()?;
        let index = choose(shards, home, self.0.turn.fetch_add(1, Ordering::Relaxed));
        Ok((index as u16, Placed::new(shards[index].clone())))
    }
}

impl Default for Channels {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Channels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Channels").field("stats", &self.stats()).finish_non_exhaustive()
    }
}

impl Node {
    fn start(&self) -> io::Result<Vec<Arc<Shard>>> {
        let Shards::Threads(count) = self.shards else {
            return Ok(vec![Shard::here_and_now(&self.limits, self.watch.clone())]);
        };
        let cores = || std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let count = if count == 0 { cores() } else { count };
        let mut shards = Vec::with_capacity(count);
        let started = (0..count).try_for_each(|i| {
            shards.push(Shard::spawn(i, &self.limits, self.watch.clone())?);
            Ok(())
        });
        let limit = self.limits.long_handler;
        let stall = (!limit.is_zero()).then(|| limit.max(Duration::from_secs(1)));
        match started.and_then(|()| Watchdog::start(&shards, self.watch.clone(), stall)) {
            Ok(watchdog) => {
                // Only the one who holds the lock comes here, and only until it worked.
                let _ = self.watchdog.set(watchdog);
                Ok(shards)
            }
            Err(error) => {
                stop(&shards);
                Err(error)
            }
        }
    }
}

fn stop(shards: &[Arc<Shard>]) {
    for shard in shards {
        shard.post(Mail::Stop);
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        stop(self.hub.started_shards());
    }
}

/// The settings of a node, on their way to [`Channels`].
#[must_use = "`.build()` makes the node"]
pub struct ChannelsBuilder {
    layer: Option<Box<dyn DynLayer>>,
    limits: Limits,
    outbox: Capacity,
    origin: OriginPolicy,
    trusted_proxies: TrustedProxies,
    root_path: String,
    shards: Shards,
    identity_check_period: Duration,
    presence_lease: Duration,
    presence_period: Duration,
    pub(crate) resume_window: Duration,
    pub(crate) keys: Option<Keys>,
}

impl ChannelsBuilder {
    /// What carries messages between nodes. Default [`MemoryLayer`], for a single node. It is started when the node
    /// is [built](Self::build).
    pub fn layer(mut self, layer: impl ChannelLayer) -> Self {
        self.layer = Some(Box::new(layer));
        self
    }

    /// What one connection may cost.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// What may wait for a client that does not read; a route can say otherwise.
    pub fn outbox(mut self, outbox: Capacity) -> Self {
        self.outbox = outbox;
        self
    }

    /// Which pages may connect; a route can say otherwise. Default [`OriginPolicy::same_origin`].
    pub fn origin(mut self, origin: OriginPolicy) -> Self {
        self.origin = origin;
        self
    }

    /// Which proxies are believed when they say who the client is and what it asked for. Default none.
    pub fn trusted_proxies(mut self, proxies: TrustedProxies) -> Self {
        self.trusted_proxies = proxies;
        self
    }

    /// The path under which a proxy shows this site, such as `/chat`, for
    /// [`Handshake::path`](crate::scope::Handshake::path). Default none. Routing does not look at it.
    pub fn root_path(mut self, root_path: impl Into<String>) -> Self {
        self.root_path = root_path.into();
        self
    }

    /// How often the identities of all connections are [checked](crate::IdentityCheck), those that have a check.
    /// Default 60 s; zero is never.
    ///
    /// It is the longest time that a connection can outlive its session when nobody said that it ended, or the
    /// message was lost.
    pub fn identity_check_period(mut self, period: Duration) -> Self {
        self.identity_check_period = period;
        self
    }

    /// How long after its last sign of life a node counts as dead, and its connections leave the presence of their
    /// groups. Default 30 s; at least 100 ms. A node gives a sign every third of it.
    ///
    /// Shorter, and who died is seen earlier; longer, and a store that is away for a while, or a machine that stands
    /// still, makes nobody leave.
    pub fn presence_lease(mut self, lease: Duration) -> Self {
        self.presence_lease = lease;
        self
    }

    /// How often the members of a group's presence are told of changes. Default once a second; the first change after a
    /// quiet time is told of at once. All nodes together keep to it, and are to be given the same.
    pub fn presence_period(mut self, period: Duration) -> Self {
        self.presence_period = period;
        self
    }

    /// How many threads serve connections. Default 0: one for each core.
    pub fn shards(mut self, shards: usize) -> Self {
        self.shards = Shards::Threads(shards.min(usize::from(u16::MAX)));
        self
    }

    /// Serves connections on the thread of the caller in place of own threads: for tests with a paused clock.
    /// Its server must listen, or the first connection come, on a runtime of a single thread, such as
    /// `#[tokio::test]` makes.
    pub fn on_this_thread(mut self) -> Self {
        self.shards = Shards::Here;
        self
    }

    /// Takes limits, outbox, origins, proxies, root path, the period of checks, lease and period of presence, and
    /// the number of shards from a server's settings.
    ///
    /// # Errors
    /// When the settings name origins or proxies that cannot be read, or older secrets and no secret.
    pub fn settings(self, settings: &Settings) -> Result<Self, InvalidSettings> {
        let outbox =
            Capacity::default().max_bytes(settings.outbox_bytes).max_messages(settings.outbox_messages);
        let origin: OriginPolicy = settings.origins.join(",").parse()?;
        let missing = match settings.missing_origin.as_str() {
            "allow" => MissingOrigin::Allow,
            "refuse" => MissingOrigin::Refuse,
            _ => MissingOrigin::AllowWithoutCookies,
        };
        let any = settings.origins.iter().any(|o| o == "any" || o == "*");
        let origin = if any { origin } else { origin.missing(missing) };
        let proxies = settings.trusted_proxies.join(",").parse()?;
        let keyed = match settings.secret_key.as_str() {
            "" if !settings.secret_key_fallbacks.is_empty() => return Err(InvalidSettings::OnlyFallbacks),
            "" => self,
            secret => self.secret_keys(secret, settings.secret_key_fallbacks.iter()),
        };
        Ok(keyed
            .resume_window(settings.resume_window)
            .limits(settings.limits())
            .outbox(outbox)
            .origin(origin)
            .trusted_proxies(proxies)
            .root_path(&settings.root_path)
            .identity_check_period(settings.identity_check_period)
            .presence_lease(settings.presence_lease)
            .presence_period(settings.presence_period)
            .shards(settings.shards))
    }

    /// Makes the node.
    pub fn build(self) -> Channels {
        let Self { layer, limits, outbox, origin, trusted_proxies, root_path, shards, .. } = self;
        let counters: Arc<Counters> = Arc::default();
        let layer = layer.unwrap_or_else(|| Box::new(MemoryLayer::new()));
        let (hub, watch) = (Hub::start(layer, counters.clone()), Watch::new(counters.clone()));
        let identities =
            Identities::new(hub.clone(), &watch, limits.long_handler, self.identity_check_period);
        let presences =
            Presences::new(hub.clone(), counters.clone(), self.presence_lease, self.presence_period);
        let keys = self.keys.unwrap_or_else(Keys::random);
        let resumption = Resumption::new(hub.clone(), keys, self.resume_window);
        let live = LiveRegister::new(hub.clone());
        Channels(Arc::new(Node {
            hub,
            limits,
            outbox,
            origin,
            front: Arc::new(Front::new(trusted_proxies, &root_path)),
            shards,
            starting: Mutex::new(()),
            watch,
            watchdog: OnceLock::new(),
            turn: AtomicUsize::new(0),
            admission: Admission::new(counters.clone()),
            identities,
            presences,
            resumption,
            live,
            counters,
            unready: AtomicBool::new(false),
            draining: AtomicBool::new(false),
        }))
    }
}

impl fmt::Debug for ChannelsBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChannelsBuilder").field("limits", &self.limits).finish_non_exhaustive()
    }
}

/// Why a server's settings make no node. Of settings that were [loaded](Settings::load) each is checked already.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidSettings {
    /// In `origins`.
    #[error("origins: {0}")]
    Origins(#[from] ParseOriginPolicyError),
    /// In `trusted_proxies`.
    #[error("trusted_proxies: {0}")]
    TrustedProxies(#[from] ParseTrustedProxiesError),
    /// `secret_key_fallbacks` without `secret_key`.
    #[error("secret_key_fallbacks: there is no secret_key beside them, and they seal nothing")]
    OnlyFallbacks,
}

/// Why a message was not sent to a group or channel.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BroadcastError {
    /// The message cannot be written.
    #[error(transparent)]
    Message(#[from] MessageError),
    /// The channel layer did not take it.
    #[error(transparent)]
    Layer(#[from] LayerError),
    /// The id of a message that is to be sent once.
    #[error("the id of a message has 1 to 128 bytes, and this one has {bytes}")]
    Id {
        /// How long it is.
        bytes: usize,
    },
}
