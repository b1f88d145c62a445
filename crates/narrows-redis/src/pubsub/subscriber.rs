use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use narrows_core::LayerError;
use redis::Value;
use redis::aio::ConnectionLike;
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::time::{Instant, sleep_until};

use super::router::{Name, Router, Verdict};
use crate::backoff::Backoff;
use crate::connect::{Connection, Connector, Lost};
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

/// After so long what did not come back is tried again.
const AGAIN: Duration = Duration::from_millis(500);

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
        let mut backoff = Backoff::new();
        loop {
            let displaced = Arc::new(Notify::new());
            let Some(connection) = self.connect(&mut waiting, displaced.clone(), &mut backoff).await else {
                return;
            };
            backoff.connected();
            let mut missing = if lost { self.router.on(self.number) } else { Vec::new() };
            let (mut first, mut next) = (true, Instant::now());
            let why = loop {
                if !missing.is_empty() && Instant::now() >= next {
                    match self.resume(&connection, missing, first).await {
                        Some(left) => missing = left,
                        None => break Lost::Broken("a subscription was not confirmed".to_owned()),
                    }
                    (first, next) = (false, Instant::now() + AGAIN);
                }
                if !waiting.is_empty() && !self.answer(&connection, &mut waiting).await {
                    break Lost::Broken("a subscription was not confirmed".to_owned());
                }
                tokio::select! {
                    count = self.requests.recv_many(&mut waiting, BATCH) => if count == 0 { return },
                    why = connection.lost() => break why,
                    () = displaced.notified() => break Lost::Broken("its names are moving".to_owned()),
                    () = sleep_until(next), if !missing.is_empty() => {}
                }
            };
            if backoff.is_news() {
                tracing::warn!(redis = %self.connector.host(), %why, "the subscriptions' link to redis is down");
            }
            lost = true;
            self.look_up_anew();
            drop(connection);
            backoff.pause().await;
        }
    }

    /// Connects, however long that takes. Who waits meanwhile is told, after each attempt, that there is no link.
    /// `None` when nobody is there any more.
    async fn connect(
        &mut self,
        waiting: &mut Vec<Request>,
        displaced: Arc<Notify>,
        backoff: &mut Backoff,
    ) -> Option<Connection> {
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

    /// Subscribes again to what is wanted here, and tells of the gap. Gives what did not come back and is to be tried
    /// again; `None` when the link is gone.
    async fn resume(&self, connection: &Connection, names: Vec<Name>, first: bool) -> Option<Vec<Name>> {
        let (mut back, mut missing, mut why) = (Vec::new(), Vec::new(), None);
        // Ended since, or subscribed elsewhere.
        let names: Vec<Name> =
            names.into_iter().filter(|name| self.router.is_wanted(name, self.number)).collect();
        for names in names.chunks(BATCH) {
            let answers = send(connection, names.iter().map(|name| (self.command(true), name))).await?;
            for (name, answer) in names.iter().zip(answers) {
                match answer {
                    Ok(()) => back.push(name.clone()),
                    Err(error) => {
                        missing.push(name.clone());
                        why = Some(LayerError::from(error));
                    }
                }
            }
        }
        if let Some(error) = &why {
            if first {
                let missing = missing.len();
                tracing::warn!(redis = %self.connector.host(), missing, %error, "subscriptions do not come back yet");
            }
            self.look_up_anew();
        }
        if !back.is_empty() {
            tracing::info!(redis = %self.connector.host(), subscriptions = back.len(), "the subscriptions are back");
        }
        // Where all of them came back, one notice says as much as many.
        self.router.gap(&back, self.alone && first && missing.is_empty());
        Some(missing)
    }

    /// Does what was asked for, in order, and answers. `false` when the link is gone.
    async fn answer(&self, connection: &Connection, waiting: &mut Vec<Request>) -> bool {
        // Wanted again since: its subscription has come, or will.
        waiting.retain(
            |request| !matches!(request, Request::Stray(name) if self.router.is_wanted(name, self.number)),
        );
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

    /// Where a server is gone from the cluster for good, nobody looks for what is no longer there.
    fn look_up_anew(&self) {
        if let Some(moved) = &self.moved
            && !self.router.on(self.number).is_empty()
        {
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
