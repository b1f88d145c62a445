use std::collections::BTreeMap;

use axum::Router;
use axum::routing::MethodRouter;

use crate::Site;
use crate::assets::percent_encoded;

/// An app's addresses: an axum router whose routes have names.
///
/// In the templates `url_for('chat:room', room='lobby')` is the route `room` of the app `chat`; in Rust it is
/// [`Site::url_for`].
///
/// ```
/// use axum::extract::Path;
/// use axum::routing::get;
/// use narrows_web::Routes;
///
/// let routes = Routes::new()
///     .route("index", "/chat/", get(|| async { "all rooms" }))
///     .route("room", "/chat/{room}/", get(|Path(room): Path<String>| async move { room }));
/// ```
///
/// A GET for the path of a route without the slash at its end is sent on to the route.
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
    /// When the name or the path is taken, or cannot be one. A name is made of letters, digits, `_`, `-` and `.`.
    #[must_use]
    pub fn route(mut self, name: &str, path: &str, methods: MethodRouter<Site>) -> Self {
        self.name(name, path);
        self.router = self.router.route(path, methods);
        self
    }

    /// Changes the axum router: routes without a name, layers. What is added later is outside of a layer.
    #[must_use]
    pub fn with(mut self, change: impl FnOnce(Router<Site>) -> Router<Site>) -> Self {
        self.router = change(self.router);
        self
    }

    /// Adds these, with their names.
    ///
    /// # Panics
    /// When one of their names or paths is taken.
    #[must_use]
    pub fn merge(mut self, other: Self) -> Self {
        for (name, path) in other.names {
            self.name(&name, &path);
        }
        self.router = self.router.merge(other.router);
        self
    }

    /// Adds these below a prefix, such as `/settings`, with their names.
    ///
    /// # Panics
    /// When one of their names or paths is taken, or the prefix does not begin with a slash.
    #[must_use]
    pub fn nest(self, prefix: &str, other: Self) -> Self {
        self.merge(other.at(prefix))
    }

    /// All of them below a prefix.
    pub(crate) fn at(self, prefix: &str) -> Self {
        let prefix = prefix.trim_end_matches('/');
        if prefix.is_empty() {
            return self;
        }
        let names = self.names.into_iter().map(|(name, path)| (name, format!("{prefix}{path}"))).collect();
        // With the slash, so that `/` below `/blog` is `/blog/`, as all other paths are what they are put together.
        Self { router: Router::new().nest(&format!("{prefix}/"), self.router), names }
    }

    fn name(&mut self, name: &str, path: &str) {
        let is_good = |sign: char| sign.is_alphanumeric() || matches!(sign, '_' | '-' | '.');
        assert!(!name.is_empty() && name.chars().all(is_good), "`{name}` cannot be the name of a route");
        let taken = self.names.insert(name.to_owned(), path.to_owned());
        assert!(taken.is_none(), "there is a route `{name}` already");
    }
}

/// The names of all routes of a site.
#[derive(Debug, Default)]
pub(crate) struct Names(BTreeMap<String, Pattern>);

impl Names {
    /// Adds an app's names, and its routes to the router.
    ///
    /// # Panics
    /// When another app of this name has one of the names, or the path of a route is taken.
    pub(crate) fn mount(
        &mut self,
        router: Router<Site>,
        app: &str,
        prefix: &str,
        routes: Routes,
    ) -> Router<Site> {
        let routes = routes.at(prefix);
        for (name, path) in routes.names {
            let taken = self.0.insert(format!("{app}:{name}"), Pattern::parse(&path));
            assert!(taken.is_none(), "there is a route `{app}:{name}` already: two apps have one name");
        }
        router.merge(routes.router)
    }

    pub(crate) fn contains(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    pub(crate) fn url_for<K: AsRef<str>, V: AsRef<str>>(
        &self,
        name: &str,
        values: &[(K, V)],
    ) -> Result<String, UrlError> {
        let pattern = self.0.get(name).ok_or_else(|| UrlError::NoRoute(name.to_owned()))?;
        pattern.fill(name, values)
    }

    /// Whether a route has this path once a slash is added to it.
    pub(crate) fn has_with_slash(&self, path: &str) -> bool {
        !path.ends_with('/') && {
            let path = format!("{path}/");
            self.0.values().any(|pattern| pattern.ends_with_slash() && pattern.matches(&path))
        }
    }

    /// All names with their paths.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, pattern)| (name.as_str(), pattern.path.as_str()))
    }
}

