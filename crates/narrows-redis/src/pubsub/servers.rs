use std::collections::HashSet;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};
use std::time::Duration;

use narrows_core::LayerError;
use redis::Value;
use tokio::runtime::Handle;
use tokio::sync::{Notify, mpsc};
use tokio::time::{Instant, sleep, timeout_at};

use super::cluster::{self, Slots};
use super::router::Router;
use super::subscriber::{Request, Subscriber};
use crate::connect::Connector;
use crate::link::{Ask, CallError, Link};
use crate::options::RedisOptions;
use crate::shard::shard_of;

/// How often one call is sent on to where its name has moved.
pub(super) const MOVES: usize = 5;

/// How soon what is on its way to another server is asked for again: all of it is there soon, or here again.
const PAUSE: Duration = Duration::from_millis(20);

/// The servers that share the names among them: a list that the site gave, or the masters of a cluster.
#[derive(Debug)]
pub(crate) struct Servers {
    /// A server keeps its number; that of one that is gone is not used again.
    list: RwLock<Vec<Option<Arc<Server>>>>,
    start: Start,
    pub(super) cluster: Option<Slots>,
}

/// One server: the link for publishing, and the one for subscriptions.
#[derive(Debug)]
pub(crate) struct Server {
    pub(super) number: usize,
    pub(super) connector: Connector,
    pub(super) link: Link,
    requests: mpsc::Sender<Request>,
}

/// What it takes to begin with one more server.
#[derive(Debug, Clone)]
struct Start {
    runtime: Handle,
    router: Arc<Router>,
    /// How long an answer may take.
    answer: Duration,
    moved: Option<Arc<Notify>>,
    alone: bool,
}

impl Servers {
    pub(super) fn new(
        connectors: Vec<Connector>,
        options: &RedisOptions,
        runtime: Handle,
        router: Arc<Router>,
    ) -> Arc<Self> {
        let moved = options.is_cluster().then(|| Arc::new(Notify::new()));
        let alone = connectors.len() == 1 && moved.is_none();
        let start = Start { runtime, router, answer: options.answer_timeout, moved, alone };
        let cluster = start.moved.clone().map(|moved| Slots::new(connectors.clone(), moved));
        let servers = Self { list: RwLock::default(), start, cluster };
        if servers.cluster.is_none() {
            for connector in connectors {
                servers.add(connector);
            }
        }
        let servers = Arc::new(servers);
        if servers.cluster.is_some() {
            let follow = cluster::follow(Arc::downgrade(&servers), servers.start.router.clone());
            servers.start.runtime.spawn(follow);
        }
        servers
    }

    pub(crate) fn is_cluster(&self) -> bool {
        self.cluster.is_some()
    }

    /// Whether there is one server, and will never be another.
    pub(crate) fn is_alone(&self) -> bool {
        self.start.alone
    }

    /// The slot of a key or a Redis channel in a cluster.
    pub(crate) fn slot_of(name: &str) -> u16 {
        cluster::slot_of(name)
    }

    /// Until when whoever calls now is to have an answer.
    pub(crate) fn deadline(&self) -> Instant {
        Instant::now() + self.start.answer
    }

    /// Asks the server that has a name, wherever that has moved.
    pub(crate) async fn ask(
        &self,
        name: &str,
        what: Ask<'_>,
        deadline: Instant,
    ) -> Result<Value, LayerError> {
        let mut moves = 0;
        while moves < MOVES {
            match self.of_in_time(name, deadline).await?.link.ask_for(what, deadline).await {
                Err(CallError::Moved) => {
                    moves += 1;
                    self.refresh_in_time(deadline).await?;
                }
                Err(CallError::Moving) if Instant::now() + PAUSE < deadline => sleep(PAUSE).await,
                Err(error @ CallError::Moving) => return Err(error.into()),
                Err(CallError::Layer(error)) => {
                    if let LayerError::Unavailable(_) = error {
                        self.look_up_anew();
                    }
                    return Err(error);
                }
                Ok(answer) => return Ok(answer),
            }
        }
        Err(CallError::Moved.into())
    }

