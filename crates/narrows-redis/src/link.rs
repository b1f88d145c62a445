use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use narrows_core::LayerError;
use redis::aio::MultiplexedConnection;
use redis::{Cmd, ErrorKind, Pipeline, RedisError, ServerErrorKind, Value};
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

use crate::backoff::Backoff;
use crate::connect::Connector;

/// The connection for commands to one Redis, which comes back by itself. Commands of many tasks share it; each waits
/// for its own answer only.
#[derive(Debug, Clone)]
pub(crate) struct Link(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    connector: Connector,
    state: Mutex<State>,
    changed: Notify,
    answer: Duration,
}

#[derive(Debug, Default)]
struct State {
    /// The connection, and how it is said to be broken.
    up: Option<(MultiplexedConnection, Arc<Notify>)>,
    /// Which connection this is, so that late bad news of one before is not taken for its own.
    number: u64,
    /// Why the last attempt failed. While it is known, nobody waits.
    failing: Option<Arc<str>>,
}

/// A command's error, and whether it is worth asking elsewhere.
#[derive(Debug)]
pub(crate) enum CallError {
    /// In a cluster another server has it.
    Moved,
    Layer(LayerError),
}

impl Link {
    /// The link, and the work that keeps it up.
    pub(crate) fn new(connector: Connector, answer: Duration) -> (Self, impl Future<Output = ()> + Send) {
        let link = Self(Arc::new(Inner {
            connector,
            state: Mutex::default(),
            changed: Notify::new(),
            answer,
        }));
        // The work must not keep alive what would end it.
        let weak = Arc::downgrade(&link.0);
        let connector = link.0.connector.clone();
        let work = async move {
            let mut backoff = Backoff::new();
            loop {
                let connected = connector.connect(|_| {}).await;
                let Some(inner) = weak.upgrade() else { return };
                let connection = match connected {
                    Ok(connection) => connection,
                    Err(error) => {
                        if inner.fail(error.to_string().into()) {
                            tracing::warn!(redis = %connector.host(), %error, "redis cannot be reached");
                        }
                        drop(inner);
                        backoff.pause().await;
                        continue;
                    }
                };
                let broken = inner.up(connection.redis.clone());
                backoff.reset();
                let why = tokio::select! {
                    why = connection.lost() => why,
                    () = broken.notified() => "a command was not answered".to_owned(),
                };
                inner.down();
                tracing::warn!(redis = %connector.host(), %why, "the link to redis is down");
            }
        };
        (link, work)
    }

    pub(crate) async fn call(&self, command: &Cmd) -> Result<Value, CallError> {
        let (mut redis, number) = self.connection().await?;
        let answer = redis.send_packed_command(command).await.and_then(Value::extract_error);
        answer.map_err(|error| self.error(error, number))
    }

    /// The answers to all of a pipeline's commands.
    pub(crate) async fn call_all(&self, pipeline: &Pipeline) -> Result<Vec<Value>, CallError> {
        let (mut redis, number) = self.connection().await?;
        pipeline.query_async(&mut redis).await.map_err(|error| self.error(error, number))
    }

    pub(crate) async fn connection(&self) -> Result<(MultiplexedConnection, u64), CallError> {
        let deadline = Instant::now() + self.0.answer;
        loop {
            // Made before the look, so that nothing slips in between.
            let changed = self.0.changed.notified();
            match &*self.0.state() {
                State { up: Some((redis, _)), number, .. } => return Ok((redis.clone(), *number)),
                State { failing: Some(why), .. } => return Err(unavailable(why)),
                State { .. } => {}
            }
            if timeout_at(deadline, changed).await.is_err() {
                let why = format!("{}: no connection in {:?}", self.0.connector.host(), self.0.answer);
                return Err(unavailable(&why));
            }
        }
    }

    /// What an error says about this link, and to the caller.
    pub(crate) fn error(&self, error: RedisError, number: u64) -> CallError {
        let (error, broken) = CallError::of(error);
        if broken {
            self.0.broke(number);
        }
        error
    }
}

impl CallError {
    /// What an error is to the caller, and whether the connection is no longer good.
    pub(crate) fn of(error: RedisError) -> (Self, bool) {
        use ServerErrorKind::{BusyLoading, ClusterDown, MasterDown, Moved, ReadOnly, TryAgain};
        let broken = match error.kind() {
            ErrorKind::Server(Moved) => return (Self::Moved, false),
            ErrorKind::Server(BusyLoading | ClusterDown | TryAgain) => false,
            // A master that is one no longer: the next look finds the new one.
            ErrorKind::Server(ReadOnly | MasterDown) => true,
            ErrorKind::Server(_) | ErrorKind::Extension => {
                return (Self::Layer(LayerError::Refused(error.into())), false);
            }
            _ => true,
        };
        (Self::Layer(LayerError::Unavailable(error.into())), broken)
    }
}

fn unavailable(why: &str) -> CallError {
    CallError::Layer(LayerError::Unavailable(why.into()))
}

impl Inner {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn up(&self, redis: MultiplexedConnection) -> Arc<Notify> {
        let broken = Arc::new(Notify::new());
        let mut state = self.state();
        *state = State { up: Some((redis, broken.clone())), number: state.number + 1, failing: None };
        drop(state);
        self.changed.notify_waiters();
        broken
    }

    fn down(&self) {
        self.state().up = None;
    }

    /// `true` for the first failure in a row.
    fn fail(&self, why: Arc<str>) -> bool {
        let first = self.state().failing.replace(why).is_none();
        self.changed.notify_waiters();
        first
    }

    fn broke(&self, number: u64) {
        let state = self.state();
        if let (Some((_, broken)), true) = (&state.up, state.number == number) {
            broken.notify_one();
        }
    }
}

impl From<CallError> for LayerError {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Layer(error) => error,
            CallError::Moved => Self::Unavailable("the cluster is moving this name".into()),
        }
    }
}
