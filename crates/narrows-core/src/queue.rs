use std::fmt;
use std::future::Future;
use std::pin::Pin;

use bytes::Bytes;

use crate::LayerError;

/// A named channel that its takers share: each message goes to one of them.
///
/// [`ChannelLayer::open`](crate::ChannelLayer::open) gives one. Dropping it ends this taker's part, as
/// [`close`](Self::close) does, which also waits until others can have what it leaves.
///
/// What one task publishes in sequence keeps its sequence as long as one taker alone takes it. A message that `take`
/// has returned is gone from the channel, whatever becomes of it: there is no receipt.
pub struct Queue(Box<dyn Take>);

impl Queue {
    /// Wraps a layer's queue.
    pub fn new(queue: impl Take) -> Self {
        Self(Box::new(queue))
    }

    /// The next message, in the layer's [format](crate::ChannelLayer::format).
    ///
    /// # Errors
    /// [`LayerError::Unavailable`] when the link is down: to be asked again, after a moment;
    /// [`LayerError::Closed`] when nothing will come any more.
    ///
    /// # Cancel safety
    /// A dropped call takes nothing: what had come for it goes to the next call, of this taker or another.
    pub async fn take(&mut self) -> Result<Bytes, LayerError> {
        self.0.take().await
    }

    /// Ends this taker's part, and returns when what had come for it, and was not taken, is there for others.
    pub async fn close(self) {
        self.0.close().await;
    }
}

impl fmt::Debug for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Queue")
    }
}

/// A layer's side of a [`Queue`].
pub trait Take: Send + 'static {
    /// See [`Queue::take`].
    fn take(&mut self) -> Pin<Box<dyn Future<Output = Result<Bytes, LayerError>> + Send + '_>>;

    /// See [`Queue::close`].
    fn close(self: Box<Self>) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(std::future::ready(()))
    }
}