/// A path as axum writes it.
#[derive(Debug)]
struct Pattern {
    path: String,
    parts: Vec<Part>,
}

#[derive(Debug)]
enum Part {
    Text(String),
    /// `{name}`: a segment.
    Value(String),
    /// `{*name}`: all that follows.
    Rest(String),
}

impl Pattern {
    fn parse(path: &str) -> Self {
        let (mut parts, mut text, mut rest) = (Vec::new(), String::new(), path);
        while let Some(sign) = rest.chars().next() {
            rest = &rest[sign.len_utf8()..];
            match sign {
                // Doubled it is itself.
                '{' | '}' if rest.starts_with(sign) => {
                    text.push(sign);
                    rest = &rest[1..];
                }
                '{' => {
                    let (name, after) = rest.split_once('}').unwrap_or((rest, ""));
                    parts.push(Part::Text(std::mem::take(&mut text)));
                    parts.push(match name.strip_prefix('*') {
                        Some(name) => Part::Rest(name.to_owned()),
                        None => Part::Value(name.to_owned()),
                    });
                    rest = after;
                }
                _ => text.push(sign),
            }
        }
        parts.push(Part::Text(text));
        Self { path: path.to_owned(), parts }
    }

    fn fill<K: AsRef<str>, V: AsRef<str>>(&self, route: &str, values: &[(K, V)]) -> Result<String, UrlError> {
        let known = |name: &str| {
            self.parts
                .iter()
                .any(|part| matches!(part, Part::Value(value) | Part::Rest(value) if value == name))
        };
        if let Some((name, _)) = values.iter().find(|(name, _)| !known(name.as_ref())) {
            return Err(UrlError::Unknown { route: route.to_owned(), value: name.as_ref().to_owned() });
        }
        let mut url = String::new();
        for part in &self.parts {
            let name = match part {
                Part::Text(text) => {
                    url.push_str(&encoded_text(text));
                    continue;
                }
                Part::Value(name) | Part::Rest(name) => name,
            };
            let found = values.iter().find(|(known, _)| known.as_ref() == name);
            let Some((_, value)) = found else {
                return Err(UrlError::Missing { route: route.to_owned(), value: name.clone() });
            };
            let value = value.as_ref();
            let rest = matches!(part, Part::Rest(_));
            if !can_stand_in_path(value, rest) {
                return Err(impossible(route, name, value));
            }
            url.push_str(&if rest { percent_encoded(value) } else { percent_encoded_segment(value) });
            // What begins with two slashes is another site to browsers.
            if url.starts_with("//") {
                return Err(impossible(route, name, value));
            }
        }
        Ok(url)
    }

    fn ends_with_slash(&self) -> bool {
        matches!(self.parts.last(), Some(Part::Text(text)) if text.ends_with('/'))
    }

    /// Whether it is the pattern of this path; not for patterns with a rest.
    fn matches(&self, path: &str) -> bool {
        let mut rest = path;
        for part in &self.parts {
            match part {
                Part::Text(text) => match rest.strip_prefix(text.as_str()) {
                    Some(after) => rest = after,
                    None => return false,
                },
                Part::Value(_) => {
                    let end = rest.find('/').unwrap_or(rest.len());
                    if end == 0 {
                        return false;
                    }
                    rest = &rest[end..];
                }
                Part::Rest(_) => return false,
            }
        }
        rest.is_empty()
    }
}

fn impossible(route: &str, name: &str, value: &str) -> UrlError {
    UrlError::Impossible { route: route.to_owned(), value: name.to_owned(), text: value.to_owned() }
}

/// The fixed parts of a path may be written with any letters.
fn encoded_text(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::CONTROLS).to_string()
}

fn percent_encoded_segment(value: &str) -> String {
    percent_encoded(&value.replace('/', "\0")).replace("%00", "%2F")
}

/// An empty segment is no segment, and browsers make something else of `.` and `..`, percent-encoded or not.
fn can_stand_in_path(value: &str, rest: bool) -> bool {
    let good = |segment: &str| !matches!(segment, "." | "..");
    let no_nul = !value.contains('\0');
    no_nul && !value.is_empty() && if rest { value.split('/').all(good) } else { good(value) }
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
    /// The value cannot be a part of a path: it is empty, `.` or `..`, has a NUL in it, or would lead to another site.
    #[error("the `{value}` of the route `{route}` cannot be {text:?}")]
    Impossible {
        /// The route.
        route: String,
        /// Which value.
        value: String,
        /// What it was.
        text: String,
    },
}
