use std::collections::BTreeSet;
use std::fs::{self, Metadata};
use std::path::PathBuf;

use super::names::is_good;

/// A project's folder, read anew each time.
#[derive(Debug, Clone)]
pub(crate) struct Folder(PathBuf);

/// Which of its folders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Templates,
    Static,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Templates => "templates",
            Self::Static => "static",
        }
    }
}

/// Folders in folders that are looked through, at most.
const DEPTH: usize = 32;

impl Folder {
    pub(super) fn new(root: PathBuf) -> Self {
        Self(root)
    }

    /// The file of this name: in `templates/`, then in `src/*/templates/` in the order of names. One that a link leads to outside of
    /// its folder is none.
    pub(super) fn find(&self, kind: Kind, name: &str) -> Option<(PathBuf, Metadata)> {
        if !is_good(name) {
            return None;
        }
        self.folders(kind).iter().find_map(|folder| {
            let top = folder.canonicalize().ok()?;
            let path = folder.join(name).canonicalize().ok()?;
            let metadata = path.metadata().ok().filter(Metadata::is_file)?;
            if !path.starts_with(&top) {
                tracing::warn!(path = %folder.join(name).display(), "a link that leads out of its folder is not followed");
                return None;
            }
            Some((path, metadata))
        })
    }

    /// The names of all files.
    pub(super) fn names(&self, kind: Kind) -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        for folder in self.folders(kind) {
            if let Ok(top) = folder.canonicalize() {
                walk(&mut vec![top], "", &mut names);
            }
        }
        names
    }

    /// Where it looks, in order.
    pub(super) fn folders(&self, kind: Kind) -> Vec<PathBuf> {
        let apps = fs::read_dir(self.0.join("src")).into_iter().flatten().flatten();
        let mut apps: Vec<PathBuf> = apps.map(|app| app.path().join(kind.name())).collect();
        apps.sort();
        let folders = [self.0.join(kind.name())].into_iter().chain(apps);
        folders.filter(|folder| folder.is_dir()).collect()
    }
}

/// Of a folder, at the end of the way to it: nothing outside of the first, and no folder that is on the way already.
fn walk(way: &mut Vec<PathBuf>, prefix: &str, names: &mut BTreeSet<String>) {
    let (top, here) = (way[0].clone(), way[way.len() - 1].clone());
    for entry in fs::read_dir(here).into_iter().flatten().flatten() {
        let Some(name) = entry.file_name().to_str().filter(|name| is_good(name)).map(str::to_owned) else {
            continue;
        };
        // A link as what it leads to.
        let Ok(path) = entry.path().canonicalize() else { continue };
        let name = format!("{prefix}{name}");
        if !path.starts_with(&top) {
            continue;
        }
        if path.is_file() {
            names.insert(name);
        } else if path.is_dir() && !way.contains(&path) && way.len() <= DEPTH {
            way.push(path);
            walk(way, &format!("{name}/"), names);
            way.pop();
        }
    }
}
