use std::fmt;

use axum::response::{IntoResponse, Response};
use http::StatusCode;

/// What a view returns.
pub type Result<T = Response, E = Error> = std::result::Result<T, E>;

/// Why a view has no page to show: a status, and for the log and for developers what was behind it.
///
/// Any error becomes a 500 by `?`.
#[derive(Debug)]
pub struct Error {
    status: StatusCode,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    /// This status, without a reason.
    pub fn status(status: StatusCode) -> Self {
        Self { status, source: None }
    }

    /// There is no such thing: 404.
    pub fn not_found() -> Self {
        Self::status(StatusCode::NOT_FOUND)
    }

    /// They may not: 403.
    pub fn forbidden() -> Self {
        Self::status(StatusCode::FORBIDDEN)
    }

    /// The request makes no sense: 400.
    pub fn bad_request() -> Self {
        Self::status(StatusCode::BAD_REQUEST)
    }
}

impl<E: std::error::Error + Send + Sync + 'static> From<E> for Error {
    fn from(error: E) -> Self {
        Self { status: StatusCode::INTERNAL_SERVER_ERROR, source: Some(Box::new(error)) }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.source {
            Some(source) => source.fmt(f),
            None => self.status.fmt(f),
        }
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        if let Some(error) = &self.source {
            tracing::error!(%error, "a view failed");
        }
        self.status.into_response()
    }
}
