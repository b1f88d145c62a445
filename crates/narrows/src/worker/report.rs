/// What a [`Worker`](crate::Worker) did in its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct WorkerReport {
    /// Messages that were handled.
    pub handled: u64,
    /// Messages over which the handler failed or panicked.
    pub failed: u64,
    /// Messages that were not of their channel's type.
    pub undecodable: u64,
    /// Messages whose handlers were cut off at the end of [`drain_timeout`](crate::Worker::drain_timeout).
    pub unfinished: u64,
}

impl WorkerReport {
    pub(super) fn add(&mut self, other: Self) {
        self.handled += other.handled;
        self.failed += other.failed;
        self.undecodable += other.undecodable;
        self.unfinished += other.unfinished;
    }
}

/// Why a [`Worker`](crate::Worker) could not go on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WorkerError {
    /// A channel or a group was given two handlers.
    #[error("the worker has two handlers for {channel}")]
    TwoHandlers {
        /// Its name.
        channel: String,
    },
    /// The channel layer has ended and will not come back; the worker has drained.
    #[error("the channel layer has ended, and nothing will come on the channel {channel}")]
    LayerEnded {
        /// The first channel of which it was known.
        channel: String,
    },
}
