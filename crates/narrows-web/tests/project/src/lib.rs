//! A small project, whose templates and static files are in the binary as in a release, and in its folder.

use narrows_web::Assets;

/// As a release has them.
pub fn embedded() -> Assets {
    narrows_web::assets!()
}

/// As a build for development has them.
pub fn folder() -> Assets {
    Assets::folder(env!("CARGO_MANIFEST_DIR"))
}
