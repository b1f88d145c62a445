use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where the programs that take part are.
#[derive(Debug)]
pub(crate) struct Programs {
    /// Cargo's target directory; `cargo xtask bench` installs into its folder `peers`.
    target: PathBuf,
    /// What this program was built as, and the servers are.
    profile: String,
}

impl Programs {
    /// As this program was built by cargo in `<target>/<profile>`, what belongs to it goes there too.
    pub(crate) fn locate() -> io::Result<Self> {
        let own = std::env::current_exe()?;
        let folder = |level| own.ancestors().nth(level).unwrap_or(Path::new("target"));
        let profile = folder(1).file_name().and_then(|name| name.to_str()).unwrap_or("release");
        // The slow ones of development are nothing to measure.
        let profile = if profile == "debug" { "release" } else { profile };
        Ok(Self { target: folder(2).to_owned(), profile: profile.to_owned() })
    }

    /// Builds those in Rust.
    pub(crate) fn build(&self) -> io::Result<()> {
        // As `xtask` builds them: otherwise nearly all would be built once more.
        let ours = ["--workspace", "--bins", "--exclude", "xtask", "--exclude", "tutorial-*"];
        self.cargo(&root().join("Cargo.toml"), &self.profile, &ours)?;
        self.cargo(&peers().join("Cargo.toml"), "release", &[])
    }

    /// A peer in Rust that was built.
    pub(crate) fn peer(&self, name: &str) -> PathBuf {
        self.target.join("release").join(name)
    }

    /// One of ours that was built.
    pub(crate) fn built(&self, name: &str) -> PathBuf {
        self.target.join(&self.profile).join(name)
    }

    /// What was installed for peers that are not in Rust.
    pub(crate) fn installed(&self, path: &str) -> PathBuf {
        self.target.join("peers").join(path)
    }

    /// Where results go that are not those of a whole run.
    pub(crate) fn scratch(&self) -> PathBuf {
        self.target.join("bench")
    }

    fn cargo(&self, manifest: &Path, profile: &str, arguments: &[&str]) -> io::Result<()> {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let status = Command::new(cargo)
            .args(["build", "--profile", profile, "--quiet", "--locked", "--target-dir"])
            .arg(&self.target)
            .arg("--manifest-path")
            .arg(manifest)
            .args(arguments)
            .status()?;
        if status.success() { Ok(()) } else { Err(io::Error::other("cargo build failed")) }
    }
}

/// The repository's root.
pub(crate) fn root() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.ancestors().nth(2).expect("this crate is two folders deep").to_owned()
}

/// The sources of the peers.
pub(crate) fn peers() -> PathBuf {
    root().join("bench/peers")
}
