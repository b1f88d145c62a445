use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use tokio::time::Instant;

use super::binding::Binding;
use super::checks::{Checks, Nameless};
use super::node::Live;
use super::token::{MAX_SAVED, RouteDigest, SavedIdentity, Token};
use crate::connection::Connection;
use crate::consumer::Consumer;
use crate::shard::Method;

/// What a connection keeps so that it can come back.
#[derive(Debug)]
pub(crate) struct Return {
    generation: u32,
    route: RouteDigest,
    checks: Checks,
    binding: Option<Binding>,
    /// When the last token was written.
    written_at: Instant,
    /// A fresh one is due before its time.
    is_asked: bool,
    #[expect(dead_code, reason = "takes the connection out when dropped")]
    live: Live,
}

impl Return {
    pub(crate) fn new(
        generation: u32,
        route: RouteDigest,
        checks: Checks,
        binding: Option<Binding>,
        live: Live,
    ) -> Self {
        Self { generation, route, checks, binding, written_at: Instant::now(), is_asked: false, live }
    }

    /// The connection has another identity now: the cookie was not that one's.
    pub(crate) fn belongs_to_another(&mut self) {
        (self.binding, self.is_asked) = (None, true);
    }
}

impl<C: Consumer> Connection<C> {
    /// Whether this connection goes on where an earlier one was cut off: [`Resume::resume`](crate::Resume::resume) made
    /// its consumer.
    pub fn is_resumed(&self) -> bool {
        self.spoken.as_ref().is_some_and(|spoken| spoken.resumed)
    }

    /// For [`Resume::resume`](crate::Resume::resume), which has no extractors: the router's state, by its type, and what
    /// layers put into the request's extensions. `None` for another type, and anywhere else.
    ///
    /// ```
    /// # use narrows::{Close, Connection, Consumer, NoEvent, Reject, Resume};
    /// use axum::extract::State;
    ///
    /// #[derive(Clone)]
    /// struct Site { /* a pool of connections to a database, … */ }
    ///
    /// struct Room { site: Site }
    ///
    /// # impl Consumer for Room {
    /// #   type Scope = State<Site>; type In = String; type Out = String; type Event = NoEvent;
    /// #   async fn connect(site: State<Site>, _: &mut Connection<Self>) -> Result<Self, Reject> { Ok(Self { site: site.0 }) }
    /// #   async fn receive(&mut self, _: String, _: &mut Connection<Self>) -> Result<(), Close> { Ok(()) }
    /// # }
    /// impl Resume for Room {
    ///     type Saved = ();
    ///     fn save(&self) {}
    ///     async fn resume((): (), conn: &mut Connection<Self>) -> Result<Self, Reject> {
    ///         let site = conn.extension::<Site>().cloned().expect("the router has this state");
    ///         Ok(Self { site })
    ///     }
    /// }
    /// ```
    pub fn extension<T: Send + Sync + 'static>(&self) -> Option<&T> {
        self.acceptance.as_ref()?.extensions.get()
    }

    /// Has the client sent a fresh token when this handler is done, with what [`Resume::save`](crate::Resume::save) gives
    /// then: for a consumer whose state has changed so that it should go on. Without it, that is when half of the
    /// [window](crate::ChannelsBuilder::resume_window) is over.
    pub fn renew_token(&mut self) {
        if let Some(returns) = self.spoken.as_mut().and_then(|spoken| spoken.returns.as_mut()) {
            returns.is_asked = true;
        }
    }
}

/// A fresh token, where one is due.
pub(crate) fn renewed<C: Consumer>(consumer: &C, conn: &mut Connection<C>) -> Option<String> {
    let returns = conn.spoken.as_ref()?.returns.as_ref()?;
    let window = conn.link.0.channels.resumption().window();
    if !returns.is_asked && returns.written_at.elapsed() < window / 2 {
        return None;
    }
    hand_out(consumer, conn)
}

/// Writes a token. What cannot be saved does not go on; the connection's number does.
pub(crate) fn hand_out<C: Consumer>(consumer: &C, conn: &mut Connection<C>) -> Option<String> {
    let spoken = conn.spoken.as_ref()?;
    let returns = spoken.returns.as_ref()?;
    let (link, resumption) = (&conn.link.0, conn.link.0.channels.resumption());
    let mut token = Token::new(spoken.connection, returns.generation, resumption.node, returns.route);
    token.facts.binding = returns.binding.clone();
    match conn.identity().map(|identity| (identity, returns.checks.name(identity))) {
        None => token.saved = saved(consumer, conn),
        Some((identity, Ok(check))) => {
            token.facts.identity = Some(SavedIdentity::new(identity, check));
            token.saved = saved(consumer, conn);
        }
        Some((_, Err(Nameless))) => {
            tracing::debug!(
                consumer = link.settings.name,
                "an identity whose check has no name does not go on"
            );
        }
    }
    let sealed = token.seal(&resumption.keys);
    if let Some(returns) = conn.spoken.as_mut().and_then(|spoken| spoken.returns.as_mut()) {
        (returns.written_at, returns.is_asked) = (Instant::now(), false);
    }
    sealed
}

/// By what a connection can come back, where its consumer can go on.
pub(crate) fn return_of<C: Consumer>(conn: &Connection<C>) -> Option<(u128, u32)> {
    let spoken = conn.spoken.as_ref().filter(|_| conn.saver.is_some())?;
    Some((spoken.connection, spoken.returns.as_ref()?.generation))
}

/// Makes what a connection was given worthless: it was ended for good, and `connect` is to have a say before its client
/// comes in again.
pub(crate) async fn spend<C: Consumer>(conn: &mut Connection<C>) {
    if let Some((number, generation)) = return_of(conn) {
        conn.link.0.channels.resumption().spend(number, generation).await;
    }
}

fn saved<C: Consumer>(consumer: &C, conn: &Connection<C>) -> Option<Vec<u8>> {
    let (save, link) = (conn.saver?, &conn.link.0);
    let mark = link.shard.mark(link.settings.code(Method::Encode));
    let saved = catch_unwind(AssertUnwindSafe(|| save(consumer)));
    drop(mark);
    let consumer = link.settings.name;
    match saved {
        Ok(Ok(saved)) if saved.len() <= MAX_SAVED => return Some(saved),
        Ok(Ok(saved)) => {
            let bytes = saved.len();
            tracing::warn!(
                consumer,
                bytes,
                limit = MAX_SAVED,
                "a consumer saved too much, and will not go on"
            );
        }
        Ok(Err(error)) => tracing::warn!(consumer, %error, "what a consumer saved cannot be written"),
        Err(_) => tracing::error!(consumer, "a consumer panicked in `save`"),
    }
    None
}

/// Clients that say something so often get their fresh tokens in time.
pub(crate) fn longest_heartbeat(window: Duration) -> Duration {
    if window.is_zero() { Duration::MAX } else { window / 2 }
}
