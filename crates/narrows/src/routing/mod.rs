//! Django's URL patterns, for sites that move over.

mod captured;
mod converters;
mod de;
mod error;
mod pattern;
mod resolved;
mod serve;
mod unsupported;
mod value;

use std::fmt;

use axum::routing::MethodRouter;

pub use self::{
    captured::{Captured, CapturedRejection},
    converters::ConverterError,
    error::RouteError,
    resolved::Resolved,
    value::{Integer, Value},
};
use self::{converters::Converters, pattern::Pattern};

/// Routes written as Django's URL patterns, with the rules of Channels' `URLRouter`.
///
/// ```
/// use axum::{Router, routing::any};
/// use narrows::{Captured, UrlRoutes};
///
/// async fn room(Captured(room): Captured<String>) -> String {
///     format!("you are in {room}")
/// }
///
/// let routes = UrlRoutes::new()
///     .path("ws/chat/<slug:room>/", any(room))?
///     .re_path(r"^ws/(?P<room>\w+)/$", any(room))?;
/// assert_eq!(routes.resolve("/ws/chat/rust/").unwrap().get("room").unwrap(), "rust");
///
/// let app: Router = Router::new().merge(routes.into_router());
/// # Ok::<(), narrows::RouteError>(())
/// ```
///
/// Routes are tried in their order, and the first match wins. An inner router without a match gives the
/// path back to the routes after it. The path is percent-decoded before, and *all* its leading slashes go,
/// so that patterns begin without one. New sites are better off with axum's own patterns, whose speed does
/// not depend on the number of routes.
///
/// # Differences from Django
///
/// * The regular expressions are those of the [`regex`](https://docs.rs/regex) crate: their time is linear
///   whatever a client sends, so that look-around, back-references and other backtracking are an error when
///   the route is added. `\Z` is understood; `\d` and `\w` know all of Unicode in both.
/// * `$` matches at the very end only. In Python it also does before a final line feed, where Django has
///   not closed that gap itself.
/// * `<uuid:…>` and custom converters capture text; parse it by the type in [`Captured`]. `<int:…>`
///   captures whole numbers of any size.
/// * A path without a route is a 404 rather than an exception, and a middleware around an inner router is a
///   [`layer`](MethodRouter::layer) of its handlers.
#[derive(Clone, Default)]
pub struct UrlRoutes {
    routes: Vec<Route>,
    converters: Converters,
    root_path: String,
    fallback: Option<Box<MethodRouter>>,
}

#[derive(Clone)]
struct Route {
    pattern: Pattern,
    defaults: Vec<(String, Value)>,
    target: Target,
}

#[derive(Clone)]
enum Target {
    Handler(Box<MethodRouter>),
    Inner(Vec<Route>),
}

/// Whether a pattern must reach to the end of the path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Extent {
    Whole,
    Prefix,
}

impl UrlRoutes {
    /// No routes yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a route in the syntax of Django's `path()`: text with parameters as `<name>` or `<converter:name>`.
    ///
    /// | converter | captures |
    /// |---|---|
    /// | `str` (or none) | text without a slash |
    /// | `int` | digits, as a number of any size |
    /// | `slug` | ASCII letters, digits, `-` and `_` |
    /// | `uuid` | a UUID in lower case with dashes |
    /// | `path` | text, with slashes |
    ///
    /// The handler is whatever axum routes: `get(view)`, `any(socket)`, with state by
    /// [`with_state`](MethodRouter::with_state).
    ///
    /// # Errors
    /// If the pattern is wrong, or could never match; see [`RouteError`].
    pub fn path(self, pattern: &str, handler: MethodRouter) -> Result<Self, RouteError> {
        self.path_with(pattern, NO_DEFAULTS, handler)
    }

    /// Adds a route like [`path`](Self::path) with extra values, which override captured ones of their name.
    ///
    /// ```
    /// # use axum::routing::any;
    /// # use narrows::UrlRoutes;
    /// let routes = UrlRoutes::new().path_with("lobby/", [("room", "lobby")], any(async || ()))?;
    /// assert_eq!(routes.resolve("/lobby/").unwrap().get("room").unwrap(), "lobby");
    /// # Ok::<(), narrows::RouteError>(())
    /// ```
    ///
    /// # Errors
    /// As [`path`](Self::path).
    pub fn path_with<K, V>(
        mut self,
        pattern: &str,
        defaults: impl IntoIterator<Item = (K, V)>,
        handler: MethodRouter,
    ) -> Result<Self, RouteError>
    where
        K: Into<String>,
        V: Into<Value>,
    {
        let pattern = Pattern::path(pattern, &self.converters, Extent::Whole)?;
        self.routes.push(Route::new(pattern, defaults, Target::Handler(Box::new(handler))));
        Ok(self)
    }

    /// Adds a route by regular expression, as Django's `re_path()`.
    ///
    /// The expression is searched for, so that it wants a `^` in front; without a `$` it leaves the
    /// [rest](Resolved::rest) of the path unmatched. Named groups become named values, and then groups
    /// without a name do not count; optional named groups that took no part are left out.
    ///
    /// # Errors
    /// If the expression is wrong, or needs what [`regex`](https://docs.rs/regex) does not do.
    pub fn re_path(self, pattern: &str, handler: MethodRouter) -> Result<Self, RouteError> {
        self.re_path_with(pattern, NO_DEFAULTS, handler)
    }

    /// Adds a route like [`re_path`](Self::re_path) with extra values, which override captured ones.
    ///
    /// # Errors
    /// As [`re_path`](Self::re_path).
    pub fn re_path_with<K, V>(
        mut self,
        pattern: &str,
        defaults: impl IntoIterator<Item = (K, V)>,
        handler: MethodRouter,
    ) -> Result<Self, RouteError>
    where
        K: Into<String>,
        V: Into<Value>,
    {
        let pattern = Pattern::re_path(pattern, Extent::Whole)?;
        self.routes.push(Route::new(pattern, defaults, Target::Handler(Box::new(handler))));
        Ok(self)
    }

