//! The templates and static files that every site has, where it has none of these names itself.

use std::sync::OnceLock;

use sha2::{Digest, Sha256};

use super::{Embedded, embedded};
use crate::builtin::TEMPLATES;

const STYLE: &[u8] = include_bytes!("../../static/narrows/narrows.css");

pub(super) fn all() -> Embedded {
    static FILES: OnceLock<Vec<embedded::File>> = OnceLock::new();
    let files = FILES.get_or_init(|| {
        let digest: String = Sha256::digest(STYLE)[..8].iter().map(|byte| format!("{byte:02x}")).collect();
        // Once for the process: the same as if it had been written by a build script.
        let digest: &'static str = digest.leak();
        vec![embedded::File {
            name: "narrows/narrows.css",
            version: digest,
            etag: digest,
            content: STYLE,
            gzip: None,
            brotli: None,
        }]
    });
    Embedded { templates: TEMPLATES, files }
}
