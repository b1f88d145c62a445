/// How much may wait in one direction of a connection, and what happens when more comes.
///
/// ```
/// use narrows::{Capacity, Overflow};
///
/// let prices = Capacity::default().max_messages(100).overflow(Overflow::KeepLatest);
/// assert_eq!(prices.max_messages, 100);
/// ```
///
/// The *outbox* holds what a client has not yet read; it is in use only while the client's socket is full.
/// The *inbox* holds what a consumer's `event` has not yet been handed. Everything that is dropped is counted
/// in [`Stats`](crate::Stats) by its reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Capacity {
    /// Bytes that may wait. Default 1 MiB. A single larger message still passes when nothing else waits.
    pub max_bytes: usize,
    /// Messages that may wait. Default 4096.
    pub max_messages: usize,
    /// What happens when more comes. Default [`Overflow::Close`].
    pub overflow: Overflow,
}

impl Default for Capacity {
    fn default() -> Self {
        Self { max_bytes: 1 << 20, max_messages: 4096, overflow: Overflow::Close }
    }
}

impl Capacity {
    /// Sets [`max_bytes`](Self#structfield.max_bytes).
    #[must_use]
    pub fn max_bytes(mut self, max_bytes: usize) -> Self {
        self.max_bytes = max_bytes;
        self
    }

    /// Sets [`max_messages`](Self#structfield.max_messages).
    #[must_use]
    pub fn max_messages(mut self, max_messages: usize) -> Self {
        self.max_messages = max_messages;
        self
    }

    /// Sets [`overflow`](Self#structfield.overflow).
    #[must_use]
    pub fn overflow(mut self, overflow: Overflow) -> Self {
        self.overflow = overflow;
        self
    }
}

/// What happens to a message for which there is no room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Overflow {
    /// The connection is closed with 1013: the client comes back and reads what is current. Nothing is lost
    /// without the client knowing.
    #[default]
    Close,
    /// The message that has waited longest makes room.
    DropOldest,
    /// The new message is dropped.
    DropNewest,
    /// While the client lags, a message replaces a waiting one with the same
    /// [`overflow_key`](crate::Consumer::overflow_key); when there is still no room the oldest makes room.
    KeepLatest,
}
