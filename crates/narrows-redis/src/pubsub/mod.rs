//! The pub/sub layer: every group is a Redis channel.

mod cluster;
mod histories;
mod router;
mod servers;
mod subscriber;

use std::sync::Arc;

use bytes::Bytes;
use narrows_core::{
    ChannelLayer, ClaimStore, HistoryStore, Inbound, LayerError, PayloadFormat, PresenceStore, Topic,
    TopicKind,
};
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};

use self::router::{Name, Router};
pub(crate) use self::servers::Servers;
use self::servers::{MOVES, Server};
use self::subscriber::Request;
use crate::claims::Claims;
use crate::histories::Histories;
use crate::link::{Ask, CallError};
use crate::options::{OptionsError, RedisOptions};
use crate::presence::Presences;
use crate::stores::Stores;
use crate::thread::Thread;

/// A channel layer on Redis' publish and subscribe: the one to take for several nodes.
///
/// ```no_run
/// use narrows_redis::{PubSubLayer, RedisOptions};
///
/// let layer = PubSubLayer::new(RedisOptions::new("redis://127.0.0.1:6379".parse()?))?;
/// // narrows::Channels::with_layer(layer)
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// It is on the wire what channels_redis calls `RedisPubSubChannelLayer`, so Django processes with that layer, the same
/// hosts, prefix, serializer and keys are part of the system. Redis keeps nothing: a message reaches the nodes that
/// are connected, at once, and nobody later. A named channel's messages reach each of its workers.
///
/// Connections open when they are first needed, on a thread of the layer's own, and come back by themselves; the nodes
/// are told of the gap then ([`Gap::Reconnected`](narrows_core::Gap)). While Redis is away, publishing is an error
/// after [`answer_timeout`](RedisOptions::answer_timeout) at the latest.
///
/// On a Redis Cluster (7 or later) it uses sharded publish and subscribe.
#[derive(Debug)]
pub struct PubSubLayer {
    shared: Arc<Shared>,
    thread: Thread,
}

#[derive(Debug)]
struct Shared {
    /// What this node's own channels begin with.
    own: String,
    servers: Arc<Servers>,
    router: Arc<Router>,
    stores: Stores,
    presences: Presences,
    options: RedisOptions,
}

impl PubSubLayer {
    /// A layer of one node.
    ///
    /// # Errors
    /// [`OptionsError`] when the options make no layer. That Redis cannot be reached is none: it may come.
    pub fn new(options: RedisOptions) -> Result<Self, OptionsError> {
        let connectors = options.connectors()?;
        let thread = Thread::start().map_err(OptionsError::Thread)?;
        let router = Arc::new(Router::new(options.wire()));
        let servers = Servers::new(connectors, &options, thread.handle(), router.clone());
        // A connection's own channel must keep the rule for names, whatever the prefix.
        let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        let own: String = options.prefix.chars().take(40).map(|c| if legal(c) { c } else { '-' }).collect();
        let stores = Stores::on_pubsub(servers.clone(), &options.prefix, thread.handle());
        let presences = Presences::new(stores.clone(), &options);
        let shared = Shared { own: format!("{own}specific."), servers, router, stores, presences, options };
        Ok(Self { shared: Arc::new(shared), thread })
    }
}

impl Shared {
    /// The Redis channel of a topic: `{prefix}__group__{group}`, and a channel's name as it is.
    fn name(&self, topic: &Topic) -> Name {
        match topic.kind() {
            TopicKind::Group => [self.options.prefix.as_str(), "__group__", topic.name()].concat().into(),
            TopicKind::Channel => topic.name().into(),
        }
    }

    /// Asks the one who holds a server's subscriptions.
    async fn ask(
        &self,
        server: &Server,
        request: impl FnOnce(oneshot::Sender<Result<(), CallError>>) -> Request,
        deadline: Instant,
    ) -> Result<(), CallError> {
        let (done, answer) = oneshot::channel();
        let asked = async {
            server.subscriber().send(request(done)).await.ok()?;
            answer.await.ok()
        };
        match timeout_at(deadline, asked).await {
            Ok(Some(answer)) => answer,
            Ok(None) => Err(CallError::Layer(LayerError::Closed)),
            Err(_) => {
                let why =
                    format!("{}: no answer in {:?}", server.connector.host(), self.options.answer_timeout);
                Err(CallError::Layer(LayerError::Unavailable(why.into())))
            }
        }
    }

