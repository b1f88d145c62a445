use std::marker::PhantomData;
use std::sync::atomic::Ordering;

use axum::extract::{FromRequestParts, OriginalUri, Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::MethodRouter;
use http::header::RETRY_AFTER;
use http::request::Parts;
use http::{Extensions, HeaderMap, StatusCode};
use hyper::upgrade::OnUpgrade;
use tokio::sync::oneshot;

use super::handshake;
use crate::admission::Full;
use crate::capacity::Capacity;
use crate::channels::Channels;
use crate::codec::Codec;
use crate::connection::Acceptance;
use crate::consumer::Consumer;
use crate::identity::{Bound, Identity, IdentityCheck, NotBound, Since};
use crate::limits::Limits;
use crate::live::About;
use crate::origin::OriginPolicy;
use crate::protocol::{Offer, Speaking};
use crate::resume::{
    Binding, Checks, IdentityChecks, Opening, Resume, Resumer, RouteDigest, SessionOver, Starter,
};
use crate::scope::{FromHandshake, Seen};
use crate::session::{self, Decision, Entry, Handshake};
use crate::shard::{Code, Method, Shard, marked};
use crate::sync::Arc;

/// How one consumer is served; each connection refers to it.
#[derive(Debug, Clone)]
pub(crate) struct RouteSettings {
    pub(crate) name: &'static str,
    pub(crate) limits: Limits,
    pub(crate) outbox: Capacity,
    pub(crate) inbox: Capacity,
    pub(crate) codec: Codec,
    pub(crate) subprotocols: Vec<String>,
    pub(crate) origin: OriginPolicy,
    /// The consumer's number in the node's watch.
    pub(crate) number: u16,
    /// The checks that identities here may have, by name.
    pub(crate) checks: Arc<IdentityChecks>,
}

impl RouteSettings {
    /// A part of the consumer's code, as a shard marks it while it runs.
    pub(crate) fn code(&self, method: Method) -> Code {
        Code { consumer: self.number, method, limit: self.limits.long_handler }
    }
}

/// A consumer on its way to a route: what differs from the defaults of its [`Channels`] is set here.
///
/// ```
/// # use narrows::{Channels, Close, Connection, Consumer, NoEvent, Raw, Reject};
/// # struct Echo;
/// # impl Consumer for Echo {
/// #     type Scope = (); type In = Raw; type Out = Raw; type Event = NoEvent;
/// #     async fn connect(_: (), _: &mut Connection<Self>) -> Result<Self, Reject> { Ok(Self) }
/// #     async fn receive(&mut self, m: Raw, c: &mut Connection<Self>) -> Result<(), Close> { Ok(c.send(&m)?) }
/// # }
/// use narrows::{Capacity, Overflow, OriginPolicy};
///
/// let channels = Channels::new();
/// let app: axum::Router = axum::Router::new().route(
///     "/ws/echo",
///     channels
///         .consumer::<Echo>()
///         .origin(OriginPolicy::any())
///         .subprotocols(["echo.v1"])
///         .outbox(Capacity::default().overflow(Overflow::DropOldest))
///         .route(),
/// );
/// ```
#[derive(Debug, Clone)]
#[must_use = "`.route()` makes it something that axum can serve"]
pub struct ConsumerRoute<C: Consumer> {
    channels: Channels,
    settings: RouteSettings,
    resumer: Option<Resumer<C>>,
    consumer: PhantomData<fn() -> C>,
}

impl<C: Consumer> ConsumerRoute<C> {
    pub(crate) fn new(channels: Channels, name: &'static str) -> Self {
        let settings = RouteSettings {
            name,
            limits: channels.limits().clone(),
            outbox: channels.outbox(),
            inbox: Capacity::default(),
            codec: Codec::Json,
            subprotocols: Vec::new(),
            origin: channels.origin().clone(),
            number: channels.watch().number(name),
            checks: Arc::default(),
        };
        Self { channels, settings, resumer: None, consumer: PhantomData }
    }

    /// Which pages may connect; by default what [`Channels`] says, which is the site's own unless changed.
    pub fn origin(mut self, origin: OriginPolicy) -> Self {
        self.settings.origin = origin;
        self
    }

    /// The limits of these connections, in place of those of [`Channels`]. The numbers of connections
    /// are counted over all routes.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.settings.limits = limits;
        self
    }

    /// What may wait for a client that does not read, and what happens when more comes.
    pub fn outbox(mut self, outbox: Capacity) -> Self {
        self.settings.outbox = outbox;
        self
    }

    /// What may wait for the consumer's `event`, and what happens when more comes.
    pub fn inbox(mut self, inbox: Capacity) -> Self {
        self.settings.inbox = inbox;
        self
    }

    /// How typed messages are written. Default [`Codec::Json`].
    pub fn codec(mut self, codec: Codec) -> Self {
        self.settings.codec = codec;
        self
    }

    /// The subprotocols spoken here: the first that the client offers too is chosen, unless `connect` selects
    /// another. A client that offers none of them is accepted without one.
    pub fn subprotocols<S: Into<String>>(mut self, subprotocols: impl IntoIterator<Item = S>) -> Self {
        self.settings.subprotocols = subprotocols.into_iter().map(Into::into).collect();
        self
    }

    /// Lets its connections go on where they were cut off, for clients that speak `narrows.v1`: see [`Resume`].
    pub fn resumable(mut self) -> Self
    where
        C: Resume,
    {
        self.resumer = Some(Resumer::new());
        self
    }

    /// Names the check of identities that are bound here: a connection that goes on is checked by the one of this name.
    /// An identity whose check has no name does not go on; `connect` is called then.
    ///
    /// The extractors of `narrows-django` need no such call: its layers [name](IdentityChecks) theirs.
    pub fn identity_check(mut self, name: &'static str, check: std::sync::Arc<dyn IdentityCheck>) -> Self {
        Arc::make_mut(&mut self.settings.checks).push(name, check);
        self
    }

    /// Makes it a route. It answers a correct WebSocket handshake as the consumer decides, any other GET with
    /// 426, and other methods with 405.
    pub fn route<S>(self) -> MethodRouter<S>
    where
        S: Clone + Send + Sync + 'static,
        C::Scope: FromHandshake<S>,
    {
        for suspicion in self.settings.origin.suspicious() {
            tracing::warn!(consumer = self.settings.name, "{suspicion}");
        }
        let (channels, settings, resumer) = (self.channels, Arc::new(self.settings), self.resumer);
        axum::routing::any(move |State(state): State<S>, request: Request| {
            let (channels, settings) = (channels.clone(), settings.clone());
            async move {
                answer::<C, S>(&channels, settings, resumer, request, &state)
                    .await
                    .unwrap_or_else(|refused| refused)
            }
        })
    }
}

