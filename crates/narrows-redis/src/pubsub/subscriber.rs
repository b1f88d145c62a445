use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use narrows_core::LayerError;
use redis::aio::ConnectionLike;
use redis::Value;
use tokio::sync::{Notify, mpsc, oneshot};

use super::router::{Name, Router, Verdict};
use crate::backoff::Backoff;
use crate::connect::{Connection, Connector};
use crate::link::CallError;

/// What a server's subscriber is asked for, one after another.
#[derive(Debug)]
pub(super) enum Request {
    Subscribe(Name, oneshot::Sender<Result<(), CallError>>),
    Unsubscribe(Name, oneshot::Sender<Result<(), CallError>>),
    /// Something came for a name that nobody wants.
    Stray(Name),
}

/// So many names go to Redis at once: few enough that its other clients do not notice.
const BATCH: usize = 512;

/// The one that holds a server's connection for subscriptions.
pub(super) struct Subscriber {
    pub(super) connector: Connector,
    pub(super) number: usize,
    pub(super) router: Arc<Router>,
    pub(super) requests: mpsc::Receiver<Request>,
    /// For itself, weak: it ends when nobody else asks any more.
    pub(super) asking: mpsc::WeakSender<Request>,
    /// Set in a cluster: woken when names are to be looked up anew.
    pub(super) moved: Option<Arc<Notify>>,
    /// Whether this server is the only one, so that its gap is everybody's.
    pub(super) alone: bool,
}

impl Subscriber {
    pub(super) async fn run(mut self) {
        let Some(first) = self.requests.recv().await else { return };
        let mut waiting = vec![first];
        let mut lost = false;
        loop {
            let displaced = Arc::new(Notify::new());
            let Some(connection) = self.connect(&mut waiting, displaced.clone()).await else { return };
            if lost && !self.resume(&connection).await {
                continue;
            }
            let why = loop {
                if !waiting.is_empty() && !self.answer(&connection, &mut waiting).await {
                    break "a command was not answered".to_owned();
                }
                tokio::select! {
                    count = self.requests.recv_many(&mut waiting, BATCH) => if count == 0 { return },
                    why = connection.lost() => break why,
                    () = displaced.notified() => break "its names are moving".to_owned(),
                }
            };
            tracing::warn!(redis = %self.connector.host(), %why, "the subscriptions' link to redis is down");
            lost = true;
            self.look_up_anew();
        }
    }

    /// Connects, however long that takes. Who waits meanwhile is told, after each attempt, that there is no link.
    /// `None` when nobody is there any more.
    async fn connect(&mut self, waiting: &mut Vec<Request>, displaced: Arc<Notify>) -> Option<Connection> {
        let mut backoff = Backoff::new();
        let failed = AtomicBool::new(false);
        loop {
            let (router, number) = (self.router.clone(), self.number);
            let (asking, displaced) = (self.asking.clone(), displaced.clone());
            let on_push = move |push| match router.take(number, push) {
                Verdict::Fine => {}
                Verdict::Displaced => displaced.notify_one(),
                Verdict::Stray(name) => {
                    if let Some(asking) = asking.upgrade() {
                        // With no room now, the next message asks again.
                        let _ = asking.try_send(Request::Stray(name));
                    }
                }
            };
            match self.connector.connect(on_push).await {
                Ok(connection) => return Some(connection),
                Err(error) => {
                    if !failed.swap(true, Ordering::Relaxed) {
                        tracing::warn!(redis = %self.connector.host(), %error, "redis cannot be reached for subscriptions");
                    }
                    let why = error.to_string();
                    while let Ok(request) = self.requests.try_recv() {
                        waiting.push(request);
                    }
                    for request in waiting.drain(..) {
                        request.fail(|| CallError::Layer(LayerError::Unavailable(why.as_str().into())));
                    }
                    if self.requests.is_closed() {
                        return None;
                    }
                    self.look_up_anew();
                    backoff.pause().await;
                }
            }
        }
    }

    /// Subscribes again to all that is wanted here, and tells of the gap. `false` when the link is gone again.
    async fn resume(&self, connection: &Connection) -> bool {
        let names = self.router.on(self.number);
        for names in names.chunks(BATCH) {
            let commands = names.iter().map(|name| (self.command(true), name));
            let Some(answers) = send(connection, commands).await else { return false };
            if answers.iter().any(|answer| matches!(answer, Err(CallError::Moved))) {
                self.look_up_anew();
            }
            if let Some(Err(CallError::Layer(error))) = answers.iter().find(|a| matches!(a, Err(CallError::Layer(_)))) {
                tracing::error!(redis = %self.connector.host(), %error, "a subscription did not come back");
            }
        }
        tracing::info!(redis = %self.connector.host(), subscriptions = names.len(), "the subscriptions are back");
        self.router.gap(&names, self.alone);
        true
    }

    /// Does what was asked for, in order, and answers. `false` when the link is gone.
    async fn answer(&self, connection: &Connection, waiting: &mut Vec<Request>) -> bool {
        // Wanted again since: its subscription has come, or will.
        waiting.retain(|request| {
            !matches!(request, Request::Stray(name) if self.router.is_wanted(name, self.number))
        });
        let commands = waiting.iter().map(|request| match request {
            Request::Subscribe(name, _) => (self.command(true), name),
            Request::Unsubscribe(name, _) | Request::Stray(name) => (self.command(false), name),
        });
        let answers = send(connection, commands).await;
        let alive = answers.is_some();
        let mut answers = answers.unwrap_or_default().into_iter();
        for request in waiting.drain(..) {
            let answer = answers.next().unwrap_or_else(|| {
                let why = format!("{}: the link is down", self.connector.host());
                Err(CallError::Layer(LayerError::Unavailable(why.into())))
            });
            match request {
                Request::Subscribe(_, done) | Request::Unsubscribe(_, done) => {
                    // Whoever no longer waits has given up.
                    let _ = done.send(answer);
                }
                Request::Stray(_) => {}
            }
        }
        alive
    }

    fn command(&self, subscribe: bool) -> &'static str {
        match (self.moved.is_some(), subscribe) {
            (false, true) => "SUBSCRIBE",
            (false, false) => "UNSUBSCRIBE",
            (true, true) => "SSUBSCRIBE",
            (true, false) => "SUNSUBSCRIBE",
        }
    }

    fn look_up_anew(&self) {
        if let Some(moved) = &self.moved {
            moved.notify_one();
        }
    }
}

impl Request {
    fn fail(self, error: impl FnOnce() -> CallError) {
        match self {
            Self::Subscribe(_, done) | Self::Unsubscribe(_, done) => {
                // Whoever no longer waits has given up.
                let _ = done.send(Err(error()));
            }
            Self::Stray(_) => {}
        }
    }
}

/// One command a name, all at once: Redis confirms each by itself, or refuses it. `None` when the link is gone.
async fn send<'a>(
    connection: &Connection,
    commands: impl Iterator<Item = (&'static str, &'a Name)>,
) -> Option<Vec<Result<(), CallError>>> {
    let mut pipeline = redis::pipe();
    for (command, name) in commands {
        pipeline.cmd(command).arg(&**name);
    }
    if pipeline.is_empty() {
        return Some(Vec::new());
    }
    let answers = connection.redis.clone().req_packed_commands(&pipeline, 0, pipeline.len()).await.ok()?;
    Some(answers.into_iter().map(confirmed).collect())
}

fn confirmed(answer: Value) -> Result<(), CallError> {
    answer.extract_error().map(drop).map_err(|error| CallError::of(error).0)
}
