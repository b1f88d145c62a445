use std::io::{Read, Write};

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use flate2::Compression;
use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;

use super::SignatureError;

/// The most bytes of JSON that a compressed text may hold, 16 MiB: a signed text of a few KiB could otherwise take
/// gigabytes to read. What is longer is never compressed here, so that everything written can be read again.
pub const MAX_INFLATED_BYTES: usize = 16 * 1024 * 1024;

/// What is signed for this JSON: in base64, after a point where it is compressed.
pub(super) fn encode(json: &[u8], compress: bool) -> String {
    if compress && json.len() <= MAX_INFLATED_BYTES {
        let deflated = deflate(json);
        // As Django has it: the point costs one character.
        if deflated.len() + 1 < json.len() {
            return format!(".{}", BASE64_URL_SAFE_NO_PAD.encode(deflated));
        }
    }
    BASE64_URL_SAFE_NO_PAD.encode(json)
}

/// The JSON in what was signed.
pub(super) fn decode(text: &str) -> Result<Vec<u8>, SignatureError> {
    let (compressed, text) = match text.strip_prefix('.') {
        Some(text) => (true, text),
        None => (false, text),
    };
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).map_err(|_| SignatureError::Content)?;
    if compressed { inflate(&bytes) } else { Ok(bytes) }
}

fn deflate(json: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(json).and_then(|()| encoder.finish()).expect("a vector takes all that is written")
}

fn inflate(bytes: &[u8]) -> Result<Vec<u8>, SignatureError> {
    let mut json = Vec::new();
    let mut decoder = ZlibDecoder::new(bytes).take(MAX_INFLATED_BYTES as u64 + 1);
    decoder.read_to_end(&mut json).map_err(|_| SignatureError::Content)?;
    if json.len() > MAX_INFLATED_BYTES { Err(SignatureError::Content) } else { Ok(json) }
}
