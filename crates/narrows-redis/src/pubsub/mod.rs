//! The pub/sub layer: every group is a Redis channel.

mod cluster;
mod router;
mod servers;
mod subscriber;

use std::sync::Arc;

use bytes::Bytes;
use narrows_core::{ChannelLayer, Inbound, LayerError, PayloadFormat, Topic, TopicKind};
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};

use self::router::{Name, Router};
use self::servers::{Server, Servers};
use self::subscriber::Request;
use crate::link::CallError;
use crate::options::{OptionsError, RedisOptions};
use crate::thread::Thread;

/// How often one message is sent on to where its name has moved.
const MOVES: usize = 5;

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
        let shared = Shared { own: format!("{own}specific."), servers, router, options };
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

    fn deadline(&self) -> Instant {
        Instant::now() + self.options.answer_timeout
    }

    /// The server of a name, looked up within the time.
    async fn server_of(&self, name: &Name, deadline: Instant) -> Result<Arc<Server>, LayerError> {
        match timeout_at(deadline, self.servers.of(name)).await {
            Ok(server) => server,
            Err(_) => Err(self.nobody_tells()),
        }
    }

    /// Looks up anew, within the time, who has what.
    async fn refresh(&self, deadline: Instant) -> Result<(), LayerError> {
        match timeout_at(deadline, self.servers.refresh()).await {
            Ok(refreshed) => refreshed,
            Err(_) => Err(self.nobody_tells()),
        }
    }

    fn nobody_tells(&self) -> LayerError {
        // Whoever comes later is to find it known.
        self.servers.look_up_anew();
        let answer = self.options.answer_timeout;
        LayerError::Unavailable(format!("no server of the cluster has told its slots in {answer:?}").into())
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
        let deadline = self.deadline();
        for _ in 0..MOVES {
            let server = self.server_of(name, deadline).await?;
            self.router.place(name, server.number);
            match self.ask(&server, |done| Request::Subscribe(name.clone(), done), deadline).await {
                Err(CallError::Moved) => self.refresh(deadline).await?,
                other => return Ok(other?),
            }
        }
        Err(CallError::Moved.into())
    }

    async fn unsubscribe(&self, name: Name) -> Result<(), LayerError> {
        let Some(server) = self.router.forget(&name).and_then(|number| self.servers.get(number)) else {
            return Ok(());
        };
        match self.ask(&server, |done| Request::Unsubscribe(name, done), self.deadline()).await {
            // The subscription ends with the link; and should it not, its first message brings the end of it.
            Err(CallError::Moved | CallError::Layer(LayerError::Unavailable(_))) => Ok(()),
            other => Ok(other?),
        }
    }

    async fn publish(&self, name: &Name, payload: Bytes) -> Result<(), LayerError> {
        let payload = self.router.wire.seal(payload);
        self.options.fits(&payload)?;
        let mut publish = redis::cmd(if self.servers.is_cluster() { "SPUBLISH" } else { "PUBLISH" });
        publish.arg(&**name).arg(&payload[..]);
        let deadline = self.deadline();
        for _ in 0..MOVES {
            match self.server_of(name, deadline).await?.link.call(&publish, deadline).await {
                Err(CallError::Moved) => self.refresh(deadline).await?,
                Err(CallError::Layer(error)) => {
                    if let LayerError::Unavailable(_) = error {
                        self.servers.look_up_anew();
                    }
                    return Err(error);
                }
                Ok(_) => return Ok(()),
            }
        }
        Err(CallError::Moved.into())
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

    fn new_channel(&self) -> String {
        format!("{}{:032x}", self.shared.own, rand::random::<u128>())
    }
}
