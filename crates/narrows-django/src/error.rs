use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::RETRY_AFTER;

use crate::database::DatabaseError;

/// Why an extractor of accounts refuses a request.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Refused {
    /// The route has no [`Accounts::layer`](crate::Accounts::layer) around it: a 500.
    #[error("the route is not inside of `Accounts::layer()`")]
    NoLayer,
    /// Nobody is logged in: a 401.
    #[error("nobody is logged in")]
    Anonymous,
    /// The user may not: a 403.
    #[error("the user may not do this")]
    Forbidden,
    /// The database is away: a 503, and nobody is logged out.
    #[error("the accounts cannot be reached")]
    Unavailable(#[from] DatabaseError),
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        match &self {
            Self::NoLayer => {
                tracing::error!("{self}");
                StatusCode::INTERNAL_SERVER_ERROR.into_response()
            }
            Self::Anonymous => (StatusCode::UNAUTHORIZED, "log in first\n").into_response(),
            Self::Forbidden => (StatusCode::FORBIDDEN, "you may not do this\n").into_response(),
            Self::Unavailable(error) => {
                tracing::error!(error = error as &dyn std::error::Error, "{self}");
                (
                    StatusCode::SERVICE_UNAVAILABLE,
                    [(RETRY_AFTER, "1")],
                    "accounts are not available just now\n",
                )
                    .into_response()
            }
        }
    }
}
