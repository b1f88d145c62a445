use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::path::PathBuf;
use std::time::SystemTime;

use super::{Assets, Embedded, Folder, Kind, Place, built_in, embedded};

/// A template of more bytes is a mistake.
const MAX_TEMPLATE_BYTES: u64 = 16 * 1024 * 1024;

/// Everything that a site has, in the order in which it is looked for.
#[derive(Debug, Clone)]
pub(crate) struct Sources(Vec<Source>);

#[derive(Debug, Clone)]
enum Source {
    Folder(Folder),
    Embedded {
        templates: HashMap<&'static str, &'static str>,
        files: HashMap<&'static str, &'static embedded::File>,
    },
}

impl From<&PathBuf> for Source {
    fn from(root: &PathBuf) -> Self {
        Self::Folder(Folder::new(root.clone()))
    }
}

impl From<Embedded> for Source {
    fn from(embedded: Embedded) -> Self {
        let templates = embedded.templates.iter().copied().collect();
        Self::Embedded { templates, files: embedded.files.iter().map(|file| (file.name, file)).collect() }
    }
}

/// A template's text, and which version of which file it is.
pub(crate) struct Text {
    pub(crate) text: String,
    pub(crate) stamp: Option<Stamp>,
}

/// A file as it is on the disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stamp(PathBuf, u64, Option<SystemTime>);

/// A static file.
pub(crate) enum Found {
    Embedded(&'static embedded::File),
    /// Its path, which leads to nothing outside of its folder.
    Disk(PathBuf),
}

impl Sources {
    /// In development the folders count, also where there is something in the binary.
    pub(crate) fn new(assets: &[Assets], development: bool) -> Self {
        let source = |assets: &Assets| match &assets.0 {
            Place::Binary(root, _) if development && root.join("src").is_dir() => root.into(),
            Place::Binary(_, embedded) | Place::Constants(embedded) => (*embedded).into(),
            Place::Folder(root) => {
                if !root.is_dir() {
                    let root = root.display();
                    tracing::warn!(%root, "the folder of templates and static files is not there: a release has them in its binary");
                }
                root.into()
            }
        };
        Self(assets.iter().map(source).chain([built_in::all().into()]).collect())
    }

    /// The template of this name.
    ///
    /// # Errors
    /// When the file cannot be read, and why.
    pub(crate) fn template(&self, name: &str) -> Result<Option<Text>, String> {
        for source in &self.0 {
            match source {
                Source::Embedded { templates, .. } => {
                    if let Some(text) = templates.get(name) {
                        return Ok(Some(Text { text: (*text).to_owned(), stamp: None }));
                    }
                }
                Source::Folder(folder) => {
                    if let Some((path, metadata)) = folder.find(Kind::Templates, name) {
                        if metadata.len() > MAX_TEMPLATE_BYTES {
                            return Err(format!(
                                "{}: {} bytes are no template",
                                path.display(),
                                metadata.len()
                            ));
                        }
                        let text = fs::read_to_string(&path)
                            .map_err(|error| format!("{}: {error}", path.display()))?;
                        let stamp = Stamp(path, metadata.len(), metadata.modified().ok());
                        return Ok(Some(Text { text, stamp: Some(stamp) }));
                    }
                }
            }
        }
        Ok(None)
    }

    /// Which file would be read for this template now.
    pub(crate) fn stamp(&self, name: &str) -> Option<Stamp> {
        for source in &self.0 {
            match source {
                Source::Embedded { templates, .. } => {
                    if templates.contains_key(name) {
                        return None;
                    }
                }
                Source::Folder(folder) => {
                    if let Some((path, metadata)) = folder.find(Kind::Templates, name) {
                        return Some(Stamp(path, metadata.len(), metadata.modified().ok()));
                    }
                }
            }
        }
        None
    }

    /// The names of all templates.
    pub(crate) fn templates(&self) -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        for source in &self.0 {
            match source {
                Source::Embedded { templates, .. } => {
                    names.extend(templates.keys().map(|name| (*name).to_owned()));
                }
                Source::Folder(folder) => names.extend(folder.names(Kind::Templates)),
            }
        }
        names
    }

    /// Whether nothing is read from a disk.
    pub(crate) fn is_in_memory(&self) -> bool {
        self.0.iter().all(|source| matches!(source, Source::Embedded { .. }))
    }

    /// The static file of this name.
    pub(crate) fn file(&self, name: &str) -> Option<Found> {
        self.0.iter().find_map(|source| match source {
            Source::Embedded { files, .. } => files.get(name).copied().map(Found::Embedded),
            Source::Folder(folder) => folder.find(Kind::Static, name).map(|(path, _)| Found::Disk(path)),
        })
    }

    /// The folders that are looked through, for somebody who misses something.
    pub(crate) fn folders(&self, kind: Kind) -> Vec<PathBuf> {
        let folders = self.0.iter().filter_map(|source| match source {
            Source::Folder(folder) => Some(folder.folders(kind)),
            Source::Embedded { .. } => None,
        });
        folders.flatten().collect()
    }
}
