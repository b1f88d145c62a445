use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::HeaderMap;
use tokio::time::{Instant, timeout};

use super::binding::Binding;
use super::checks::Checks;
use super::node::ends_of;
use super::resumer::{Resumer, Starter};
use super::token::{RouteDigest, SavedIdentity, Token, horizon};
use crate::channels::Channels;
use crate::consumer::Consumer;
use crate::identity::{Bound, First, Identity};
use crate::transport::RouteSettings;

/// A connection that came back with a good token.
pub(crate) struct Returned<C: Consumer> {
    pub(crate) connection: u128,
    /// One more than before.
    pub(crate) generation: u32,
    /// The node that had it.
    pub(crate) node: u64,
    /// The cookie that it is bound to.
    pub(crate) binding: Option<Binding>,
    /// What goes on; `None` where only the number does.
    pub(crate) start: Option<(Starter<C>, Option<Bound>)>,
}

/// The session of a connection that came back is over: its check said so.
#[derive(Debug)]
pub(crate) struct SessionOver;

/// A handshake of a client that comes back.
pub(crate) struct Opening<'a, C: Consumer> {
    pub(crate) channels: &'a Channels,
    pub(crate) settings: &'a RouteSettings,
    pub(crate) route: RouteDigest,
    pub(crate) resumer: Option<Resumer<C>>,
    pub(crate) checks: &'a Checks,
    pub(crate) headers: &'a HeaderMap,
}

impl<C: Consumer> Opening<'_, C> {
    /// Takes a token, which is good once. Whatever is wrong with it gives `None`, and an ordinary connection.
    ///
    /// # Errors
    /// [`SessionOver`]: there is nothing to connect for.
    pub(crate) async fn open(&self, token: &str) -> Result<Option<Returned<C>>, SessionOver> {
        let began = Instant::now();
        let Some((mut returned, first)) = self.claim(token, began).await else { return Ok(None) };
        let Some(first) = first else { return Ok(Some(returned)) };
        match timeout(self.left(began), first.holds()).await {
            Ok(Some(true)) => {}
            Ok(Some(false)) => return Err(SessionOver),
            Ok(None) | Err(_) => {
                let consumer = self.settings.name;
                tracing::debug!(
                    consumer,
                    "nobody could say whether a session still holds: it does not go on"
                );
                returned.start = None;
            }
        }
        Ok(Some(returned))
    }

    /// Uses a token up; what came back with it, and what its identity's check is to say.
    async fn claim(&self, token: &str, began: Instant) -> Option<(Returned<C>, Option<First>)> {
        let resumption = self.channels.resumption();
        let claims = resumption.claims()?;
        let token = Token::open(token, &resumption.keys, self.route, resumption.window, SystemTime::now())?;
        let consumer = self.settings.name;
        if token.facts.binding.as_ref().is_some_and(|binding| !binding.holds(self.headers)) {
            tracing::info!(consumer, "a resume token came without the cookie of its session");
            return None;
        }
        let start = self.resumer.zip(token.saved.as_deref()).and_then(|(resumer, saved)| {
            // Reading it is the consumer's own code.
            catch_unwind(AssertUnwindSafe(|| (resumer.start)(saved))).ok().flatten()
        });
        let identity = token.facts.identity.as_ref().map(|saved| identity(saved, self.checks));
        // Before the claim: an end is either known there, or heard from here on.
        let (start, first) = match (start, &identity) {
            (Some(start), None) => (Some((start, None)), None),
            (Some(start), Some(Some(identity))) => match self.bind(identity.clone(), began).await {
                Some((bound, first)) => (Some((start, Some(bound))), first),
                None => (None, None),
            },
            _ => (None, None),
        };
        let unless = identity.flatten().map(|identity| ends_of(&identity)).unwrap_or_default();
        let id = token.claim();
        match timeout(self.left(began), claims.claim(&id, &unless, horizon(resumption.window))).await {
            Ok(Ok(true)) => {}
            Ok(Ok(false)) => {
                tracing::debug!(consumer, "a resume token was used already, or its session ended");
                return None;
            }
            Ok(Err(error)) => {
                tracing::warn!(consumer, %error, "a resume token could not be claimed");
                return None;
            }
            Err(_) => {
                tracing::warn!(consumer, "the channel layer did not answer a claim in time");
                return None;
            }
        }
        let generation = token.facts.generation.checked_add(1)?;
        let returned = Returned {
            connection: token.connection(),
            generation,
            node: token.facts.node,
            binding: token.facts.binding,
            start,
        };
        Some((returned, first))
    }

    /// What is left of the time for a handshake that began then.
    fn left(&self, began: Instant) -> Duration {
        self.settings.limits.connect_timeout.saturating_sub(began.elapsed())
    }

    async fn bind(&self, identity: Identity, began: Instant) -> Option<(Bound, Option<First>)> {
        timeout(self.left(began), self.channels.bind_again(identity)).await.ok()?.ok()
    }
}

/// The identity that was; `None` when nobody could say whether it holds, or its time is over.
fn identity(saved: &SavedIdentity, checks: &Checks) -> Option<Identity> {
    let mut identity = Identity::new();
    if let Some(session) = &saved.session {
        identity = identity.with_session(session.as_str());
    }
    if let Some(user) = &saved.user {
        identity = identity.with_user(user.as_str());
    }
    if let Some(seconds) = saved.expires {
        let expires = UNIX_EPOCH.checked_add(Duration::from_secs(seconds))?;
        // A check may say that it holds for longer.
        if saved.check.is_none() && expires <= SystemTime::now() {
            return None;
        }
        identity = identity.until(expires);
    }
    match &saved.check {
        Some(name) => Some(identity.checked_by(checks.get(name)?.clone(), saved.proof.as_str())),
        None => Some(identity),
    }
}
