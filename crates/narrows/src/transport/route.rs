use std::marker::PhantomData;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::Ordering;

use axum::extract::{ConnectInfo, FromRequestParts, Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::MethodRouter;
use http::StatusCode;
use http::header::RETRY_AFTER;
use hyper::upgrade::OnUpgrade;
use tokio::sync::oneshot;

use super::handshake;
use crate::admission::Full;
use crate::capacity::Capacity;
use crate::channels::Channels;
use crate::codec::Codec;
use crate::connection::{Acceptance, Link};
use crate::consumer::Consumer;
use crate::limits::Limits;
use crate::origin::OriginPolicy;
use crate::scope::FromHandshake;
use crate::session::{self, Decision, Handshake};
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
pub struct ConsumerRoute<C> {
    channels: Channels,
    settings: RouteSettings,
    consumer: PhantomData<fn() -> C>,
}

impl<C: Consumer> ConsumerRoute<C> {
    pub(crate) fn new(channels: Channels) -> Self {
        let settings = RouteSettings {
            name: std::any::type_name::<C>(),
            limits: channels.limits().clone(),
            outbox: channels.outbox(),
            inbox: Capacity::default(),
            codec: Codec::Json,
            subprotocols: Vec::new(),
            origin: channels.origin().clone(),
        };
        Self { channels, settings, consumer: PhantomData }
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
        let (channels, settings) = (self.channels, Arc::new(self.settings));
        axum::routing::any(move |State(state): State<S>, request: Request| {
            let (channels, settings) = (channels.clone(), settings.clone());
            async move {
                answer::<C, S>(&channels, settings, request, &state).await.unwrap_or_else(|refused| refused)
            }
        })
    }
}

async fn answer<C: Consumer, S: Send + Sync>(
    channels: &Channels,
    settings: Arc<RouteSettings>,
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
    let opening = handshake::check(&parts).map_err(IntoResponse::into_response)?;
    settings.origin.check(&parts.headers, &parts.uri).map_err(|refused| {
        tracing::info!(consumer = settings.name, error = %refused, "handshake refused");
        count_refused(refused.into_response())
    })?;
    if channels.is_draining() {
        return Err(count_refused(unavailable("the server restarts\n")));
    }
    let address = client_address(&parts);
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
    let scope = C::Scope::from_request_parts(&mut parts, state)
        .await
        .map_err(|rejection| count_refused(rejection.into_response()))?;
    // The rest of the request is not needed any more, and it pins hyper's read buffer.
    drop(parts);
    let chosen = settings.subprotocols.iter().find(|ours| opening.offered.contains(ours)).cloned();
    let acceptance = Acceptance { offered: opening.offered, subprotocol: chosen, ..Acceptance::default() };
    let (decision, decided) = oneshot::channel();
    let (index, shard) = channels.place();
    let at_home = shard.is_here();
    let handshake = Box::new(Handshake::<C> { scope, acceptance, on_upgrade, at_home, decision, permit });
    let (channels, owner) = (channels.clone(), shard.clone());
    shard.spawn_task(async move {
        let Some(key) = owner.local(|state| state.insert(settings.clone())) else { return };
        let link = Link { shard: owner.clone(), index, key, channels, settings };
        session::run(link, handshake).await;
    });
    match decided.await {
        Ok(Decision::Accept(acceptance)) => Ok(handshake::switching(opening.accept, *acceptance)),
        Ok(Decision::Refuse(response)) => Err(response),
        Err(_) => Err(StatusCode::INTERNAL_SERVER_ERROR.into_response()),
    }
}

fn unavailable(text: &'static str) -> Response {
    (StatusCode::SERVICE_UNAVAILABLE, [(RETRY_AFTER, "1")], text).into_response()
}

fn client_address(parts: &http::request::Parts) -> Option<IpAddr> {
    parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip().to_canonical())
}
