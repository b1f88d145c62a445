use std::future::poll_fn;
use std::sync::atomic::Ordering;

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use hyper::upgrade::OnUpgrade;
use tokio::sync::oneshot;

use super::caught;
use crate::admission::Permit;
use crate::channels::Channels;
use crate::connection::{Acceptance, Connection, Link, Owner};
use crate::consumer::Consumer;
use crate::identity::Bound;
use crate::live::About;
use crate::protocol::{self, Speaking};
use crate::reject::Reject;
use crate::resume::{Saver, Starter, hand_out, return_of};
use crate::shard::{Method, Placed, marked};
use crate::sync::Arc;
use crate::transport::{RouteSettings, upgraded};

/// What the HTTP side hands to the session.
pub(crate) struct Handshake<C: Consumer> {
    pub(crate) placed: Placed,
    /// The shard's place in the node's list.
    pub(crate) index: u16,
    pub(crate) channels: Channels,
    pub(crate) settings: Arc<RouteSettings>,
    pub(crate) entry: Entry<C>,
    pub(crate) acceptance: Acceptance,
    pub(crate) on_upgrade: OnUpgrade,
    /// The socket belongs to the runtime of this very shard.
    pub(crate) at_home: bool,
    pub(crate) decision: oneshot::Sender<Decision>,
    pub(crate) permit: Permit,
    pub(crate) identity: Option<Bound>,
    /// What makes a client that speaks `narrows.v1` another one.
    pub(crate) speaking: Option<Box<Speaking>>,
    pub(crate) saver: Option<Saver<C>>,
    pub(crate) about: About,
}

/// How a consumer begins.
pub(crate) enum Entry<C: Consumer> {
    Connect(C::Scope),
    Resume(Starter<C>),
}

/// The consumer's answer.
pub(crate) enum Decision {
    Accept(Box<Acceptance>),
    Refuse(Response),
}

/// A consumer with its connection.
pub(super) struct Opened<C: Consumer> {
    pub(super) consumer: C,
    pub(super) conn: Connection<C>,
    /// What the client sent right behind its handshake; `None` when it went away before the answer.
    pub(super) socket: Option<Vec<u8>>,
}

/// Asks the consumer, answers the handshake, and takes the socket over.
pub(super) async fn connect<C: Consumer>(handshake: Box<Handshake<C>>) -> Option<Opened<C>> {
    let Handshake { placed, index, channels, settings, .. } = *handshake;
    let Handshake {
        entry,
        acceptance,
        on_upgrade,
        at_home,
        mut decision,
        permit,
        identity,
        speaking,
        saver,
        about,
        ..
    } = *handshake;
    let about = about.speaking(speaking.is_some(), speaking.as_ref().is_some_and(|s| s.resumed));
    let key = placed.shard().local(|state| {
        let key = state.insert(settings.clone());
        state.describe(key, about);
        key
    })?;
    let link = Link { shard: placed.keep(), index, key, protocol: speaking.is_some(), channels, settings };
    let owner = Owner::new(link.clone(), permit);
    let mut conn = Connection::new(owner, acceptance);
    conn.spoken = speaking.map(|speaking| Box::new(speaking.begin(&link)));
    conn.saver = saver;
    if let Some(back) = return_of(&conn) {
        link.shard.local(|state| state.comes_back_as(key, back));
    }
    let holds = identity.is_none_or(|identity| conn.settle(identity));
    let time = link.settings.limits.connect_timeout;
    let answer = if link.channels.is_draining() {
        // The drain began while the extractors ran: it does not know of this connection, so nobody would end it.
        Ok(Ok(Err(Reject::new(StatusCode::SERVICE_UNAVAILABLE).header("retry-after", "1"))))
    } else if !holds {
        Ok(Ok(Err(session_ended())))
    } else {
        let asked = caught(async {
            match entry {
                Entry::Connect(scope) => C::connect(scope, &mut conn).await,
                Entry::Resume(start) => start(&mut conn).await,
            }
        });
        let asked = marked(Some(&link.shard), link.settings.code(Method::Connect), asked);
        tokio::select! {
            biased;
            () = poll_fn(|cx| {
                link.shard.local(|state| state.poll_session_ended(link.key, cx)).unwrap_or(().into())
            }) => Ok(Ok(Err(session_ended()))),
            answer = tokio::time::timeout(time, asked) => answer,
            // The client went away: nobody is left to answer.
            () = decision.closed() => return None,
        }
    };
    let name = link.settings.name;
    let refusal = match answer {
        Ok(Ok(Ok(consumer))) => {
            let mut acceptance = conn.acceptance.take().unwrap_or_default();
            acceptance.extensions.clear();
            if conn.spoken.is_some() {
                acceptance.subprotocol.get_or_insert_with(|| protocol::SUBPROTOCOL.to_owned());
                let token = hand_out(&consumer, &mut conn);
                protocol::welcome(&link, conn.is_resumed(), token);
            }
            let told = decision.send(Decision::Accept(acceptance)).is_ok();
            let socket = if told { take_over(&link, on_upgrade, at_home).await } else { None };
            if socket.is_some() {
                link.channels.counters().accepted.fetch_add(1, Ordering::Relaxed);
            }
            return Some(Opened { consumer, conn, socket });
        }
        Ok(Ok(Err(reject))) => {
            if let Some(error) = reject.source() {
                tracing::info!(
                    consumer = name,
                    status = reject.status().as_u16(),
                    error,
                    "handshake refused"
                );
            }
            reject
        }
        Ok(Err(())) => {
            tracing::error!(consumer = name, "a consumer panicked before it answered the handshake");
            Reject::new(StatusCode::INTERNAL_SERVER_ERROR)
        }
        Err(_) => {
            tracing::warn!(consumer = name, ?time, "a consumer did not answer the handshake in time");
            Reject::new(StatusCode::SERVICE_UNAVAILABLE).header("retry-after", "1")
        }
    };
    link.channels.counters().refused.fetch_add(1, Ordering::Relaxed);
    // The client may have gone away just now; that is no matter any more.
    let _ = decision.send(Decision::Refuse(refusal.into_response()));
    None
}

pub(crate) fn session_ended() -> Reject {
    Reject::new(StatusCode::UNAUTHORIZED).body("the session has ended\n")
}

/// Waits until the answer is written, and moves the socket to this shard.
async fn take_over(link: &Link, on_upgrade: OnUpgrade, at_home: bool) -> Option<Vec<u8>> {
    let time = link.settings.limits.connect_timeout;
    let upgraded = match tokio::time::timeout(time, on_upgrade).await {
        Ok(Ok(upgraded)) => upgraded,
        Ok(Err(error)) => {
            tracing::debug!(%error, "the client went away during the handshake");
            return None;
        }
        Err(_) => return None,
    };
    let (socket, early) = match upgraded::into_socket(upgraded, at_home) {
        Ok(taken) => taken,
        Err(error) => {
            tracing::debug!(%error, "an accepted socket could not be taken over");
            return None;
        }
    };
    link.shard.local(|state| state.attach(link.key, socket))?;
    Some(early)
}
