use std::io;

use narrows_core::LayerError;

/// Why nothing was found out, or done, about open connections.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LiveError {
    /// The threads that serve connections cannot be started.
    #[error("the shards cannot be started")]
    Shards(#[source] io::Error),
    /// The channel layer did not take the question to the connection's node.
    #[error("the node of the connection was not reached")]
    Layer(#[source] LayerError),
    /// The connection's node did not answer in time.
    #[error("the node of the connection did not answer")]
    NoAnswer,
    /// The message cannot be written.
    #[error("the message cannot be written")]
    Message(#[source] Box<dyn std::error::Error + Send + Sync>),
}
