use std::error::Error;
use std::fmt;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::{HeaderName, HeaderValue, StatusCode};
use narrows_core::NameError;

use crate::connection::JoinError;

/// How a consumer refuses a handshake: any HTTP answer.
///
/// ```
/// use narrows::{Group, Reject};
/// use axum::http::StatusCode;
///
/// fn enter(room: &str) -> Result<(), Reject> {
///     let _group = Group::<()>::new(room)?; // a bad name is a 400
///     if room == "staff" {
///         return Err(Reject::new(StatusCode::FORBIDDEN).header("x-why", "staff only").body("staff only"));
///     }
///     Ok(())
/// }
/// assert_eq!(enter("no room").unwrap_err().status(), StatusCode::BAD_REQUEST);
/// assert_eq!(enter("staff").unwrap_err().status(), StatusCode::FORBIDDEN);
/// ```
///
/// `?` on any error works: a [`NameError`] answers 400 with its text, a [`JoinError`] 503, any other error
/// 500 with no detail; the detail is logged. Browsers show no part of it to scripts: a page that must know
/// why is better served by accepting and closing with a code.
pub struct Reject {
    response: Box<Response>,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl Reject {
    /// Refuses with this status and the status's usual words as the body.
    pub fn new(status: StatusCode) -> Self {
        let words = status.canonical_reason().unwrap_or("refused");
        Self { response: Box::new((status, words).into_response()), source: None }
    }

    /// Refuses with any response of axum's.
    pub fn response(response: impl IntoResponse) -> Self {
        Self { response: Box::new(response.into_response()), source: None }
    }

    /// Adds a header.
    ///
    /// # Panics
    /// When the name or value cannot stand in a header, as `http`'s own builders do with static text.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        let value = HeaderValue::from_str(value).expect("a header value of visible characters");
        self.response.headers_mut().append(HeaderName::from_static(name), value);
        self
    }

    /// Replaces the body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Body>) -> Self {
        *self.response.body_mut() = body.into();
        self
    }

    /// The status that the client will see.
    pub fn status(&self) -> StatusCode {
        self.response.status()
    }

    /// The error behind it, if it came from one.
    pub fn source(&self) -> Option<&(dyn Error + Send + Sync + 'static)> {
        self.source.as_deref()
    }
}

impl IntoResponse for Reject {
    fn into_response(self) -> Response {
        *self.response
    }
}

impl fmt::Debug for Reject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reject").field("status", &self.status()).field("source", &self.source).finish()
    }
}

impl<E: Error + Send + Sync + 'static> From<E> for Reject {
    fn from(error: E) -> Self {
        let any: &dyn Error = &error;
        let mut reject = if any.is::<NameError>() {
            Self::new(StatusCode::BAD_REQUEST).body(error.to_string())
        } else if any.is::<JoinError>() {
            Self::new(StatusCode::SERVICE_UNAVAILABLE)
        } else {
            Self::new(StatusCode::INTERNAL_SERVER_ERROR)
        };
        reject.source = Some(Box::new(error));
        reject
    }
}
