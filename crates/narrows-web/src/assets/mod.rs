//! Templates and static files: where they are, and in which order they are looked for.

mod built_in;
pub mod embedded;
mod folder;
mod names;
mod sources;

use std::path::PathBuf;

pub(crate) use self::folder::{Folder, Kind};
pub(crate) use self::names::percent_encoded;
pub(crate) use self::sources::{Found, Sources};

/// Templates and static files: in the binary, or in a folder while a site is developed.
///
/// Use the macro [`assets!`](crate::assets), with `narrows_build::assets()` in `build.rs`.
#[derive(Debug, Clone)]
pub struct Assets(Place);

#[derive(Debug, Clone)]
enum Place {
    Folder(PathBuf),
    /// In the binary. In development this folder counts, where it is there: that of the project, when it was built.
    Binary(PathBuf, Embedded),
    /// In the binary alone.
    Constants(Embedded),
}

#[derive(Debug, Clone, Copy)]
struct Embedded {
    templates: &'static [(&'static str, &'static str)],
    files: &'static [embedded::File],
}

impl Assets {
    /// Those of the project in this folder, read when they are needed.
    pub fn folder(root: &str) -> Self {
        Self(Place::Folder(root.into()))
    }

    /// Templates in the binary, by their names: for an app that has them as constants.
    ///
    /// ```
    /// use narrows_web::{App, Assets};
    ///
    /// let app = App::new("hello").assets(Assets::templates(&[("hello/home.html", "<h1>Hello</h1>")]));
    /// ```
    pub fn templates(templates: &'static [(&'static str, &'static str)]) -> Self {
        Self(Place::Constants(Embedded { templates, files: &[] }))
    }

    /// Those of the project that was in this folder, as `narrows_build::assets()` writes them. In development the folder counts,
    /// where it is there.
    #[doc(hidden)]
    pub fn embedded(
        root: &str,
        templates: &'static [(&'static str, &'static str)],
        files: &'static [embedded::File],
    ) -> Self {
        Self(Place::Binary(root.into(), Embedded { templates, files }))
    }
}

/// The templates and static files of the project that this stands in, as its `build.rs` found them with `narrows_build::assets()`.
#[macro_export]
macro_rules! assets {
    // A macro, as only here is it known where the build script wrote.
    () => {
        include!(concat!(env!("OUT_DIR"), "/narrows_assets.rs"))
    };
}
