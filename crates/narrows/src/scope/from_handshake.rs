use axum::extract::FromRequestParts;

/// What can be a consumer's [`Scope`](crate::Consumer::Scope): an axum extractor, or a tuple of them.
///
/// ```
/// use axum::extract::{Path, Query, State};
/// use narrows::scope::FromHandshake;
///
/// fn is_scope<S, T: FromHandshake<S>>() {}
/// is_scope::<(), (Path<String>, axum::http::HeaderMap)>();
/// is_scope::<u32, State<u32>>();
/// ```
///
/// Nothing has to be implemented: every [`FromRequestParts`] is one. An extractor that reads a body is none, as a
/// handshake has no body.
#[diagnostic::on_unimplemented(
    message = "the scope `{Self}` cannot be extracted from a handshake",
    label = "the consumer's `Scope` does not implement `FromRequestParts`",
    note = "use an axum extractor such as `Path<String>`, a tuple of them, or `()`; or implement \
            `axum::extract::FromRequestParts` for it"
)]
pub trait FromHandshake<S>: FromRequestParts<S> {}

impl<S, T: FromRequestParts<S>> FromHandshake<S> for T {}
