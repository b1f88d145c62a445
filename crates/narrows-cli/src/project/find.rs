use std::io;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

/// A package that depends on `narrows-web`.
#[derive(Debug, Clone)]
pub(crate) struct Project {
    root: PathBuf,
    name: String,
    /// The crates that it names, as they stand in Rust.
    crates: Vec<String>,
}

/// Why there is no project to work on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FindError {
    #[error(
        "this is no Narrows project: no Cargo.toml here or in a folder above depends on narrows-web; \
         `narrows new NAME` makes one"
    )]
    NoProject,
    #[error("{}: {source}", .path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("{}: {source}", .path.display())]
    Manifest { path: PathBuf, source: Box<toml::de::Error> },
}

impl Project {
    /// The nearest one, from the current folder upwards.
    pub(crate) fn here() -> Result<Self, FindError> {
        let folder =
            std::env::current_dir().map_err(|source| FindError::Read { path: ".".into(), source })?;
        Self::above(&folder)
    }

    fn above(folder: &Path) -> Result<Self, FindError> {
        for root in folder.ancestors() {
            let path = root.join("Cargo.toml");
            let text = match std::fs::read_to_string(&path) {
                Ok(text) => text,
                Err(error)
                    if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) =>
                {
                    continue;
                }
                Err(source) => return Err(FindError::Read { path, source }),
            };
            let manifest: Table =
                text.parse().map_err(|source| FindError::Manifest { path, source: Box::new(source) })?;
            if let Some(name) = name_of_project(&manifest) {
                let crates = crates(&manifest, name);
                return Ok(Self { root: root.to_owned(), name: name.to_owned(), crates });
            }
        }
        Err(FindError::NoProject)
    }

    /// The folder of its `Cargo.toml`.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// The name of its package.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Whether it names a crate so, as Rust writes it: its own, or one that it depends on.
    pub(crate) fn has_crate(&self, name: &str) -> bool {
        self.crates.iter().any(|krate| krate == name)
    }

    pub(crate) fn manifest(&self) -> PathBuf {
        self.root.join("Cargo.toml")
    }
}

fn crates(manifest: &Table, package: &str) -> Vec<String> {
    let tables = ["dependencies", "dev-dependencies"].map(|key| manifest.get(key).and_then(Value::as_table));
    let names = tables.into_iter().flatten().flat_map(Table::keys).map(String::as_str);
    let library = manifest.get("lib").and_then(|lib| lib.get("name")?.as_str());
    names.chain([package]).chain(library).map(|name| name.replace('-', "_")).collect()
}

fn name_of_project(manifest: &Table) -> Option<&str> {
    let dependencies = manifest.get("dependencies")?.as_table()?;
    let is_ours = |(key, value): (&String, &Value)| {
        key == "narrows-web" || value.get("package").and_then(Value::as_str) == Some("narrows-web")
    };
    dependencies.iter().any(is_ours).then_some(())?;
    manifest.get("package")?.get("name")?.as_str()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_package_that_depends_on_narrows_web_is_the_project() {
        let folder = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        write("Cargo.toml", "[workspace]\nmembers = [\"site\"]\n");
        write(
            "site/Cargo.toml",
            "[package]\nname = \"site\"\n[dependencies]\nnarrows-web.workspace = true\n",
        );
        write("site/tool/Cargo.toml", "[package]\nname = \"tool\"\n[dependencies]\nserde = \"1\"\n");
        write("site/tool/src/main.rs", "");
        write(
            "web/Cargo.toml",
            "[package]\nname = \"b\"\n[dependencies]\nw = { package = \"narrows-web\", path = \"x\" }\n",
        );
        write("bad/Cargo.toml", "[package");

        let found = Project::above(&folder.path().join("site/tool/src")).unwrap();
        assert_eq!((found.name(), found.root()), ("site", folder.path().join("site").as_path()));
        assert_eq!(Project::above(&folder.path().join("web")).unwrap().name(), "b");
        assert!(matches!(Project::above(folder.path()), Err(FindError::NoProject)));
        assert!(matches!(Project::above(&folder.path().join("bad")), Err(FindError::Manifest { .. })));
    }
}
