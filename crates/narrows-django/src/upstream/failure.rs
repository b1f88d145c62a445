use std::error::Error;

use axum::response::{IntoResponse, Response};
use http::header::{CONNECTION, RETRY_AFTER};
use http::{Method, StatusCode};

use super::address::Address;

/// Why a request has no answer of the upstream.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error("the upstream is away")]
    Away(#[source] Box<dyn Error + Send + Sync>),
    #[error("the upstream did not answer as it should")]
    Broken(#[source] Box<dyn Error + Send + Sync>),
    #[error("the upstream did not answer in time")]
    Late,
    #[error("the client did not send its request in time")]
    ClientLate,
    #[error("the client did not send all of its request")]
    ClientGone,
    #[error("the request is too long")]
    TooLarge,
    #[error("no route here answers this socket")]
    WebSocket,
    #[error("this method is not passed on")]
    Method,
    #[error("the upstream sends its requests back here")]
    Loop,
    #[error("{0}")]
    BadRequest(&'static str),
}

/// When to ask again, in seconds: a server that is started anew is back by then.
const SOON: &str = "5";

impl Failure {
    /// What is the operator's to know; what a client did wrong is only for who looks for it.
    pub(super) fn log(&self, upstream: &Address, method: &Method, path: &str) {
        let error = self as &dyn Error;
        match self {
            Self::Away(_) | Self::Broken(_) | Self::Late | Self::Loop => {
                tracing::warn!(%upstream, %method, path, error, "a request has no answer");
            }
            _ => tracing::debug!(%upstream, %method, path, error, "a request is refused"),
        }
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::Away(_) | Self::Broken(_) => StatusCode::BAD_GATEWAY,
            Self::Late => StatusCode::GATEWAY_TIMEOUT,
            Self::ClientLate => StatusCode::REQUEST_TIMEOUT,
            Self::ClientGone | Self::BadRequest(_) => StatusCode::BAD_REQUEST,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::WebSocket => StatusCode::NOT_FOUND,
            Self::Method => StatusCode::NOT_IMPLEMENTED,
            Self::Loop => StatusCode::LOOP_DETECTED,
        }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let status = self.status();
        match self {
            Self::Away(_) | Self::Broken(_) => (
                status,
                [(RETRY_AFTER, SOON)],
                "This page is not available just now. Try again in a moment.\n",
            )
                .into_response(),
            Self::Late => {
                (status, [(RETRY_AFTER, SOON)], "This page took too long. Try again in a moment.\n")
                    .into_response()
            }
            // What else is on the way is not read: nobody knows where the next request begins.
            Self::ClientLate | Self::BadRequest(_) => {
                (status, [(CONNECTION, "close")], format!("{self}\n")).into_response()
            }
            _ => (status, format!("{self}\n")).into_response(),
        }
    }
}
