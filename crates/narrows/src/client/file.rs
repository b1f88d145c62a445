use std::fmt::Write;
use std::sync::OnceLock;

use axum::body::{Body, Bytes};
use axum::routing::{MethodRouter, get};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderMap, Response, StatusCode};
use sha2::{Digest, Sha256};

/// A file in the binary, with a hash of its content in its path.
pub(super) struct File {
    content: &'static [u8],
    extension: &'static str,
    hash: OnceLock<String>,
    path: OnceLock<String>,
}

impl File {
    pub(super) const fn new(content: &'static [u8], extension: &'static str) -> Self {
        Self { content, extension, hash: OnceLock::new(), path: OnceLock::new() }
    }

    pub(super) fn path(&self) -> &str {
        self.path.get_or_init(|| format!("/narrows/narrows.{}.{}", self.hash(), self.extension))
    }

    fn hash(&self) -> &str {
        self.hash.get_or_init(|| digest(self.content))
    }

    /// GET, and by axum's rule HEAD.
    pub(super) fn route<S: Clone + Send + Sync + 'static>(&'static self) -> MethodRouter<S> {
        get(async move |headers: HeaderMap| self.response(&headers))
    }

    fn response(&self, request: &HeaderMap) -> Response<Body> {
        let tag = format!("\"{}\"", self.hash());
        let known = request.get(IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes());
        let response = Response::builder()
            .header(CONTENT_TYPE, "text/javascript; charset=utf-8")
            .header(CACHE_CONTROL, "public, max-age=31536000, immutable")
            .header(X_CONTENT_TYPE_OPTIONS, "nosniff")
            .header(ETAG, tag);
        let (status, body) = if known {
            (StatusCode::NOT_MODIFIED, Body::empty())
        } else {
            (StatusCode::OK, Body::from(Bytes::from_static(self.content)))
        };
        response.status(status).body(body).expect("the headers are legal")
    }
}

/// Eight bytes of the digest: enough to tell versions apart.
fn digest(content: &[u8]) -> String {
    let mut text = String::new();
    for byte in &Sha256::digest(content)[..8] {
        write!(text, "{byte:02x}").expect("writing to a String does not fail");
    }
    text
}
