//! The files under `/static/`.

mod answer;
mod encoding;
mod range;

use std::borrow::Cow;
use std::sync::Arc;

use axum::Router;
use axum::extract::OriginalUri;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::header::RANGE;
use http::{HeaderMap, Method, StatusCode};
use percent_encoding::percent_decode_str;

use self::answer::{Caching, Disk, disk, embedded};
use crate::assets::{Found, Sources};

/// The routes: `/static/NAME` and, for what is in the binary, `/static/v-VERSION/NAME`.
pub(crate) fn routes<S: Clone + Send + Sync + 'static>(sources: Arc<Sources>) -> Router<S> {
    Router::new().route(
        "/static/{*path}",
        get(async move |method: Method, OriginalUri(uri): OriginalUri, mut headers: HeaderMap| {
            // RFC 9110, 14.2: only GET knows parts.
            if method != Method::GET {
                headers.remove(RANGE);
            }
            match name(uri.path()) {
                Some(name) => serve(sources, name, headers).await,
                None => StatusCode::NOT_FOUND.into_response(),
            }
        }),
    )
}

/// What a path asks for. A slash that is encoded is none, and stands in no name.
fn name(path: &str) -> Option<String> {
    let segments = path.strip_prefix("/static/")?.split('/');
    let decoded = segments.map(|segment| percent_decode_str(segment).decode_utf8().ok());
    let names: Vec<Cow<'_, str>> = decoded.collect::<Option<_>>()?;
    (!names.iter().any(|name| name.contains('/'))).then(|| names.join("/"))
}

async fn serve(sources: Arc<Sources>, name: String, headers: HeaderMap) -> Response {
    let opened = if sources.is_in_memory() {
        open(&sources, &name)
    } else {
        // A folder is looked through on a thread that serves nobody.
        let opened = tokio::task::spawn_blocking(move || open(&sources, &name)).await;
        opened.expect("looking for a file does not panic")
    };
    match opened {
        Ok(Some(Opened::Embedded(file, caching))) => embedded(file, caching, &headers),
        Ok(Some(Opened::Disk(file))) => disk(file, &headers),
        Ok(None) => StatusCode::NOT_FOUND.into_response(),
        Err(error) => {
            tracing::error!(%error, "a static file cannot be read");
            StatusCode::NOT_FOUND.into_response()
        }
    }
}

enum Opened {
    Embedded(&'static crate::assets::embedded::File, Caching),
    Disk(Disk),
}

fn open(sources: &Sources, name: &str) -> std::io::Result<Option<Opened>> {
    let (file, version) = match (sources.file(name), versioned(name)) {
        (Some(file), _) => (file, None),
        (None, Some((version, name))) => match sources.file(name) {
            Some(file) => (file, Some(version)),
            None => return Ok(None),
        },
        (None, None) => return Ok(None),
    };
    Ok(Some(match file {
        Found::Embedded(file) => {
            // A page from before a deploy asks for the version of that time: better the file of today than none, but not for a year.
            let caching = if version == Some(file.version) { Caching::ForEver } else { Caching::Ask };
            Opened::Embedded(file, caching)
        }
        Found::Disk(path) => Opened::Disk(Disk::open(&path, name)?),
    }))
}

/// `v-0f3c9a1b2c3d4e5f/js/room.js` taken apart.
fn versioned(name: &str) -> Option<(&str, &str)> {
    let (version, name) = name.strip_prefix("v-")?.split_once('/')?;
    let is_version = version.len() == 16 && version.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_version.then_some((version, name))
}
