use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use narrows_core::LayerError;
use redis::aio::MultiplexedConnection;
use redis::{Cmd, ErrorKind, Pipeline, RedisError, RedisResult, ScriptInvocation, ServerErrorKind, Value};
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

use crate::backoff::Backoff;
use crate::connect::{Connector, Lost};

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
    up: Option<(MultiplexedConnection, Arc<Broken>)>,
    /// Which connection this is, so that late bad news of one before is not taken for its own.
    number: u64,
    /// Why the last attempt failed. While it is known, nobody waits.
    failing: Option<Arc<str>>,
}

/// How a connection is said to be broken by those who use it.
#[derive(Debug, Default)]
struct Broken {
    said: Notify,
    /// Because nothing was answered.
    silent: AtomicBool,
}

/// What a server may be asked for with one answer.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Ask<'a> {
    Command(&'a Cmd),
    Script(&'a ScriptInvocation<'a>),
}

/// A command's error, and whether it is worth asking elsewhere.
#[derive(Debug)]
pub(crate) enum CallError {
    /// In a cluster another server has it.
    Moved,
    /// In a cluster it is on its way to another server: a part of it here, a part of it there.
    Moving,
    Layer(LayerError),
}

impl Link {
    /// The link, and the work that keeps it up.
    pub(crate) fn new(connector: Connector, answer: Duration) -> (Self, impl Future<Output = ()> + Send) {
        let link =
            Self(Arc::new(Inner { connector, state: Mutex::default(), changed: Notify::new(), answer }));
        // The work must not keep alive what would end it.
        let weak = Arc::downgrade(&link.0);
        let connector = link.0.connector.clone();
        let work = async move {
            let mut backoff = Backoff::new();
            loop {
                let connected = connector.connect(|_| {}).await;
                let Some(inner) = weak.upgrade() else { return };
                match connected {
                    Ok(connection) => {
                        let broken = inner.up(connection.redis.clone());
                        drop(inner);
                        backoff.connected();
                        let why = tokio::select! {
                            why = connection.lost() => why,
                            () = broken.said.notified() => broken.why(),
                        };
                        let Some(inner) = weak.upgrade() else { return };
                        if backoff.is_news() {
                            tracing::warn!(redis = %connector.host(), %why, "the link to redis is down");
                        }
                        inner.down(&why);
                    }
                    Err(error) => {
                        if inner.fail(error.to_string().into()) {
                            tracing::warn!(redis = %connector.host(), %error, "redis cannot be reached");
                        }
                    }
                }
                backoff.pause().await;
            }
        };
        (link, work)
    }

    /// Until when whoever calls now is to have an answer.
    pub(crate) fn deadline(&self) -> Instant {
        Instant::now() + self.0.answer
    }

    pub(crate) async fn ask_for(&self, what: Ask<'_>, deadline: Instant) -> Result<Value, CallError> {
        match what {
            Ask::Command(command) => self.call(command, deadline).await,
            Ask::Script(script) => self.call_script(script, deadline).await,
        }
    }

    pub(crate) async fn call(&self, command: &Cmd, deadline: Instant) -> Result<Value, CallError> {
        let ask = async |mut redis: MultiplexedConnection| {
            redis.send_packed_command(command).await.and_then(Value::extract_error)
        };
        self.ask(deadline, ask).await
    }

    /// The answers to all of a pipeline's commands.
    pub(crate) async fn call_all(
        &self,
        pipeline: &Pipeline,
        deadline: Instant,
    ) -> Result<Vec<Value>, CallError> {
        self.ask(deadline, async |mut redis: MultiplexedConnection| pipeline.query_async(&mut redis).await)
            .await
    }

    /// What a script answers. Redis is given its text where it does not know it.
    pub(crate) async fn call_script(
        &self,
        script: &ScriptInvocation<'_>,
        deadline: Instant,
    ) -> Result<Value, CallError> {
        let ask = async |mut redis: MultiplexedConnection| {
            script.invoke_async::<Value>(&mut redis).await.and_then(Value::extract_error)
        };
        self.ask(deadline, ask).await
    }

