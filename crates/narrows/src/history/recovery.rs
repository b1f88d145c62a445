/// What became of a join from a position: see [`Connection::join_from`](crate::Connection::join_from).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Recovery {
    /// The connection was in the group already, and nothing changed.
    New,
    /// The client has everything: what it missed was sent to it, and what is new follows.
    Recovered {
        /// How many messages it had missed.
        messages: usize,
    },
    /// Not all that was missed can be had: it is kept no longer, it is more than half of what the connection's outbox has room for,
    /// or the history began anew. The client gets what is new.
    Lost,
}