async fn answer<C: Consumer, S: Clone + Send + Sync + 'static>(
    channels: &Channels,
    settings: Arc<RouteSettings>,
    resumer: Option<Resumer<C>>,
    request: Request,
    state: &S,
) -> Result<Response, Response>
where
    C::Scope: FromHandshake<S>,
{
    let (mut parts, _body) = request.into_parts();
    let count_refused = |response: Response| {
        channels.counters().refused.fetch_add(1, Ordering::Relaxed);
        response
    };
    let mut opening = handshake::check(&parts).map_err(IntoResponse::into_response)?;
    let offer = Offer::take(&mut opening.offered);
    if offer.is_some() {
        Offer::hide(&opening.offered, &mut parts.headers);
    }
    // For the scope's extractors, and what follows here: whose word about the client counts.
    parts.extensions.insert(channels.front().clone());
    let seen = Seen::of(&parts);
    settings.origin.check_seen(&parts.headers, &parts.uri, &seen).map_err(|refused| {
        tracing::info!(consumer = settings.name, error = %refused, "handshake refused");
        count_refused(refused.into_response())
    })?;
    if channels.is_draining() {
        return Err(count_refused(unavailable("the server restarts\n")));
    }
    let address = seen.client.map(|client| client.ip());
    let permit = channels.admit(&settings.limits, address).map_err(|full| {
        tracing::info!(consumer = settings.name, ?address, ?full, "handshake refused: too many connections");
        count_refused(match full {
            Full::InAll => unavailable("too many connections\n"),
            Full::FromAddress => {
                (StatusCode::TOO_MANY_REQUESTS, [(RETRY_AFTER, "5")], "too many connections\n")
                    .into_response()
            }
        })
    })?;
    let Some(on_upgrade) = parts.extensions.remove::<OnUpgrade>() else {
        return Err((StatusCode::BAD_REQUEST, "this connection cannot be upgraded\n").into_response());
    };
    let here = channels.here().map(|(_, shard)| &**shard);
    let since = channels.identities().now();
    let mut speaking = None;
    let mut start = None;
    if let Some(offer) = offer {
        let mut came = speak(offer, &settings, &mut parts);
        if let Some(token) = came.offer.token.take() {
            let came_back = returned(&mut came, channels, &settings, resumer, &parts.headers, &token).await;
            start = came_back.map_err(|SessionOver| {
                tracing::debug!(consumer = settings.name, "handshake refused: the session ended meanwhile");
                count_refused(session::session_ended().into_response())
            })?;
        }
        speaking = Some(came);
    }
    let (entry, identity) = match start {
        Some((start, identity)) => (Entry::Resume(start), identity),
        None => {
            let scope = extract::<C, S>(&mut parts, state, &settings, here).await.map_err(count_refused)?;
            let identity = match parts.extensions.remove::<Identity>() {
                Some(identity) => {
                    Some(bind(channels, identity, since, &settings).await.map_err(count_refused)?)
                }
                None => None,
            };
            if let (Some(speaking), Some(identity)) = (&mut speaking, &identity) {
                let named = parts.extensions.remove();
                speaking.binding = Binding::find(&parts.headers, identity.identity(), named);
            }
            (Entry::Connect(scope), identity)
        }
    };
    let about = About::new(asked_path(&parts), address);
    let extensions = match &entry {
        Entry::Resume(_) => {
            parts.extensions.insert(state.clone());
            std::mem::take(&mut parts.extensions)
        }
        Entry::Connect(_) => Extensions::new(),
    };
    // The rest of the request is not needed any more, and it pins hyper's read buffer.
    drop(parts);
    let subprotocol = settings.subprotocols.iter().find(|ours| opening.offered.contains(ours)).cloned();
    let (offered, headers) = (opening.offered, HeaderMap::new());
    let acceptance = Acceptance { offered, subprotocol, headers, extensions };
    let (decision, decided) = oneshot::channel();
    let (index, placed) = channels.place().map_err(|error| {
        tracing::error!(consumer = settings.name, %error, "the shards cannot be started");
        count_refused(unavailable("the server cannot start\n"))
    })?;
    let shard = placed.shard().clone();
    let at_home = shard.is_here();
    let handshake = Handshake::<C> {
        placed,
        index,
        channels: channels.clone(),
        settings,
        entry,
        acceptance,
        on_upgrade,
        at_home,
        decision,
        permit,
        identity,
        speaking,
        saver: resumer.map(|resumer| resumer.save),
        about,
    };
    shard.spawn_task(session::run(Box::new(handshake)));
    match decided.await {
        Ok(Decision::Accept(acceptance)) => Ok(handshake::switching(opening.accept, *acceptance)),
        Ok(Decision::Refuse(response)) => Err(response),
        Err(_) => Err(StatusCode::INTERNAL_SERVER_ERROR.into_response()),
    }
}

