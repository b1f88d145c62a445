/// Why a route could not be added to [`UrlRoutes`](crate::UrlRoutes).
///
/// ```
/// use axum::routing::any;
/// use narrows::UrlRoutes;
///
/// let error = UrlRoutes::new().path("room/<word:name>/", any(async || ())).unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "the pattern `room/<word:name>/` uses the unknown converter `word`; known are int, path, slug, str, uuid",
/// );
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RouteError {
    /// The pattern begins with a slash, which is cut off every path before.
    #[error("the pattern `{pattern}` begins with a slash and so never matches; leave the slash out")]
    LeadingSlash {
        /// The pattern.
        pattern: String,
    },
    /// The pattern of a `path` looks like a regular expression.
    #[error("the pattern `{pattern}` looks like a regular expression; add it with `re_path` or `nest_re`")]
    LooksLikeRegex {
        /// The pattern.
        pattern: String,
    },
    /// An angle bracket has no partner, or there is nothing or white space between two.
    #[error("the pattern `{pattern}` has a `<` or `>` that is not part of `<name>` or `<converter:name>`")]
    Brackets {
        /// The pattern.
        pattern: String,
    },
    /// The name of a parameter is no identifier.
    #[error("the pattern `{pattern}` has the parameter `{name}`, which is no identifier")]
    Name {
        /// The pattern.
        pattern: String,
        /// The name.
        name: String,
    },
    /// Two parameters have one name.
    #[error("the pattern `{pattern}` has the parameter `{name}` twice")]
    Twice {
        /// The pattern.
        pattern: String,
        /// The name.
        name: String,
    },
    /// There is no such converter.
    #[error("the pattern `{pattern}` uses the unknown converter `{converter}`; known are {known}")]
    UnknownConverter {
        /// The pattern.
        pattern: String,
        /// The unknown name.
        converter: String,
        /// The known names.
        known: String,
    },
    /// The regular expression needs something that takes backtracking, or that only Python knows.
    #[error("the pattern `{pattern}` uses {feature}, which regular expressions here do not support")]
    Unsupported {
        /// The pattern.
        pattern: String,
        /// What is not supported.
        feature: &'static str,
    },
    /// The regular expression is wrong or too large.
    #[error("the pattern `{pattern}` is not a valid regular expression")]
    Regex {
        /// The pattern.
        pattern: String,
        /// What is wrong with it.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}
