use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The programs that take part, built in release mode.
pub(crate) struct Programs {
    pub(crate) ours: PathBuf,
    pub(crate) peer: PathBuf,
    /// What any server with one write for each member costs at the least.
    pub(crate) floor: PathBuf,
    /// The load generator.
    pub(crate) narrows: PathBuf,
}

impl Programs {
    pub(crate) fn build() -> io::Result<Self> {
        // This program was built by cargo in <target>/<profile>: what belongs to it goes there too.
        let own = std::env::current_exe()?;
        let target = own.ancestors().nth(2).unwrap_or(Path::new("target"));
        let peers = concat!(env!("CARGO_MANIFEST_DIR"), "/../peers/Cargo.toml");
        let workspace = concat!(env!("CARGO_MANIFEST_DIR"), "/../../Cargo.toml");
        cargo(target, &["--manifest-path", workspace, "-p", "endpoints", "-p", "narrows-cli"])?;
        cargo(target, &["--manifest-path", peers])?;
        let built = |name| target.join("release").join(name);
        Ok(Self {
            ours: built("endpoints"),
            peer: built("axum-chat"),
            floor: built("floor"),
            narrows: built("narrows"),
        })
    }
}

fn cargo(target: &Path, arguments: &[&str]) -> io::Result<()> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .args(["build", "--release", "--quiet", "--locked", "--target-dir"])
        .arg(target)
        .args(arguments)
        .status()?;
    if status.success() { Ok(()) } else { Err(io::Error::other("cargo build failed")) }
}
