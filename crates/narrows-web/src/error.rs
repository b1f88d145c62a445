use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use narrows_django::sea_orm::DbErr;

/// What a view returns.
pub type Result<T = Response, E = Error> = std::result::Result<T, E>;

/// Why a view has no page to show: a status, and for the log and for developers what was behind it.
///
/// Any error becomes a 500 by `?`, but [`DbErr::RecordNotFound`] is a 404, and a [`Refused`](narrows_django::Refused) is what it is
/// as an extractor: nobody logged in is a 401. The reader sees the site's page for the status, never the error itself.
///
/// ```
/// use narrows_web::{Error, Result, Page, context};
///
/// async fn room(page: Page) -> Result {
///     let Some(room) = find() else { return Err(Error::not_found()) };
///     page.render("chat/room.html", context! { room })
/// }
/// # fn find() -> Option<String> { None }
/// ```
#[derive(Debug)]
pub struct Error {
    status: StatusCode,
    text: Option<String>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl Error {
    /// This status, without a reason.
    pub fn status(status: StatusCode) -> Self {
        Self { status, text: None, source: None }
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

    /// Says to the reader what is wrong, in a sentence: the site's page for the status has it as `text`.
    #[must_use]
    pub fn text(mut self, text: impl Into<String>) -> Self {
        self.text = Some(text.into());
        self
    }

    /// What was behind it, for the log.
    #[must_use]
    pub fn because(mut self, error: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(error.into());
        self
    }
}

impl<E: StdError + Send + Sync + 'static> From<E> for Error {
    fn from(error: E) -> Self {
        let any: &(dyn StdError + 'static) = &error;
        let status = match (any.downcast_ref::<DbErr>(), any.downcast_ref::<narrows_django::Refused>()) {
            (Some(DbErr::RecordNotFound(_)), _) => StatusCode::NOT_FOUND,
            (_, Some(refused)) => refused_status(refused),
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        };
        Self { status, text: None, source: Some(Box::new(error)) }
    }
}

fn refused_status(refused: &narrows_django::Refused) -> StatusCode {
    use narrows_django::Refused;

    match refused {
        Refused::Anonymous => StatusCode::UNAUTHORIZED,
        Refused::Forbidden => StatusCode::FORBIDDEN,
        Refused::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.source, &self.text) {
            (Some(source), _) => source.fmt(f),
            (None, Some(text)) => text.fmt(f),
            (None, None) => self.status.fmt(f),
        }
    }
}

/// What was behind an answer: it travels with it to those who log it and make a page of it.
#[derive(Debug, Clone)]
pub(crate) struct Report {
    pub(crate) text: Option<String>,
    pub(crate) source: Option<Arc<dyn StdError + Send + Sync>>,
}

impl IntoResponse for Error {
    /// The bare status. What makes a page of it, and logs it once with its request, is around the routes of every
    /// [`Project`](crate::Project).
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        let source = self.source.map(Arc::from);
        response.extensions_mut().insert(Report { text: self.text, source });
        response
    }
}
