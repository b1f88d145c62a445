use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use narrows_core::{Gap, LayerError, Skipped, Take, Topic};
use redis::Value;
use redis::aio::ConnectionLike;
use tokio::sync::{Notify, mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::receiver::popped;
use super::{Shared, now, seconds};
use crate::backoff::Backoff;
use crate::connect::{Connection, Lost};
use crate::link::CallError;

/// How long Redis is asked to wait for a message. Short, as nobody can be told to stop waiting without the risk of
/// losing what comes at that moment.
const BLOCK: Duration = Duration::from_secs(1);

/// For how long a message that was popped stays with a taker that does not ask: it may be about to.
const GRACE: Duration = Duration::from_millis(20);

/// One taker of a named channel: it pops a message when somebody asks for one, on whichever host it comes.
///
/// What was popped and nobody took goes back to where it was.
pub(super) struct Popper(Option<Open>);

struct Open {
    shared: Arc<Shared>,
    key: Arc<str>,
    /// Whether somebody asks. The poppers end when it is dropped.
    demand: watch::Sender<bool>,
    shelf: Arc<Shelf>,
    /// Ends with the poppers, should their thread end first.
    working: mpsc::Receiver<()>,
    poppers: Vec<JoinHandle<()>>,
}

/// What was popped and not yet taken: one message a host.
#[derive(Default)]
struct Shelf {
    slots: Mutex<Vec<Slot>>,
    /// For the taker, and for all poppers.
    placed: Notify,
    taken: Notify,
}

type Slot = Option<(Vec<u8>, f64)>;

impl Popper {
    /// `listener` is who is to be told when a message may have been lost with a link.
    pub(super) fn open(shared: &Arc<Shared>, channel: &str, listener: Option<&Topic>) -> Self {
        let key: Arc<str> = format!("{}{channel}", shared.options.prefix).into();
        let (demand, _) = watch::channel(false);
        let (work, working) = mpsc::channel(1);
        let shelf = Arc::<Shelf>::default();
        shelf.slots().resize(shared.hosts.len(), None);
        let poppers = (0..shared.hosts.len()).map(|host| {
            let (shared, key, shelf) = (shared.clone(), key.clone(), shelf.clone());
            let (demand, work, listener) = (demand.subscribe(), work.clone(), listener.cloned());
            shared.runtime.clone().spawn(async move {
                pop(&shared, host, &key, demand, &shelf, listener.as_ref()).await;
                drop(work);
            })
        });
        let poppers = poppers.collect();
        Self(Some(Open { shared: shared.clone(), key, demand, shelf, working, poppers }))
    }
}

impl Open {
    async fn take(&mut self) -> Result<Bytes, LayerError> {
        loop {
            let (wire, score) = {
                let _asking = Asking::new(&self.demand);
                loop {
                    if let Some(found) = self.shelf.take_oldest() {
                        break found;
                    }
                    tokio::select! {
                        () = self.shelf.placed.notified() => {}
                        _ = self.working.recv() => return Err(LayerError::Closed),
                    }
                }
            };
            let (shared, expiry) = (&self.shared, self.shared.options.expiry);
            if score < now() - expiry.as_secs_f64() {
                shared.inlet.skip(Skipped::Expired, &self.key);
                continue;
            }
            match shared.wire.open_addressed(wire, shared.max_age()) {
                Ok(message) => return Ok(message.payload),
                Err(why) => shared.inlet.skip(why, &self.key),
            }
        }
    }

    async fn close(self) {
        let Self { demand, poppers, .. } = self;
        drop(demand);
        for popper in poppers {
            if let Err(error) = popper.await {
                tracing::debug!(%error, "a popper did not end in order");
            }
        }
    }
}

impl Shelf {
    fn slots(&self) -> MutexGuard<'_, Vec<Slot>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn place(&self, host: usize, found: (Vec<u8>, f64)) {
        self.slots()[host] = Some(found);
        self.placed.notify_one();
    }

    fn take(&self, host: usize) -> Slot {
        self.slots()[host].take()
    }

    fn take_oldest(&self) -> Slot {
        let oldest = self
            .slots()
            .iter_mut()
            .filter(|slot| slot.is_some())
            .min_by(|a, b| {
                let score = |slot: &Slot| slot.as_ref().map_or(0.0, |(_, score)| *score);
                score(a).total_cmp(&score(b))
            })?
            .take();
        self.taken.notify_waiters();
        oldest
    }

    /// Returns when the message of a host was taken.
    async fn is_taken(&self, host: usize) {
        loop {
            // Made before the look, so that nothing slips in between.
            let taken = self.taken.notified();
            if self.slots()[host].is_none() {
                return;
            }
            taken.await;
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

/// For whoever takes next; it must not stay for ever when nobody does.
async fn put_back(shared: &Shared, host: usize, key: &str, wire: &[u8], score: f64) -> Result<(), CallError> {
    let mut back = redis::pipe();
    back.cmd("ZADD").arg(key).arg(format!("{score:.6}")).arg(wire);
    back.cmd("EXPIRE").arg(key).arg(seconds(shared.options.expiry));
    let link = &shared.hosts[host].link;
    link.call_all(&back, link.deadline()).await.map(drop)
}

/// Pops on one host, one message at a time, while somebody asks.
async fn pop(
    shared: &Shared,
    host: usize,
    key: &str,
    mut demand: watch::Receiver<bool>,
    shelf: &Shelf,
    listener: Option<&Topic>,
) {
    let connector = &shared.hosts[host].connector;
    let mut backoff = Backoff::new();
    let mut connection = None;
    while demand.wait_for(|asked| *asked).await.is_ok() {
        let open = match &connection {
            Some(open) => open,
            None => match connector.connect(|_| {}).await {
                Ok(open) => {
                    backoff.connected();
                    connection.insert(open)
                }
                Err(error) => {
                    tracing::debug!(redis = %connector.host(), %error, "redis cannot be reached for a queue");
                    backoff.pause().await;
                    continue;
                }
            },
        };
        match pop_one(shared, open, key).await {
            Ok(Some(found)) => {
                shelf.place(host, found);
                hand_over(shared, host, key, &mut demand, shelf).await;
            }
            Ok(None) => {}
            Err(why) => {
                if backoff.is_news() {
                    tracing::warn!(redis = %connector.host(), %why, key, "the link to redis for a queue is down");
                }
                // A message may have been on its way here.
                if let Some(topic) = listener {
                    shared.inlet.gap(Some(topic), Gap::Reconnected);
                }
                connection = None;
                backoff.pause().await;
            }
        }
    }
}

/// Returns when a message that was popped was taken, or is back in Redis, where others may have it.
async fn hand_over(
    shared: &Shared,
    host: usize,
    key: &str,
    demand: &mut watch::Receiver<bool>,
    shelf: &Shelf,
) {
    loop {
        tokio::select! {
            () = shelf.is_taken(host) => return,
            () = unasked(demand) => {}
        }
        let closing = demand.has_changed().is_err();
        let link = &shared.hosts[host].link;
        if !closing && link.connection(link.deadline()).await.is_err() {
            // It cannot go back; but somebody may ask for it here.
            continue;
        }
        let Some((wire, score)) = shelf.take(host) else { return };
        if let Err(error) = put_back(shared, host, key, &wire, score).await {
            // It may have gone back all the same: kept here, it could be taken twice.
            tracing::warn!(key, ?error, "a message that was not handled could not be put back");
        }
        return;
    }
}

/// Returns when nobody has asked for a while, or nobody will any more.
async fn unasked(demand: &mut watch::Receiver<bool>) {
    while demand.wait_for(|asked| !*asked).await.is_ok() {
        match timeout(GRACE, demand.wait_for(|asked| *asked)).await {
            Ok(Ok(_)) => {}
            Ok(Err(_)) | Err(_) => return,
        }
    }
}

async fn pop_one(
    shared: &Shared,
    connection: &Connection,
    key: &str,
) -> Result<Option<(Vec<u8>, f64)>, String> {
    if connection.is_demoted() {
        return Err(Lost::Demoted.to_string());
    }
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
        let mut popper = Popper::open(shared, topic.name(), Some(topic));
        let (shared, topic) = (shared.clone(), topic.clone());
        let work = shared.runtime.clone().spawn(async move {
            loop {
                tokio::select! {
                    biased;
                    _ = &mut ended => return Box::new(popper).close().await,
                    taken = popper.take() => match taken {
                        Ok(payload) => shared.inlet.deliver(&topic, payload, None),
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
