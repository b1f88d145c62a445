//! What `narrows_build` writes.

/// A static file in the binary.
#[derive(Debug)]
pub struct File {
    /// Such as `chat/room.js`.
    pub name: &'static str,
    /// The version in its address: of it, and of all files that refer to each other with it.
    pub version: &'static str,
    /// The digest of its content.
    pub etag: &'static str,
    /// What is in it.
    pub content: &'static [u8],
    /// Compressed, where that is smaller.
    pub gzip: Option<&'static [u8]>,
    /// Compressed, where that is smaller.
    pub brotli: Option<&'static [u8]>,
}
