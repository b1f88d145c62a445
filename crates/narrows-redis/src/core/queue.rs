use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use narrows_core::{LayerError, Skipped, Take, Topic};
use redis::aio::ConnectionLike;
use redis::Value;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;

use super::receiver::popped;
use super::{Shared, now};
use crate::backoff::Backoff;
use crate::connect::Connection;

/// How long Redis is asked to wait for a message. Short, as nobody can be told to stop waiting without the risk of
/// losing what comes at that moment.
const BLOCK: Duration = Duration::from_secs(1);

/// One taker of a named channel: it pops a message when somebody asks for one, on whichever host it comes.
///
/// What was popped and nobody took goes back to where it was.
pub(super) struct Popper(Option<Open>);

struct Open {
    shared: Arc<Shared>,
    key: String,
    /// Whether somebody asks. The poppers end when it is dropped.
    demand: watch::Sender<bool>,
    ready: mpsc::Receiver<Popped>,
    poppers: Vec<JoinHandle<()>>,
}

struct Popped {
    host: usize,
    wire: Vec<u8>,
    score: f64,
}

impl Popper {
    pub(super) fn open(shared: &Arc<Shared>, channel: &str) -> Self {
        let key = format!("{}{channel}", shared.options.prefix);
        let (demand, _) = watch::channel(false);
        let (found, ready) = mpsc::channel(shared.hosts.len());
        let poppers = (0..shared.hosts.len()).map(|host| {
            let popper = pop(shared.clone(), host, key.clone(), demand.subscribe(), found.clone());
            shared.runtime.spawn(popper)
        });
        let poppers = poppers.collect();
        Self(Some(Open { shared: shared.clone(), key, demand, ready, poppers }))
    }
}

impl Open {
    async fn take(&mut self) -> Result<Bytes, LayerError> {
        loop {
            let found = {
                let _asking = Asking::new(&self.demand);
                self.ready.recv().await.ok_or(LayerError::Closed)?
            };
            let (shared, expiry) = (&self.shared, self.shared.options.expiry);
            if found.score < now() - expiry.as_secs_f64() {
                shared.inlet.skip(Skipped::Expired, &self.key);
                continue;
            }
            match shared.wire.open_addressed(found.wire, shared.max_age()) {
                Ok(message) => return Ok(message.payload),
                Err(why) => shared.inlet.skip(why, &self.key),
            }
        }
    }

    async fn close(self) {
        let Self { shared, key, demand, mut ready, poppers } = self;
        drop(demand);
        for popper in poppers {
            if let Err(error) = popper.await {
                tracing::debug!(%error, "a popper did not end in order");
            }
        }
        while let Ok(Popped { host, wire, score }) = ready.try_recv() {
            let mut back = redis::cmd("ZADD");
            back.arg(&key).arg(format!("{score:.6}")).arg(wire);
            if let Err(error) = shared.hosts[host].link.call(&back).await {
                tracing::warn!(key, ?error, "a message that was not handled could not be put back");
            }
        }
    }
}

impl Take for Popper {
    fn take(&mut self) -> Pin<Box<dyn Future<Output = Result<Bytes, LayerError>> + Send + '_>> {
        Box::pin(async {
            match &mut self.0 {
                Some(open) => open.take().await,
                None => Err(LayerError::Closed),
            }
        })
    }

    fn close(mut self: Box<Self>) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let open = self.0.take();
        Box::pin(async {
            if let Some(open) = open {
                open.close().await;
            }
        })
    }
}

impl Drop for Popper {
    fn drop(&mut self) {
        if let Some(open) = self.0.take() {
            open.shared.runtime.clone().spawn(open.close());
        }
    }
}

/// Says that somebody asks, for as long as that is so.
struct Asking<'a>(&'a watch::Sender<bool>);

impl<'a> Asking<'a> {
    fn new(demand: &'a watch::Sender<bool>) -> Self {
        demand.send_replace(true);
        Self(demand)
    }
}

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        self.0.send_replace(false);
    }
}

/// Pops on one host, one message at a time, while somebody asks.
async fn pop(
    shared: Arc<Shared>,
    host: usize,
    key: String,
    mut demand: watch::Receiver<bool>,
    found: mpsc::Sender<Popped>,
) {
    let connector = &shared.hosts[host].connector;
    let mut backoff = Backoff::new();
    let mut connection = None;
    loop {
        // Room first: what is popped then has a place, whatever comes between.
        let Ok(room) = found.reserve().await else { return };
        if demand.wait_for(|asked| *asked).await.is_err() {
            return;
        }
        let open = match &connection {
            Some(open) => open,
            None => match connector.connect(|_| {}).await {
                Ok(open) => connection.insert(open),
                Err(error) => {
                    tracing::debug!(redis = %connector.host(), %error, "redis cannot be reached for a queue");
                    backoff.pause().await;
                    continue;
                }
            },
        };
        match pop_one(&shared, open, &key).await {
            Ok(Some((wire, score))) => room.send(Popped { host, wire, score }),
            Ok(None) => {}
            Err(why) => {
                tracing::warn!(redis = %connector.host(), %why, key, "the link to redis for a queue is down");
                connection = None;
                backoff.pause().await;
                continue;
            }
        }
        backoff.reset();
    }
}

async fn pop_one(
    shared: &Shared,
    connection: &Connection,
    key: &str,
) -> Result<Option<(Vec<u8>, f64)>, String> {
    connection.still_master().await?;
    let mut redis = connection.redis.clone();
    redis.set_response_timeout(BLOCK + shared.options.answer_timeout);
    let mut pop = redis::cmd("BZPOPMIN");
    pop.arg(key).arg(BLOCK.as_secs());
    let answer = redis.req_packed_command(&pop).await.and_then(Value::extract_error);
    Ok(answer.map(popped).map_err(|error| error.to_string())?.pop())
}

/// A named channel that a connection listens to: what is popped goes to the node.
#[derive(Debug)]
pub(super) struct Forward {
    end: oneshot::Sender<()>,
    work: JoinHandle<()>,
}

impl Forward {
    pub(super) fn start(shared: &Arc<Shared>, topic: &Topic) -> Self {
        let (end, mut ended) = oneshot::channel();
        let mut popper = Popper::open(shared, topic.name());
        let (shared, topic) = (shared.clone(), topic.clone());
        let work = shared.runtime.clone().spawn(async move {
            loop {
                tokio::select! {
                    biased;
                    _ = &mut ended => return Box::new(popper).close().await,
                    taken = popper.take() => match taken {
                        Ok(payload) => shared.inlet.deliver(&topic, payload),
                        Err(_) => return,
                    },
                }
            }
        });
        Self { end, work }
    }

    pub(super) async fn end(self) {
        drop(self.end);
        if let Err(error) = self.work.await {
            tracing::debug!(%error, "a forward did not end in order");
        }
    }
}