    /// The server that has a name, looked up within the time.
    pub(super) async fn of_in_time(&self, name: &str, deadline: Instant) -> Result<Arc<Server>, LayerError> {
        match timeout_at(deadline, self.of(name)).await {
            Ok(server) => server,
            Err(_) => Err(self.nobody_tells()),
        }
    }

    /// Looks up anew, within the time, who has what.
    pub(super) async fn refresh_in_time(&self, deadline: Instant) -> Result<(), LayerError> {
        match timeout_at(deadline, self.refresh()).await {
            Ok(refreshed) => refreshed,
            Err(_) => Err(self.nobody_tells()),
        }
    }

    fn nobody_tells(&self) -> LayerError {
        // Whoever comes later is to find it known.
        self.look_up_anew();
        let answer = self.start.answer;
        LayerError::Unavailable(format!("no server of the cluster has told its slots in {answer:?}").into())
    }

    /// The server that has a name.
    pub(super) async fn of(&self, name: &str) -> Result<Arc<Server>, LayerError> {
        let number = match &self.cluster {
            None => shard_of(name, self.list().len()),
            Some(slots) => slots.of(name, self).await?,
        };
        self.get(number).ok_or(LayerError::Closed)
    }

    /// Looks up anew who has which name.
    pub(super) async fn refresh(&self) -> Result<(), LayerError> {
        match &self.cluster {
            None => Ok(()),
            Some(slots) => slots.refresh(self).await,
        }
    }

    /// Says that names may have moved. Whoever follows the cluster looks at it then.
    pub(super) fn look_up_anew(&self) {
        if let Some(moved) = &self.start.moved {
            moved.notify_one();
        }
    }

    pub(super) fn get(&self, number: usize) -> Option<Arc<Server>> {
        self.list().get(number).cloned().flatten()
    }

    pub(super) fn all(&self) -> Vec<Arc<Server>> {
        self.list().iter().flatten().cloned().collect()
    }

    /// Gives up the servers that are not among these, once nothing is subscribed there.
    pub(super) fn keep(&self, numbers: &HashSet<usize>) {
        let gone = |server: &Server| {
            !numbers.contains(&server.number) && self.start.router.on(server.number).is_empty()
        };
        let gone: Vec<_> = self.all().into_iter().filter(|server| gone(server)).collect();
        let mut list = self.list.write().unwrap_or_else(PoisonError::into_inner);
        for server in gone {
            list[server.number] = None;
        }
    }

    /// The number of the server at this address, a new one if it is not known.
    pub(super) fn at(&self, connector: Connector) -> usize {
        let known =
            self.all().iter().find(|server| server.connector.host() == connector.host()).map(|s| s.number);
        known.unwrap_or_else(|| self.add(connector))
    }

    fn add(&self, connector: Connector) -> usize {
        let Start { runtime, router, answer, moved, alone } = self.start.clone();
        let mut list = self.list.write().unwrap_or_else(PoisonError::into_inner);
        let number = list.len();
        let (link, work) = Link::new(connector.clone(), answer);
        runtime.spawn(work);
        let (asking, requests) = mpsc::channel(1024);
        let subscriber = Subscriber {
            connector: connector.clone(),
            number,
            router,
            requests,
            asking: asking.downgrade(),
            moved,
            alone,
        };
        runtime.spawn(subscriber.run());
        list.push(Some(Arc::new(Server { number, connector, link, requests: asking })));
        number
    }

    fn list(&self) -> RwLockReadGuard<'_, Vec<Option<Arc<Server>>>> {
        self.list.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Server {
    pub(super) fn subscriber(&self) -> &mpsc::Sender<Request> {
        &self.requests
    }
}
