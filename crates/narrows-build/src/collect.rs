use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fs;
use std::path::{Path, PathBuf};

use minijinja::Environment;
use minijinja::syntax::SyntaxConfig;

use crate::CollectError;
use crate::rules::{is_good, is_left_out};
use crate::versions::versions;

/// Folders in folders, at most: a folder that is linked into itself is found out.
const DEPTH: usize = 32;

/// The templates and static files of a project, by their names.
#[derive(Debug)]
pub struct Collection {
    pub(crate) templates: BTreeMap<String, String>,
    pub(crate) files: BTreeMap<String, File>,
}

/// A static file.
#[derive(Debug)]
pub struct File {
    pub(crate) content: Vec<u8>,
    pub(crate) version: String,
}

impl File {
    /// What is in it.
    pub fn content(&self) -> &[u8] {
        &self.content
    }

    /// The version of it and of all files that it belongs together with, in 16 hex digits.
    pub fn version(&self) -> &str {
        &self.version
    }
}

impl Collection {
    /// Reads those of the project in this folder.
    ///
    /// # Errors
    /// When one of them is not as it has to be: see the [crate](crate).
    pub fn read(root: &Path) -> Result<Self, CollectError> {
        let mut templates = BTreeMap::new();
        for (name, (path, content)) in read_all(root, "templates")? {
            let text = String::from_utf8(content)
                .map_err(|error| CollectError::Text { path: path.clone(), source: error.utf8_error() })?;
            check(&name, &text, &path)?;
            templates.insert(name, text);
        }
        let contents = read_all(root, "static")?.into_iter().map(|(name, (_, content))| (name, content));
        let contents: BTreeMap<String, Vec<u8>> = contents.collect();
        let mut versions = versions(&contents);
        let file = |(name, content)| {
            let version = versions.remove(&name).expect("each has one");
            (name, File { content, version })
        };
        Ok(Self { templates, files: contents.into_iter().map(file).collect() })
    }

    /// The templates' texts.
    pub fn templates(&self) -> &BTreeMap<String, String> {
        &self.templates
    }

    /// The static files.
    pub fn files(&self) -> &BTreeMap<String, File> {
        &self.files
    }
}

type Found = BTreeMap<String, (PathBuf, Vec<u8>)>;

/// The files of `kind/`, then of `src/*/kind/`.
fn read_all(root: &Path, kind: &str) -> Result<Found, CollectError> {
    let mut found = Found::new();
    let mut folders = vec![root.join(kind)];
    let source = root.join("src");
    if source.is_dir() {
        let apps = entries(&source)?.into_iter().map(|app| app.join(kind));
        folders.extend(apps);
    }
    for folder in folders.into_iter().filter(|folder| folder.is_dir()) {
        let real = folder.canonicalize().map_err(|error| CollectError::read(&folder, error))?;
        walk(&Folder { path: &folder, real: &real }, &folder, "", 0, &mut found)?;
    }
    Ok(found)
}

struct Folder<'a> {
    path: &'a Path,
    /// Without links.
    real: &'a Path,
}

fn walk(
    top: &Folder<'_>,
    folder: &Path,
    prefix: &str,
    depth: usize,
    found: &mut Found,
) -> Result<(), CollectError> {
    if depth > DEPTH {
        return Err(CollectError::Depth { path: folder.to_owned() });
    }
    for path in entries(folder)? {
        let name = path.file_name().expect("an entry of a folder has a name");
        let Some(name) = name.to_str().filter(|name| is_good(name)) else {
            return Err(CollectError::Name { path });
        };
        if is_left_out(name) {
            continue;
        }
        let name = format!("{prefix}{name}");
        let real = path.canonicalize().map_err(|error| CollectError::read(&path, error))?;
        if !real.starts_with(top.real) {
            return Err(CollectError::Link { path, folder: top.path.to_owned(), target: real });
        }
        let kind = real.metadata().map_err(|error| CollectError::read(&path, error))?;
        if kind.is_dir() {
            walk(top, &path, &format!("{name}/"), depth + 1, found)?;
        } else if !kind.is_file() {
            // A pipe would be waited for.
            return Err(CollectError::NoFile { path });
        } else if let Entry::Vacant(vacant) = found.entry(name) {
            let content = fs::read(&real).map_err(|error| CollectError::read(&path, error))?;
            vacant.insert((path, content));
        }
    }
    Ok(())
}

/// What is in a folder, in the order of names.
fn entries(folder: &Path) -> Result<Vec<PathBuf>, CollectError> {
    let entries = fs::read_dir(folder).and_then(|entries| {
        entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>()
    });
    let mut entries = entries.map_err(|error| CollectError::read(folder, error))?;
    entries.sort();
    Ok(entries)
}

/// Parses a template as `narrows-web` will.
fn check(name: &str, text: &str, path: &Path) -> Result<(), CollectError> {
    let mut environment = Environment::new();
    let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
    environment.set_syntax(syntax.expect("the usual delimiters"));
    environment.add_template(name, text).map_err(|error| CollectError::Template {
        path: path.to_owned(),
        line: error.line().unwrap_or(1),
        message: error.detail().map_or_else(|| error.to_string(), str::to_owned),
    })
}
