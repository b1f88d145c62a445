use std::fmt::Write;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get};
use sha2::{Digest, Sha256};

/// A file that is part of the binary, and its answers.
#[derive(Clone)]
pub(super) struct File {
    content_type: &'static str,
    content: &'static [u8],
    etag: HeaderValue,
}

impl File {
    pub(super) fn new(content_type: &'static str, content: &'static [u8]) -> Self {
        let mut etag = String::from('"');
        for byte in &Sha256::digest(content)[..12] {
            write!(etag, "{byte:02x}").expect("writing to a String does not fail");
        }
        etag.push('"');
        Self { content_type, content, etag: etag.try_into().expect("hex digits can stand in a header") }
    }

    /// Serves the file, or says that the browser's copy is still right.
    pub(super) fn route<S: Clone + Send + Sync + 'static>(self) -> MethodRouter<S> {
        get(async move |headers: HeaderMap| {
            let known = headers.get_all(header::IF_NONE_MATCH).iter().any(|tags| self.is_among(tags));
            self.response(if known { StatusCode::NOT_MODIFIED } else { StatusCode::OK })
        })
    }

    pub(super) fn response(&self, status: StatusCode) -> Response {
        let content = if status == StatusCode::NOT_MODIFIED { &[] } else { self.content };
        let headers = [
            (header::CONTENT_TYPE, HeaderValue::from_static(self.content_type)),
            // The names of the files say nothing of their version: ask each time, which costs one 304.
            (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
            (header::ETAG, self.etag.clone()),
        ];
        (status, headers, Body::from(content)).into_response()
    }

    fn is_among(&self, tags: &HeaderValue) -> bool {
        let Ok(tags) = tags.to_str() else { return false };
        let mut tags = tags.split(',').map(|tag| tag.trim().trim_start_matches("W/"));
        tags.any(|tag| tag == "*" || tag.as_bytes() == self.etag.as_bytes())
    }
}
