//! The site: which apps it has.

use narrows_web::{Project, assets};

/// The site with all its apps.
pub fn project() -> Project {
    Project::new(env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"))
        .about("A site made with Narrows")
        .assets(assets!())
}
