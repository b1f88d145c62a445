use axum::{
    extract::FromRequestParts,
    response::{IntoResponse, Response},
};
use http::{StatusCode, request::Parts};
use serde::de::DeserializeOwned;

use super::{Resolved, de, serve::not_found};

/// The values that a route of [`UrlRoutes`](crate::UrlRoutes) captured, as a type of yours.
///
/// ```
/// use axum::routing::any;
/// use narrows::{Captured, UrlRoutes};
/// use serde::Deserialize;
///
/// #[derive(Deserialize)]
/// struct Seat {
///     room: String,
///     seat: u32,
/// }
///
/// async fn seat(Captured(Seat { room, seat }): Captured<Seat>) -> String {
///     format!("seat {seat} in {room}")
/// }
///
/// async fn log(Captured((year, name)): Captured<(u16, String)>) -> String {
///     format!("{name} of {year}")
/// }
///
/// let routes = UrlRoutes::new()
///     .path("<slug:room>/<int:seat>/", any(seat))?
///     .re_path(r"^log/(\d{4})/(\w+)/$", any(log))?;
/// # Ok::<(), narrows::RouteError>(())
/// ```
///
/// * A struct or map takes the named values.
/// * A tuple or list takes the values without a name; where there are none, the named ones in their order.
/// * Anything else takes the only value there is.
///
/// A field for an optional group is an `Option` with `#[serde(default)]` or without. Numbers are parsed
/// from text too; a `String` takes a number of any size.
///
/// Rejects with a [`CapturedRejection`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Captured<T>(pub T);

/// Why [`Captured`] has no value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CapturedRejection {
    /// The handler is not behind [`UrlRoutes`](crate::UrlRoutes): a 500, as the program is wrong.
    #[error("no values are captured here, as the handler is not a route of `UrlRoutes`")]
    NotRouted,
    /// A value does not fit its type, such as a number too large: a 404, as there is nothing at such an address.
    #[error("the path does not fit the type that is captured: {reason}")]
    Value {
        /// Which value, and why.
        reason: String,
    },
    /// The route never has the values that the type asks for: a 500, as the program is wrong.
    #[error("the route `{route}` does not have what `{wanted}` asks for: {reason}")]
    Shape {
        /// The route.
        route: String,
        /// The name of the type.
        wanted: &'static str,
        /// What is missing or left over.
        reason: String,
    },
}

impl<T, S> FromRequestParts<S> for Captured<T>
where
    T: DeserializeOwned + Send,
    S: Sync,
{
    type Rejection = CapturedRejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, CapturedRejection> {
        let resolved = Resolved::of(parts)?;
        T::deserialize(de::Values(resolved)).map(Self).map_err(|error| match error.kind {
            de::Kind::Value => CapturedRejection::Value { reason: error.to_string() },
            de::Kind::Shape => CapturedRejection::Shape {
                route: resolved.route().to_owned(),
                wanted: std::any::type_name::<T>(),
                reason: error.to_string(),
            },
        })
    }
}

impl IntoResponse for CapturedRejection {
    fn into_response(self) -> Response {
        match self {
            Self::Value { .. } => {
                tracing::debug!(error = %self, "captured value refused");
                not_found()
            }
            Self::NotRouted | Self::Shape { .. } => {
                tracing::error!(error = %self, "route and handler do not fit");
                let body = "Route and handler do not fit. The log of the server says why.\n";
                (StatusCode::INTERNAL_SERVER_ERROR, body).into_response()
            }
        }
    }
}
