use std::collections::HashMap;
use std::sync::{OnceLock, Weak};
use std::time::Duration;

use bytes::Bytes;
use narrows_core::{ClaimStore, Group};
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

use super::keys::Keys;
use super::token::{claim_of, horizon};
use crate::hub::{Hub, Seat, Taker};
use crate::identity::{Identity, SessionDigest};
use crate::shard::{End, Mail, Shard, SlotKey};
use crate::sync::{Arc, Mutex, lock};

/// What a node needs so that connections can come back.
pub(crate) struct Resumption {
    hub: Arc<Hub>,
    claims: Option<ClaimStore>,
    pub(super) keys: Keys,
    pub(super) window: Duration,
    /// This node, to others that take over its connections.
    pub(super) node: u64,
    /// The connections here that can come back, by their numbers.
    live: Mutex<HashMap<u128, Place>>,
    /// Hears which of them came back elsewhere; from the first such connection on.
    seat: OnceLock<Seat>,
}

/// For how long a close frame waits until the tokens of its connection are used up.
const SPENDING: Duration = Duration::from_secs(1);

/// The longest wait between attempts to tell a node of the return of one of its connections.
const TELLING: Duration = Duration::from_secs(32);

struct Place {
    shard: Arc<Shard>,
    key: SlotKey,
    generation: u32,
}

/// To the node that may still have the connection before.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "type", rename = "narrows.resumed")]
struct Resumed {
    connection: String,
    generation: u32,
}

impl Resumption {
    pub(crate) fn new(hub: Arc<Hub>, keys: Keys, window: Duration) -> Arc<Self> {
        let claims = hub.claims().filter(|_| !window.is_zero());
        Arc::new(Self {
            hub,
            claims,
            keys,
            window,
            node: rand::random(),
            live: Mutex::default(),
            seat: OnceLock::new(),
        })
    }

    /// For how long clients may come back; zero where they cannot.
    pub(crate) fn window(&self) -> Duration {
        if self.claims.is_some() { self.window } else { Duration::ZERO }
    }

    pub(super) fn claims(&self) -> Option<&ClaimStore> {
        self.claims.as_ref()
    }

    /// Lets nothing come back that belongs to this session or user.
    pub(crate) async fn revoke(&self, ended: String) -> Result<(), narrows_core::LayerError> {
        match &self.claims {
            Some(claims) => claims.revoke(&[ended], horizon(self.window)).await,
            None => Ok(()),
        }
    }

    /// Uses up all tokens that a connection was given, as if it had come back. It is not waited for longer than
    /// [`SPENDING`], and goes on then.
    pub(crate) async fn spend(self: &Arc<Self>, connection: u128, generation: u32) {
        let (resumption, (spent, told)) = (self.clone(), oneshot::channel());
        self.hub.see_through(Box::pin(async move {
            let Some(claims) = &resumption.claims else { return };
            let id = claim_of(connection, generation);
            if let Err(error) = claims.claim(&id, &[], horizon(resumption.window)).await {
                tracing::warn!(%error, "a connection was closed for good, and its resume token stays good for a while");
            }
            // Nobody waits any more where it took long.
            let _ = spent.send(());
        }));
        if tokio::time::timeout(SPENDING, told).await.is_err() {
            tracing::warn!("the channel layer does not answer a claim; a connection is closed without it");
        }
    }

    /// Enters a connection, and ends the one that it goes on after, should it still be here.
    pub(crate) fn enter(
        self: &Arc<Self>,
        number: u128,
        generation: u32,
        shard: &Arc<Shard>,
        key: SlotKey,
    ) -> Live {
        self.seat.get_or_init(|| {
            let ear = Arc::new(Ear(Arc::downgrade(self)));
            Seat::new(self.hub.clone(), &of_node(self.node).topic(), Some(ear)).0
        });
        let place = Place { shard: shard.clone(), key, generation };
        let before = lock(&self.live).insert(number, place);
        if let Some(before) = before {
            before.end();
        }
        Live { resumption: self.clone(), number, generation }
    }

    /// Tells the node that had a connection that it goes on here.
    pub(crate) async fn tell(&self, node: u64, number: u128, generation: u32) {
        if node == self.node {
            return;
        }
        let resumed = Resumed { connection: format!("{number:032x}"), generation };
        let payload = self.hub.format().encode(&resumed).expect("a text and a number can be written");
        let mut wait = Duration::from_secs(1);
        while let Err(error) = self.hub.publish(&of_node(node).topic(), payload.clone()).await {
            if wait > TELLING {
                // It finds out by itself when the client answers no ping.
                tracing::warn!(%error, "the node of a connection's first part was not told of its return");
                return;
            }
            tokio::time::sleep(wait).await;
            wait *= 2;
        }
    }

    fn hear(&self, payload: &Bytes) {
        let Ok(Resumed { connection, generation }) = self.hub.format().decode(payload) else { return };
        let Ok(number) = u128::from_str_radix(&connection, 16) else { return };
        let mut live = lock(&self.live);
        if live.get(&number).is_some_and(|place| place.generation < generation)
            && let Some(place) = live.remove(&number)
        {
            drop(live);
            place.end();
        }
    }
}

impl Place {
    fn end(self) {
        let key = self.key;
        self.shard.post(Mail::Run(Box::new(move |state| state.finish(key, End::Resumed))));
    }
}

/// A connection that can come back, as long as this lives.
pub(crate) struct Live {
    resumption: Arc<Resumption>,
    number: u128,
    generation: u32,
}

impl Drop for Live {
    fn drop(&mut self) {
        let mut live = lock(&self.resumption.live);
        if live.get(&self.number).is_some_and(|place| place.generation == self.generation) {
            live.remove(&self.number);
        }
    }
}

impl std::fmt::Debug for Live {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Live")
    }
}

/// The node itself, weak as it owns the seat that has this.
struct Ear(Weak<Resumption>);

impl Taker for Ear {
    fn take_in(&self, payload: &Bytes) -> bool {
        if let Some(resumption) = self.0.upgrade() {
            resumption.hear(payload);
        }
        true
    }

    // What was lost is no harm: the connection before is dead, and is found out.
    fn gap(&self) {}
}

fn of_node(node: u64) -> Group<Resumed> {
    Group::new(format!("narrows.node.{node:016x}")).expect("the name is legal")
}

/// What is revoked when a session ends.
pub(crate) fn session_end(session: SessionDigest) -> String {
    format!("end:session:{session}")
}

/// What is revoked when a user is logged out.
pub(crate) fn user_end(user: &str) -> String {
    // Ids of users have no largest size.
    format!("end:user:{}", SessionDigest::of(user))
}

/// The ends that would have ended a connection with this identity.
pub(super) fn ends_of(identity: &Identity) -> Vec<String> {
    let session = identity.session().map(|key| session_end(SessionDigest::of(key)));
    session.into_iter().chain(identity.user().map(user_end)).collect()
}
