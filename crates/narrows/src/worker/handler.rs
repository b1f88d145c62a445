use std::error::Error;
use std::future::Future;
use std::pin::Pin;

use bytes::Bytes;
use narrows_core::{Message, MessageError, PayloadFormat};

use crate::sync::Arc;

/// A user's handler, with the type of its messages out of sight.
pub(super) type Handler = Arc<dyn Fn(Bytes, PayloadFormat) -> Handling + Send + Sync>;

pub(super) type Handling = Pin<Box<dyn Future<Output = Result<(), HandleError>> + Send>>;

/// Why a message was not handled.
pub(super) enum HandleError {
    Undecodable(MessageError),
    Failed(Box<dyn Error + Send + Sync>),
}

pub(super) fn erase<M, H, F, E>(handler: H) -> Handler
where
    M: Message,
    H: Fn(M) -> F + Send + Sync + 'static,
    F: Future<Output = Result<(), E>> + Send + 'static,
    E: Into<Box<dyn Error + Send + Sync>>,
{
    let handler = Arc::new(handler);
    Arc::new(move |payload, format| {
        let handler = handler.clone();
        // Both the message's own code and the handler's run inside: their panics are the task's.
        Box::pin(async move {
            let message = format.decode(&payload).map_err(HandleError::Undecodable)?;
            drop(payload);
            handler(message).await.map_err(|error| HandleError::Failed(error.into()))
        })
    })
}
