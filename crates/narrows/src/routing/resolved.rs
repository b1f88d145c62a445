use std::sync::Arc;

use axum::extract::FromRequestParts;
use http::request::Parts;

use super::{CapturedRejection, Value};

/// Where a path led to: the route, and the values captured on the way.
///
/// ```
/// use axum::routing::any;
/// use narrows::UrlRoutes;
///
/// let routes = UrlRoutes::new().re_path(r"^log/(\d+)/(\w+)/", any(async || ()))?;
/// let found = routes.resolve("/log/7/disk/a/b").unwrap();
/// assert_eq!(found.args(), ["7", "disk"]);
/// assert_eq!(found.rest(), "a/b");
/// assert_eq!(found.route(), r"^log/(\d+)/(\w+)/");
/// # Ok::<(), narrows::RouteError>(())
/// ```
///
/// It is also an extractor, for handlers that want more than [`Captured`](crate::Captured) gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved {
    route: String,
    args: Vec<Value>,
    kwargs: Vec<(String, Value)>,
    rest: String,
}

/// How a request carries what it was resolved to.
#[derive(Debug, Clone)]
pub(super) struct ResolvedExtension(pub(super) Arc<Resolved>);

impl Resolved {
    pub(super) fn new(route: &str, rest: &str) -> Self {
        Self { route: route.to_owned(), args: Vec::new(), kwargs: Vec::new(), rest: rest.to_owned() }
    }

    /// The patterns that matched, outer to inner in one text: a name for logs and metrics.
    #[must_use]
    pub fn route(&self) -> &str {
        &self.route
    }

    /// The values of groups without a name, outer before inner.
    #[must_use]
    pub fn args(&self) -> &[Value] {
        &self.args
    }

    /// The named values, outer before inner.
    pub fn kwargs(&self) -> impl ExactSizeIterator<Item = (&str, &Value)> {
        self.kwargs.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// The value with this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.kwargs.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// What a pattern without an end left of the path.
    #[must_use]
    pub fn rest(&self) -> &str {
        &self.rest
    }

    pub(super) fn push_positional(&mut self, value: Value) {
        self.args.push(value);
    }

    /// Adds named values; where there is one of the same name, the new value takes its place.
    pub(super) fn extend_named(&mut self, values: impl IntoIterator<Item = (String, Value)>) {
        for (name, value) in values {
            match self.kwargs.iter_mut().find(|(known, _)| *known == name) {
                Some((_, old)) => *old = value,
                None => self.kwargs.push((name, value)),
            }
        }
    }

    /// Goes on with what an inner router found.
    pub(super) fn join(mut self, inner: Self) -> Self {
        self.route.push_str(&inner.route);
        self.args.extend(inner.args);
        self.extend_named(inner.kwargs);
        self.rest = inner.rest;
        self
    }

    pub(super) fn of(parts: &Parts) -> Result<&Arc<Self>, CapturedRejection> {
        let extension = parts.extensions.get::<ResolvedExtension>();
        extension.map(|ResolvedExtension(resolved)| resolved).ok_or(CapturedRejection::NotRouted)
    }
}

impl<S: Sync> FromRequestParts<S> for Resolved {
    type Rejection = CapturedRejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, CapturedRejection> {
        Self::of(parts).map(|resolved| Self::clone(resolved))
    }
}
