use tokio::sync::oneshot;

use super::Identity;
use super::digest::SessionDigest;
use super::register::Identities;
use crate::shard::{End, Mail, Shard, SlotKey};
use crate::sync::{Arc, Mutex, lock};

/// One connection as the holder of an identity.
pub(super) struct Holder {
    pub(super) identities: Arc<Identities>,
    pub(super) identity: Identity,
    pub(super) session: Option<SessionDigest>,
    /// Its place in the table.
    pub(super) number: u32,
    place: Mutex<Place>,
}

/// Where its connection is.
enum Place {
    /// On its way to a shard. Somebody may wait for what its check says first: whether it holds.
    Opening(Option<oneshot::Sender<bool>>),
    On(Arc<Shard>, SlotKey),
    /// The identity has ended, or the connection.
    Ended,
}

impl Holder {
    pub(super) fn new(
        identities: Arc<Identities>,
        identity: Identity,
        session: Option<SessionDigest>,
        number: u32,
        first: Option<oneshot::Sender<bool>>,
    ) -> Self {
        Self { identities, identity, session, number, place: Mutex::new(Place::Opening(first)) }
    }

    /// Its check has said that it holds: whoever waits for that is told.
    pub(super) fn hold(&self) {
        if let Some(first) = self.take_first() {
            // Nobody waits any more where that took too long.
            let _ = first.send(true);
        }
    }

    /// Its check has said nothing.
    pub(super) fn doubt(&self) {
        drop(self.take_first());
    }

    fn take_first(&self) -> Option<oneshot::Sender<bool>> {
        match &mut *lock(&self.place) {
            Place::Opening(first) => first.take(),
            _ => None,
        }
    }

    /// Ends the connection, wherever it is; `false` when it has ended already.
    pub(super) fn end(&self) -> bool {
        match std::mem::replace(&mut *lock(&self.place), Place::Ended) {
            Place::Opening(first) => {
                if let Some(first) = first {
                    // As above.
                    let _ = first.send(false);
                }
                true
            }
            Place::On(shard, key) => {
                shard.post(Mail::Run(Box::new(move |state| state.finish(key, End::SessionEnded))));
                true
            }
            Place::Ended => false,
        }
    }

    pub(super) fn has_ended(&self) -> bool {
        matches!(*lock(&self.place), Place::Ended)
    }
}

/// A connection's identity, known to the node until this is dropped.
pub(crate) struct Bound(Arc<Holder>);

impl Bound {
    pub(super) fn new(holder: Arc<Holder>) -> Self {
        Self(holder)
    }

    pub(crate) fn identity(&self) -> &Identity {
        &self.0.identity
    }

    /// Says where the connection is from now on; `false` when its identity has ended on the way.
    pub(crate) fn settle(&self, shard: &Arc<Shard>, key: SlotKey) -> bool {
        let mut place = lock(&self.0.place);
        let holds = matches!(*place, Place::Opening(_));
        if holds {
            *place = Place::On(shard.clone(), key);
        }
        holds
    }
}

impl Drop for Bound {
    fn drop(&mut self) {
        *lock(&self.0.place) = Place::Ended;
        self.0.identities.forget(&self.0);
    }
}
