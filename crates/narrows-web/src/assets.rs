use std::path::PathBuf;

/// Templates and static files: in the binary, or in a folder while a site is developed.
///
/// Use the macro [`assets!`](crate::assets).
#[derive(Debug, Clone)]
pub struct Assets {
    root: PathBuf,
}

impl Assets {
    /// Those of the project in this folder, read when they are needed.
    pub fn folder(root: &str) -> Self {
        Self { root: root.into() }
    }

    /// A template's text, by its name: `templates/NAME`, then `src/*/templates/NAME`.
    pub(crate) fn template(&self, name: &str) -> Option<String> {
        let apps = std::fs::read_dir(self.root.join("src")).into_iter().flatten().flatten();
        let mut folders = vec![self.root.join("templates")];
        folders.extend(apps.map(|app| app.path().join("templates")));
        folders.iter().find_map(|folder| std::fs::read_to_string(folder.join(name)).ok())
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
