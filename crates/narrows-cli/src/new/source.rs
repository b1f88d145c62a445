use std::path::{Path, PathBuf};

use clap::Args;

/// Where a project takes Narrows from.
#[derive(Debug, Args)]
pub(super) struct SourceArgs {
    /// Take Narrows from this checkout, in place of crates.io
    #[arg(long, value_name = "FOLDER", conflicts_with = "git")]
    path: Option<PathBuf>,
    /// Take Narrows from this git repository
    #[arg(long, value_name = "URL")]
    git: Option<String>,
    /// Of the repository, this commit
    #[arg(long, requires = "git", group = "revision")]
    rev: Option<String>,
    /// Of the repository, this tag
    #[arg(long, requires = "git", group = "revision")]
    tag: Option<String>,
    /// Of the repository, this branch
    #[arg(long, requires = "git", group = "revision")]
    branch: Option<String>,
}

/// The same, checked.
#[derive(Debug)]
pub(super) enum Source {
    Registry,
    /// The folder of the crates.
    Path(PathBuf),
    /// The entries of the dependency, such as `git = "…", tag = "…"`.
    Git(String),
}

impl SourceArgs {
    pub(super) fn check(self) -> Result<Source, SourceError> {
        if let Some(checkout) = self.path {
            let crates = checkout.join("crates");
            let found = crates.canonicalize().ok();
            let found = found.filter(|crates| crates.join("narrows-web/Cargo.toml").is_file());
            let Some(crates) = found else { return Err(SourceError::NoCheckout(checkout)) };
            return match crates.to_str() {
                Some(_) => Ok(Source::Path(crates)),
                None => Err(SourceError::NotUtf8(crates)),
            };
        }
        let Some(url) = self.git else { return Ok(Source::Registry) };
        let mut entries = format!("git = {}", quoted(&url));
        let revisions = [("rev", self.rev), ("tag", self.tag), ("branch", self.branch)];
        for (key, value) in revisions {
            if let Some(value) = value {
                entries += &format!(", {key} = {}", quoted(&value));
            }
        }
        Ok(Source::Git(entries))
    }
}

impl Source {
    /// The text of a `Cargo.toml` whose dependencies on Narrows are from here: its lines `narrows… = "…"` are changed.
    pub(super) fn apply(&self, manifest: &str) -> String {
        let lines = manifest.split_inclusive('\n').map(|line| match line.split_once(" = \"") {
            Some((krate, _)) if krate.starts_with("narrows") => self.dependency(krate, line),
            _ => line.to_owned(),
        });
        lines.collect()
    }

    fn dependency(&self, krate: &str, line: &str) -> String {
        match self {
            Self::Registry => line.to_owned(),
            Self::Path(crates) => format!("{krate} = {{ path = {} }}\n", path(&crates.join(krate))),
            Self::Git(entries) => format!("{krate} = {{ {entries} }}\n"),
        }
    }
}

/// Why a project cannot take Narrows from there.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SourceError {
    #[error("{} is no checkout of Narrows: there is no crates/narrows-web in it", .0.display())]
    NoCheckout(PathBuf),
    #[error("{} is not UTF-8, so it cannot stand in Cargo.toml", .0.display())]
    NotUtf8(PathBuf),
}

fn path(path: &Path) -> String {
    quoted(&path.to_string_lossy())
}

/// A TOML basic string.
fn quoted(text: &str) -> String {
    let escaped: String = text
        .chars()
        .map(|c| match c {
            '"' | '\\' => format!("\\{c}"),
            c if c.is_control() => format!("\\u{:04X}", u32::from(c)),
            c => c.to_string(),
        })
        .collect();
    format!("\"{escaped}\"")
}