    /// Adds an inner router below a pattern in the syntax of [`path`](Self::path).
    ///
    /// ```
    /// # use axum::routing::any;
    /// # use narrows::UrlRoutes;
    /// let inner = UrlRoutes::new().path("<int:seat>/", any(async || ()))?;
    /// let routes = UrlRoutes::new().nest("room/<slug:room>/", inner)?;
    ///
    /// let found = routes.resolve("/room/blue/7/").unwrap();
    /// assert_eq!((found.get("room").unwrap(), found.get("seat").unwrap()), (&"blue".into(), &7.into()));
    /// assert_eq!(found.route(), "room/<slug:room>/<int:seat>/");
    /// # Ok::<(), narrows::RouteError>(())
    /// ```
    ///
    /// Handlers get the values of all levels; a named value of the inner router wins. Each router knows the
    /// [converters](Self::converter) added to itself; [root path](Self::root_path) and
    /// [fallback](Self::fallback) count on the outermost only.
    ///
    /// # Errors
    /// As [`path`](Self::path).
    pub fn nest(mut self, pattern: &str, inner: UrlRoutes) -> Result<Self, RouteError> {
        let pattern = Pattern::path(pattern, &self.converters, Extent::Prefix)?;
        self.routes.push(Route::new(pattern, NO_DEFAULTS, Target::Inner(inner.routes)));
        Ok(self)
    }

    /// Adds an inner router below a regular expression, which wants a `^` but no `$`; else as [`nest`](Self::nest).
    ///
    /// # Errors
    /// As [`re_path`](Self::re_path).
    pub fn nest_re(mut self, pattern: &str, inner: UrlRoutes) -> Result<Self, RouteError> {
        let pattern = Pattern::re_path(pattern, Extent::Prefix)?;
        self.routes.push(Route::new(pattern, NO_DEFAULTS, Target::Inner(inner.routes)));
        Ok(self)
    }

    /// Adds a converter for the routes after it: a name, and the regular expression that a value matches.
    ///
    /// ```
    /// # use axum::routing::any;
    /// # use narrows::UrlRoutes;
    /// let routes = UrlRoutes::new().converter("hex", "[0-9a-f]+")?.path("<hex:id>/", any(async || ()))?;
    /// assert!(routes.resolve("/c0ffee/").is_some());
    /// assert!(routes.resolve("/tea/").is_none());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// If the name is taken or no name, or the expression is wrong or has named groups.
    pub fn converter(mut self, name: &str, regex: &str) -> Result<Self, ConverterError> {
        self.converters.add(name, regex)?;
        Ok(self)
    }

    /// Sets the prefix under which the site is mounted: it is cut off each path, and paths without it do not match.
    ///
    /// As in ASGI it is a plain prefix, so that `/app` also cuts `/appendix/` to `endix/`; a root path that ends in
    /// a slash does not. Below [`Router::nest`](axum::Router::nest) there is no need for it, as axum has cut
    /// the prefix already.
    #[must_use]
    pub fn root_path(mut self, root_path: &str) -> Self {
        root_path.clone_into(&mut self.root_path);
        self
    }

    /// Sets the handler of paths without a route, instead of a 404: a proxy to another server, say.
    #[must_use]
    pub fn fallback(mut self, handler: MethodRouter) -> Self {
        self.fallback = Some(Box::new(handler));
        self
    }

    /// What a path, percent-decoded already, leads to.
    ///
    /// ```
    /// # use axum::routing::any;
    /// # use narrows::UrlRoutes;
    /// let routes = UrlRoutes::new().path("int/<int:n>/", any(async || ()))?;
    /// assert_eq!(routes.resolve("/int/007/").unwrap().get("n"), Some(&7.into()));
    /// assert!(routes.resolve("/int/-7/").is_none());
    /// # Ok::<(), narrows::RouteError>(())
    /// ```
    #[must_use]
    pub fn resolve(&self, path: &str) -> Option<Resolved> {
        self.find(path).map(|(resolved, _)| resolved)
    }

    fn find(&self, path: &str) -> Option<(Resolved, &MethodRouter)> {
        first_match(&self.routes, path.strip_prefix(self.root_path.as_str())?)
    }
}

const NO_DEFAULTS: [(String, Value); 0] = [];

fn first_match<'r>(routes: &'r [Route], path: &str) -> Option<(Resolved, &'r MethodRouter)> {
    let path = path.trim_start_matches('/');
    routes.iter().find_map(|route| {
        let mut outer = route.pattern.matches(path)?;
        outer.extend_named(route.defaults.iter().cloned());
        match &route.target {
            Target::Handler(handler) => Some((outer, &**handler)),
            Target::Inner(routes) => {
                let (inner, handler) = first_match(routes, outer.rest())?;
                Some((outer.join(inner), handler))
            }
        }
    })
}

impl Route {
    fn new<K: Into<String>, V: Into<Value>>(
        pattern: Pattern,
        defaults: impl IntoIterator<Item = (K, V)>,
        target: Target,
    ) -> Self {
        let defaults = defaults.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        Self { pattern, defaults, target }
    }
}

impl fmt::Debug for UrlRoutes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UrlRoutes").field("root_path", &self.root_path).field("routes", &self.routes).finish()
    }
}

impl fmt::Debug for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.target {
            Target::Handler(_) => fmt::Debug::fmt(self.pattern.text(), f),
            Target::Inner(routes) => f.debug_map().entry(&self.pattern.text(), routes).finish(),
        }
    }
}
