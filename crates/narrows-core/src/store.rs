use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use crate::claims::KeepClaims;
use crate::history::KeepHistory;
use crate::presence::KeepPresence;

/// One of a layer's optional powers. Clones are cheap, and the same.
pub struct Store<K: ?Sized>(Arc<K>);

/// What may be used once only, over all nodes: [`ChannelLayer::claims`](crate::ChannelLayer::claims) gives it.
pub type ClaimStore = Store<dyn KeepClaims>;

/// The histories of a layer's groups: [`ChannelLayer::history`](crate::ChannelLayer::history) gives it.
pub type HistoryStore = Store<dyn KeepHistory>;

/// The presence of a layer's groups: [`ChannelLayer::presence`](crate::ChannelLayer::presence) gives it.
pub type PresenceStore = Store<dyn KeepPresence>;

impl Store<dyn KeepClaims> {
    /// Wraps a layer's own.
    pub fn new(store: impl KeepClaims) -> Self {
        Self(Arc::new(store))
    }
}

impl Store<dyn KeepHistory> {
    /// Wraps a layer's own.
    pub fn new(store: impl KeepHistory) -> Self {
        Self(Arc::new(store))
    }
}

impl Store<dyn KeepPresence> {
    /// Wraps a layer's own.
    pub fn new(store: impl KeepPresence) -> Self {
        Self(Arc::new(store))
    }
}

impl<K: ?Sized> Clone for Store<K> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<K: ?Sized> Deref for Store<K> {
    type Target = K;

    fn deref(&self) -> &K {
        &self.0
    }
}

impl<K: ?Sized> fmt::Debug for Store<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Store")
    }
}