    async fn subscribe(&self, name: &Name) -> Result<(), LayerError> {
        let deadline = self.servers.deadline();
        for _ in 0..MOVES {
            let server = self.servers.of_in_time(name, deadline).await?;
            self.router.place(name, server.number);
            match self.ask(&server, |done| Request::Subscribe(name.clone(), done), deadline).await {
                Err(CallError::Moved) => self.servers.refresh_in_time(deadline).await?,
                other => return Ok(other?),
            }
        }
        Err(CallError::Moved.into())
    }

    async fn unsubscribe(&self, name: Name) -> Result<(), LayerError> {
        let Some(server) = self.router.forget(&name).and_then(|number| self.servers.get(number)) else {
            return Ok(());
        };
        match self.ask(&server, |done| Request::Unsubscribe(name, done), self.servers.deadline()).await {
            // The subscription ends with the link; and should it not, its first message brings the end of it.
            Err(CallError::Moved | CallError::Layer(LayerError::Unavailable(_))) => Ok(()),
            other => Ok(other?),
        }
    }

    fn publish_command(&self) -> &'static str {
        if self.servers.is_cluster() { "SPUBLISH" } else { "PUBLISH" }
    }

    async fn publish(&self, name: &Name, payload: Bytes) -> Result<(), LayerError> {
        let payload = self.router.wire.seal(payload);
        self.options.fits(&payload)?;
        let mut publish = redis::cmd(self.publish_command());
        publish.arg(&**name).arg(&payload[..]);
        let deadline = self.servers.deadline();
        self.servers.ask(name, Ask::Command(&publish), deadline).await.map(drop)
    }
}

impl ChannelLayer for PubSubLayer {
    fn start(&self, inbound: Inbound) {
        self.shared.router.inlet.start(inbound);
    }

    fn format(&self) -> PayloadFormat {
        self.shared.router.wire.format
    }

    async fn subscribe(&self, topic: &Topic) -> Result<(), LayerError> {
        if !self.shared.router.inlet.is_started() {
            return Err(LayerError::Closed);
        }
        let (shared, topic) = (self.shared.clone(), topic.clone());
        self.thread
            .run(async move {
                let name = shared.name(&topic);
                shared.router.want(name.clone(), topic);
                let subscribed = shared.subscribe(&name).await;
                if subscribed.is_err() {
                    // Should it be subscribed after all, its first message brings the end of it.
                    shared.router.forget(&name);
                }
                subscribed
            })
            .await
    }

    async fn unsubscribe(&self, topic: &Topic) -> Result<(), LayerError> {
        let (shared, name) = (self.shared.clone(), self.shared.name(topic));
        self.thread.run(async move { shared.unsubscribe(name).await }).await
    }

    async fn publish(&self, topic: &Topic, payload: Bytes) -> Result<(), LayerError> {
        let (shared, name) = (self.shared.clone(), self.shared.name(topic));
        self.thread.run(async move { shared.publish(&name, payload).await }).await
    }

    fn history(&self) -> Option<HistoryStore> {
        self.shared.stores.is_possible().then(|| HistoryStore::new(Histories(self.shared.clone())))
    }

    fn claims(&self) -> Option<ClaimStore> {
        self.shared.stores.is_possible().then(|| ClaimStore::new(Claims::new(self.shared.stores.clone())))
    }

    fn presence(&self) -> Option<PresenceStore> {
        self.shared.stores.is_possible().then(|| PresenceStore::new(self.shared.presences.clone()))
    }

    fn new_channel(&self) -> String {
        format!("{}{:032x}", self.shared.own, rand::random::<u128>())
    }
}
