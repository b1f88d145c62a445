use std::io::{self, Write};

use flate2::Compression;
use flate2::write::GzEncoder;

/// The extensions of files that compress well. Others are compressed already.
const TEXTS: [&str; 21] = [
    "atom",
    "css",
    "csv",
    "htm",
    "html",
    "ico",
    "js",
    "json",
    "map",
    "md",
    "mjs",
    "otf",
    "rss",
    "svg",
    "ttf",
    "txt",
    "vtt",
    "wasm",
    "webmanifest",
    "xhtml",
    "xml",
];

/// Whether it is worth trying.
pub(crate) fn can_be_smaller(name: &str) -> bool {
    let extension = name.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase());
    extension.is_some_and(|extension| TEXTS.contains(&extension.as_str()))
}

/// Whether a compressed form is worth having: a tenth smaller, as it costs a header and the client's time.
pub(crate) fn is_smaller(compressed: &[u8], content: &[u8]) -> bool {
    compressed.len() + 64 <= content.len() / 10 * 9
}

pub(crate) fn gzip(content: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(content)?;
    encoder.finish()
}

/// With all that brotli can for files up to this size. Cargo compiles build scripts without optimisation: a megabyte would take twelve
/// seconds, and takes one at a quality which makes it a tenth larger.
const MAX_BEST_BYTES: usize = 256 * 1024;

pub(crate) fn brotli(content: &[u8]) -> io::Result<Vec<u8>> {
    let mut compressed = Vec::new();
    let parameters = brotli::enc::BrotliEncoderParams {
        quality: if content.len() <= MAX_BEST_BYTES { 11 } else { 9 },
        size_hint: content.len(),
        ..brotli::enc::BrotliEncoderParams::default()
    };
    brotli::BrotliCompress(&mut &content[..], &mut compressed, &parameters)?;
    Ok(compressed)
}