/// What the session has to know of a client that speaks `narrows.v1`.
fn speak(offer: Offer, settings: &RouteSettings, parts: &mut Parts) -> Box<Speaking> {
    let path = asked_path(parts);
    let seen = Seen::of(parts);
    let route = RouteDigest::of(settings.name, seen.server(parts).unwrap_or_default(), path);
    drop(seen);
    let checks = Checks::new(&settings.checks, &mut parts.extensions);
    Box::new(Speaking { offer, returned: None, resumed: false, route, checks, binding: None })
}

/// The path as the client asked for it.
fn asked_path(parts: &Parts) -> &str {
    parts.extensions.get::<OriginalUri>().map_or(parts.uri.path(), |uri| uri.0.path())
}

/// Takes the token of a client that comes back; what its consumer goes on with, where it does.
async fn returned<C: Consumer>(
    speaking: &mut Speaking,
    channels: &Channels,
    settings: &RouteSettings,
    resumer: Option<Resumer<C>>,
    headers: &HeaderMap,
    token: &str,
) -> Result<Option<(Starter<C>, Option<Bound>)>, SessionOver> {
    let (route, checks) = (speaking.route, &speaking.checks);
    let opening = Opening { channels, settings, route, resumer, checks, headers };
    let Some(returned) = opening.open(token).await? else { return Ok(None) };
    speaking.returned = Some((returned.connection, returned.generation, returned.node));
    if returned.start.is_some() {
        (speaking.resumed, speaking.binding) = (true, returned.binding);
    }
    Ok(returned.start)
}