    async fn ask<T>(
        &self,
        deadline: Instant,
        ask: impl AsyncFnOnce(MultiplexedConnection) -> RedisResult<T>,
    ) -> Result<T, CallError> {
        let (redis, number) = self.connection(deadline).await?;
        let asked = Instant::now();
        match timeout_at(deadline, ask(redis)).await {
            Ok(answer) => answer.map_err(|error| self.error(error, number)),
            Err(_) => {
                // One that was asked only just before its time was over has shown nothing.
                if asked.elapsed() >= self.0.answer / 2 {
                    self.0.broke(number, true);
                }
                let why = format!("{}: no answer in {:?}", self.0.connector.host(), self.0.answer);
                Err(unavailable(&why))
            }
        }
    }

    pub(crate) async fn connection(
        &self,
        deadline: Instant,
    ) -> Result<(MultiplexedConnection, u64), CallError> {
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
    fn error(&self, error: RedisError, number: u64) -> CallError {
        let silent = error.is_timeout();
        let (error, broken) = CallError::of(error);
        if broken {
            self.0.broke(number, silent);
        }
        match error {
            CallError::Layer(LayerError::Unavailable(why)) => {
                unavailable(&format!("{}: {why}", self.0.connector.host()))
            }
            other => other,
        }
    }
}

impl CallError {
    /// What an error is to the caller, and whether the connection is no longer good.
    pub(crate) fn of(error: RedisError) -> (Self, bool) {
        use ServerErrorKind::{Ask, BusyLoading, ClusterDown, MasterDown, Moved, ReadOnly, TryAgain};
        let broken = match error.kind() {
            ErrorKind::Server(Moved) => return (Self::Moved, false),
            // While a slot moves, what is in it is for a moment in neither place as a whole.
            ErrorKind::Server(Ask | TryAgain) => return (Self::Moving, false),
            ErrorKind::Server(BusyLoading | ClusterDown) => false,
            // A master that is one no longer: the next look finds the new one.
            ErrorKind::Server(ReadOnly | MasterDown) => true,
            ErrorKind::Server(_) | ErrorKind::Extension => {
                return (Self::Layer(LayerError::Refused(error.into())), false);
            }
            _ => true,
        };
        (Self::Layer(LayerError::Unavailable(error.into())), broken)
    }

    /// Whether an error is one of the connection, not of the command.
    pub(crate) fn is_of_link(error: &RedisError) -> bool {
        Self::of(error.clone()).1
    }
}

fn unavailable(why: &str) -> CallError {
    CallError::Layer(LayerError::Unavailable(why.into()))
}

impl Inner {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn up(&self, redis: MultiplexedConnection) -> Arc<Broken> {
        let broken = Arc::new(Broken::default());
        let mut state = self.state();
        *state = State { up: Some((redis, broken.clone())), number: state.number + 1, failing: None };
        drop(state);
        self.changed.notify_waiters();
        broken
    }

    fn down(&self, why: &Lost) {
        let mut state = self.state();
        state.up = None;
        // After silence the next attempt may be long, too. Otherwise it is worth waiting for.
        if let Lost::Silent(_) = why {
            state.failing = Some(format!("{}: {why}", self.connector.host()).into());
        }
        drop(state);
        self.changed.notify_waiters();
    }

    /// `true` for the first failure in a row.
    fn fail(&self, why: Arc<str>) -> bool {
        let first = self.state().failing.replace(why).is_none();
        self.changed.notify_waiters();
        first
    }

    fn broke(&self, number: u64, silent: bool) {
        let state = self.state();
        if let (Some((_, broken)), true) = (&state.up, state.number == number) {
            broken.silent.fetch_or(silent, Ordering::Relaxed);
            broken.said.notify_one();
        }
    }
}

impl Drop for Inner {
    /// Wakes the work, so that it ends.
    fn drop(&mut self) {
        if let Some((_, broken)) = &self.state().up {
            broken.said.notify_one();
        }
    }
}

impl Broken {
    fn why(&self) -> Lost {
        match self.silent.load(Ordering::Relaxed) {
            true => Lost::Silent("a command was not answered"),
            false => Lost::Broken("a command failed".to_owned()),
        }
    }
}

impl From<CallError> for LayerError {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Layer(error) => error,
            CallError::Moved | CallError::Moving => {
                Self::Unavailable("the cluster is moving this name".into())
            }
        }
    }
}
