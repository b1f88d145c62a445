use std::collections::BTreeMap;

use axum::Router;
use axum::routing::MethodRouter;

use crate::Site;

/// An app's addresses: an axum router whose routes have names.
///
/// In the templates `url_for('chat:room', room='lobby')` is the route `room` of the app `chat`.
#[derive(Debug, Clone, Default)]
pub struct Routes {
    pub(crate) router: Router<Site>,
    pub(crate) names: BTreeMap<String, String>,
}

impl Routes {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a route – a view, or a socket – by its name and its path, as axum writes paths.
    ///
    /// # Panics
    /// When the name or the path is taken.
    #[must_use]
    pub fn route(mut self, name: &str, path: &str, methods: MethodRouter<Site>) -> Self {
        let taken = self.names.insert(name.to_owned(), path.to_owned());
        assert!(taken.is_none(), "there is a route {name} already");
        self.router = self.router.route(path, methods);
        self
    }

    /// Changes the axum router: routes without a name, layers, a fallback.
    #[must_use]
    pub fn with(mut self, change: impl FnOnce(Router<Site>) -> Router<Site>) -> Self {
        self.router = change(self.router);
        self
    }
}

/// Why there is no address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UrlError {
    /// No route has this name.
    #[error("no route is called `{0}`")]
    NoRoute(String),
    /// The route needs a value.
    #[error("the route `{route}` needs a `{value}`")]
    Missing {
        /// The route.
        route: String,
        /// What it needs.
        value: String,
    },
    /// The route has no such value.
    #[error("the route `{route}` has no `{value}`")]
    Unknown {
        /// The route.
        route: String,
        /// What it does not know.
        value: String,
    },
}