/// Runs the extractors, which may ask a database for the user: they too must neither stall nor take the HTTP
/// connection along.
async fn extract<C: Consumer, S: Send + Sync>(
    parts: &mut Parts,
    state: &S,
    settings: &RouteSettings,
    here: Option<&Shard>,
) -> Result<C::Scope, Response>
where
    C::Scope: FromRequestParts<S>,
{
    let (time, consumer) = (settings.limits.connect_timeout, settings.name);
    let extracting = session::caught(C::Scope::from_request_parts(parts, state));
    let extracting = marked(here, settings.code(Method::Scope), extracting);
    match tokio::time::timeout(time, extracting).await {
        Ok(Ok(extracted)) => extracted.map_err(IntoResponse::into_response),
        Ok(Err(())) => {
            tracing::error!(consumer, "an extractor panicked");
            Err(StatusCode::INTERNAL_SERVER_ERROR.into_response())
        }
        Err(_) => {
            tracing::warn!(consumer, ?time, "the extractors did not finish in time");
            Err(unavailable("the server is too busy\n"))
        }
    }
}

/// Makes the identity known to the node before anything else happens, so that no end is missed.
async fn bind(
    channels: &Channels,
    identity: Identity,
    since: Since,
    settings: &RouteSettings,
) -> Result<Bound, Response> {
    let (time, consumer) = (settings.limits.connect_timeout, settings.name);
    match tokio::time::timeout(time, channels.bind(identity, since)).await {
        Ok(Ok(bound)) => Ok(bound),
        Ok(Err(NotBound::Ended)) => {
            tracing::debug!(consumer, "handshake refused: the session ended meanwhile");
            Err(session::session_ended().into_response())
        }
        Ok(Err(NotBound::Layer(error))) => {
            tracing::warn!(consumer, %error, "handshake refused: the end of its session would not be heard");
            Err(unavailable("the server is not available\n"))
        }
        Ok(Err(NotBound::Shards(error))) => {
            tracing::error!(consumer, %error, "the shards cannot be started");
            Err(unavailable("the server cannot start\n"))
        }
        Err(_) => {
            tracing::warn!(consumer, ?time, "the channel layer did not answer the handshake in time");
            Err(unavailable("the server is too busy\n"))
        }
    }
}

fn unavailable(text: &'static str) -> Response {
    (StatusCode::SERVICE_UNAVAILABLE, [(RETRY_AFTER, "1")], text).into_response()
}
