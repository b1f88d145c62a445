use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::Path;
use std::time::UNIX_EPOCH;

use axum::body::{Body, Bytes};
use axum::response::Response;
use futures_util::stream;
use http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG,
    IF_NONE_MATCH, VARY, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderValue, StatusCode};

use super::encoding::{Encoding, best};
use super::range::{Asked, asked};
use crate::assets::embedded;

/// How much of a file is read at once.
const PIECE: usize = 64 * 1024;

/// How long a browser may keep it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Caching {
    /// A year: another content has another address.
    ForEver,
    /// As long as it likes, but it asks each time whether that is still right.
    Ask,
}

/// A file of a folder.
pub(super) struct Disk {
    file: File,
    length: u64,
    etag: String,
    content_type: HeaderValue,
}

impl Disk {
    /// The file at this path, which is where its name leads to, over links too.
    pub(super) fn open(path: &Path, name: &str) -> io::Result<Self> {
        let file = File::open(path)?;
        let metadata = file.metadata()?;
        let modified = metadata.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default();
        let etag = format!("{:x}-{:x}", modified.as_nanos(), metadata.len());
        Ok(Self { file, length: metadata.len(), etag, content_type: content_type(name) })
    }
}

/// The answer with a file of the binary.
pub(super) fn embedded(file: &'static embedded::File, caching: Caching, request: &HeaderMap) -> Response {
    let forms = [(Encoding::Brotli, file.brotli), (Encoding::Gzip, file.gzip)];
    let compressed = forms.into_iter().filter_map(|(encoding, form)| Some((encoding, form?)));
    let compressed: Vec<(Encoding, &'static [u8])> = compressed.collect();
    let offered: Vec<Encoding> = compressed.iter().map(|(encoding, _)| *encoding).collect();
    // A part of a file is one of the file as it is.
    let encoding =
        if request.contains_key(http::header::RANGE) { Encoding::None } else { best(request, &offered) };
    let form = compressed.iter().find(|(known, _)| *known == encoding).map(|(_, form)| *form);
    let mut answer = Answer {
        length: form.unwrap_or(file.content).len() as u64,
        etag: format!("{}{}", file.etag, encoding.tag()),
        caching,
        content_type: content_type(file.name),
    }
    .respond(request, |range| {
        let range = range.start as usize..range.end as usize;
        Body::from(Bytes::from_static(&form.unwrap_or(file.content)[range]))
    });
    if !compressed.is_empty() {
        answer.headers_mut().insert(VARY, HeaderValue::from_static("accept-encoding"));
    }
    if let Some(name) = encoding.name().filter(|_| answer.status() == StatusCode::OK) {
        answer.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static(name));
    }
    answer
}

/// The answer with a file of a folder, read as it is sent.
pub(super) fn disk(disk: Disk, request: &HeaderMap) -> Response {
    let Disk { file, length, etag, content_type } = disk;
    let answer = Answer { length, etag, caching: Caching::Ask, content_type };
    answer.respond(request, |range| Body::from_stream(pieces(file, range)))
}

struct Answer {
    length: u64,
    etag: String,
    caching: Caching,
    content_type: HeaderValue,
}

impl Answer {
    fn respond(self, request: &HeaderMap, body: impl FnOnce(Range<u64>) -> Body) -> Response {
        let etag = format!("\"{}\"", self.etag);
        let mut response = Response::new(Body::empty());
        let headers = response.headers_mut();
        let caching = match self.caching {
            Caching::ForEver => "public, max-age=31536000, immutable",
            Caching::Ask => "no-cache",
        };
        headers.insert(CACHE_CONTROL, HeaderValue::from_static(caching));
        headers.insert(ETAG, HeaderValue::try_from(&etag).expect("hex digits can stand in a header"));
        if knows(request, &etag) {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            return response;
        }
        headers.insert(CONTENT_TYPE, self.content_type);
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
        let (status, range) = match asked(request, &etag, self.length) {
            Asked::All => (StatusCode::OK, 0..self.length),
            Asked::Part(range) => (StatusCode::PARTIAL_CONTENT, range),
            Asked::Beyond => {
                headers.insert(CONTENT_RANGE, header(format!("bytes */{}", self.length)));
                headers.remove(CONTENT_TYPE);
                // What one client may not have is not what a cache gives to all.
                headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
                *response.status_mut() = StatusCode::RANGE_NOT_SATISFIABLE;
                return response;
            }
        };
        if status == StatusCode::PARTIAL_CONTENT {
            let text = format!("bytes {}-{}/{}", range.start, range.end - 1, self.length);
            headers.insert(CONTENT_RANGE, header(text));
        }
        headers.insert(CONTENT_LENGTH, header((range.end - range.start).to_string()));
        *response.status_mut() = status;
        *response.body_mut() = body(range);
        response
    }
}

fn header(text: String) -> HeaderValue {
    HeaderValue::try_from(text).expect("digits can stand in a header")
}

/// Whether the browser's copy is still right: RFC 9110, 13.1.2, by weak comparison.
fn knows(request: &HeaderMap, etag: &str) -> bool {
    let lines = request.get_all(IF_NONE_MATCH).iter().filter_map(|line| line.to_str().ok());
    let mut tags = lines.flat_map(|line| line.split(',')).map(|tag| tag.trim().trim_start_matches("W/"));
    tags.any(|tag| tag == "*" || tag == etag)
}

/// Text is UTF-8: nobody writes anything else.
fn content_type(name: &str) -> HeaderValue {
    let guess = mime_guess::from_path(name).first_raw().unwrap_or("application/octet-stream");
    let is_text = guess.starts_with("text/") || guess == "application/javascript";
    let guess = if guess == "application/javascript" { "text/javascript" } else { guess };
    let text = if is_text { format!("{guess}; charset=utf-8") } else { guess.to_owned() };
    HeaderValue::try_from(text).expect("a type can stand in a header")
}

/// The file piece by piece, read on threads that serve nobody. One that became shorter meanwhile breaks the answer off.
fn pieces(file: File, range: Range<u64>) -> impl stream::Stream<Item = io::Result<Bytes>> {
    stream::try_unfold((file, range, true), async |(mut file, mut range, first)| {
        if range.is_empty() {
            return Ok(None);
        }
        let read = tokio::task::spawn_blocking(move || {
            if first {
                file.seek(SeekFrom::Start(range.start))?;
            }
            let size = PIECE.min(usize::try_from(range.end - range.start).unwrap_or(PIECE));
            let mut piece = vec![0; size];
            file.read_exact(&mut piece)?;
            range.start += size as u64;
            Ok::<_, io::Error>((Bytes::from(piece), (file, range, false)))
        });
        read.await.expect("reading does not panic").map(Some)
    })
}
