use std::time::Duration;

use crate::history::Kept;

/// What a layer that knows claims does; an optional power of a [`ChannelLayer`](crate::ChannelLayer).
pub trait KeepClaims: Send + Sync + 'static {
    /// Claims an id for this time: `true` for the first who does, on any node. `false` also where one of the other ids
    /// was [revoked](Self::revoke); nothing is claimed then.
    fn claim<'a>(&'a self, id: &'a str, unless: &'a [String], ttl: Duration) -> Kept<'a, bool>;

    /// Makes ids revoked for this time.
    fn revoke<'a>(&'a self, ids: &'a [String], ttl: Duration) -> Kept<'a, ()>;
}
