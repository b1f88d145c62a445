use std::collections::HashSet;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};
use std::time::Duration;

use narrows_core::LayerError;
use tokio::runtime::Handle;
use tokio::sync::{Notify, mpsc};

use super::cluster::{self, Slots};
use super::router::Router;
use super::subscriber::{Request, Subscriber};
use crate::connect::Connector;
use crate::link::Link;
use crate::options::RedisOptions;
use crate::shard::shard_of;

/// The servers that share the names among them: a list that the site gave, or the masters of a cluster.
#[derive(Debug)]
pub(super) struct Servers {
    /// A server keeps its number; that of one that is gone is not used again.
    list: RwLock<Vec<Option<Arc<Server>>>>,
    start: Start,
    pub(super) cluster: Option<Slots>,
}

/// One server: the link for publishing, and the one for subscriptions.
#[derive(Debug)]
pub(super) struct Server {
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

    pub(super) fn is_cluster(&self) -> bool {
        self.cluster.is_some()
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
