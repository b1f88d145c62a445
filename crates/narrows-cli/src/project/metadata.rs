use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::Deserialize;

use super::{Project, cargo};

/// What cargo knows of a project.
#[derive(Debug)]
pub(crate) struct Metadata {
    /// The folders of the packages of which it is built that lie on this machine, its own first.
    pub(crate) folders: Vec<PathBuf>,
    /// cargo's id of the project's own package.
    pub(crate) package: String,
    /// The program that `cargo run` would run.
    pub(crate) program: String,
}

/// Why cargo does not say it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MetadataError {
    #[error("cargo cannot be run: {0}")]
    Cargo(io::Error),
    /// It has said why.
    #[error("cargo does not take the project")]
    Refused,
    #[error("cargo's answer cannot be read: {0}")]
    Answer(#[from] serde_json::Error),
    #[error("cargo knows no package {0} here")]
    NoPackage(String),
    #[error("the package {0} has no program; give it a src/main.rs")]
    NoProgram(String),
    #[error("the package has several programs; say in Cargo.toml which is the site's: default-run = {0:?}")]
    Programs(String),
}

/// The parts of `cargo metadata`'s answer that are used.
#[derive(Deserialize)]
struct Answer {
    packages: Vec<Package>,
    resolve: Resolve,
}

#[derive(Deserialize)]
struct Package {
    id: String,
    manifest_path: PathBuf,
    /// `None` for what lies on this machine.
    source: Option<String>,
    default_run: Option<String>,
    targets: Vec<Target>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
}

#[derive(Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

#[derive(Deserialize)]
struct Node {
    id: String,
    dependencies: Vec<String>,
}

impl Metadata {
    pub(crate) fn of(project: &Project) -> Result<Self, MetadataError> {
        let mut command = Command::new(cargo());
        command.args(["metadata", "--format-version=1", "--manifest-path"]).arg(project.manifest());
        let output = command
            .current_dir(project.root())
            .stdin(Stdio::null())
            .stderr(Stdio::inherit())
            .output()
            .map_err(MetadataError::Cargo)?;
        if !output.status.success() {
            return Err(MetadataError::Refused);
        }
        Self::read(project, &output.stdout)
    }

    fn read(project: &Project, answer: &[u8]) -> Result<Self, MetadataError> {
        let Answer { packages, resolve } = serde_json::from_slice(answer)?;
        let manifest = project.manifest();
        let own = packages.iter().find(|package| is_same(&package.manifest_path, &manifest));
        let own = own.ok_or_else(|| MetadataError::NoPackage(project.name().to_owned()))?;
        let program = program(project, own)?;
        let needed = needed(&own.id, &resolve);
        let local = |package: &&Package| package.source.is_none() && needed.contains(package.id.as_str());
        let folder = |package: &Package| package.manifest_path.parent().map(Path::to_owned);
        let others = packages.iter().filter(|package| package.id != own.id).filter(local).filter_map(folder);
        let folders = std::iter::once(project.root().to_owned()).chain(others).collect();
        Ok(Self { folders, package: own.id.clone(), program })
    }
}

fn is_same(one: &Path, other: &Path) -> bool {
    one == other
        || one.canonicalize().ok().is_some_and(|one| other.canonicalize().is_ok_and(|other| one == other))
}

fn program(project: &Project, own: &Package) -> Result<String, MetadataError> {
    if let Some(program) = &own.default_run {
        return Ok(program.clone());
    }
    let programs = own.targets.iter().filter(|target| target.kind.iter().any(|kind| kind == "bin"));
    let names: Vec<&str> = programs.map(|target| target.name.as_str()).collect();
    match names.as_slice() {
        [] => Err(MetadataError::NoProgram(project.name().to_owned())),
        [only] => Ok((*only).to_owned()),
        [first, ..] => Err(MetadataError::Programs((*first).to_owned())),
    }
}

/// The packages of which this one is built.
fn needed<'a>(own: &'a str, resolve: &'a Resolve) -> BTreeSet<&'a str> {
    let nodes: BTreeMap<&str, &Node> = resolve.nodes.iter().map(|node| (node.id.as_str(), node)).collect();
    let (mut found, mut open) = (BTreeSet::new(), vec![own]);
    while let Some(id) = open.pop() {
        if found.insert(id) {
            open.extend(nodes.get(id).iter().flat_map(|node| &node.dependencies).map(String::as_str));
        }
    }
    found
}
