use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Once;

use crate::command::{cargo, run, succeeds};
use crate::error::Failure;
use crate::paths;

const CARGO_FUZZ: &str = "0.13.2";

/// Installs whatever any step needs.
pub(crate) fn everything() -> Result<(), Failure> {
    for_tests()?;
    client()?;
    autobahn()?;
    peers()?;
    cargo_fuzz()
}

/// What the tests of the workspace need. Does nothing, and needs no network, where all of it is there.
pub(crate) fn for_tests() -> Result<(), Failure> {
    redis()?;
    databases()?;
    browser()?;
    clients()?;
    beside_django()
}

/// PostgreSQL and MariaDB, as programs: no service, and no data of theirs but the tests' own.
pub(crate) fn databases() -> Result<(), Failure> {
    postgres()?;
    packages(&[("mariadb-install-db", "mariadb-server-core"), ("mariadb", "mariadb-client-core")])
}

/// Redis, a clock that is wrong, and Django, with Channels, to talk to it from the other side: in `target/rig`, where `tools/rig` looks for it.
pub(crate) fn redis() -> Result<(), Failure> {
    packages(&[("redis-server", "redis-server"), ("faketime", "faketime")])?;
    // A virtual environment of its own: what a client needs must not decide which versions Channels gets.
    let python = environment(&paths::target().join("rig/venv"), &["rig"])?;
    once("rig", &paths::root().join("tools/rig/python/requirements.txt"), |list| {
        let mut pip = Command::new(&python);
        run(pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"]).arg(list))
    })
}

/// What the site of `examples/beside-django` needs, where its program looks for it by itself.
pub(crate) fn beside_django() -> Result<(), Failure> {
    let folder = paths::target().join("beside-django/venv");
    let python = environment(&folder, &["beside-django"])?;
    once("beside-django", &paths::root().join("examples/beside-django/site/requirements.txt"), |list| {
        let mut pip = Command::new(&python);
        run(pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"]).arg(list))?;
        // By this copy the program knows that all of it is there.
        write(&folder.join("installed.txt"), &read(list)?)
    })
}

/// Chromium and its driver; and axe-core, which looks at pages, in `target/browsers`, where `tools/browsers` looks for it.
pub(crate) fn browser() -> Result<(), Failure> {
    packages(&[("chromium", "chromium"), ("chromedriver", "chromium-driver"), ("npm", "npm")])?;
    let folder = paths::target().join("browsers");
    if !folder.join("node_modules").exists() {
        let _missing_already = fs::remove_file(stamp("axe"));
    }
    once("axe", &paths::root().join("tools/browsers/axe/package.json"), |list| {
        write(&folder.join("package.json"), &read(list)?)?;
        let mut npm = Command::new("npm");
        run(npm
            .args(["install", "--ignore-scripts", "--no-audit", "--no-fund", "--no-package-lock"])
            .current_dir(&folder))
    })
}

/// The clients of other languages: in `target/clients`, where the tests look for them.
pub(crate) fn clients() -> Result<(), Failure> {
    packages(&[("curl", "curl"), ("node", "nodejs"), ("npm", "npm")])?;
    let folder = paths::root().join("examples/endpoints/tests/clients");
    let python = python()?;
    once("python", &folder.join("requirements.txt"), |list| {
        let mut pip = Command::new(&python);
        run(pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"]).arg(list))
    })?;
    once("node", &folder.join("package.json"), |list| {
        let node = paths::target().join("clients/node");
        write(&node.join("package.json"), &read(list)?)?;
        let mut npm = Command::new("npm");
        run(npm.args(["install", "--no-audit", "--no-fund", "--no-package-lock"]).current_dir(node))
    })
}

/// What the JavaScript client is built and tested with, in its own folder, where editors look for it too.
pub(crate) fn client() -> Result<PathBuf, Failure> {
    packages(&[("node", "nodejs"), ("npm", "npm")])?;
    let folder = paths::root().join("clients/js");
    if !folder.join("node_modules").exists() {
        let _missing_already = fs::remove_file(stamp("client"));
    }
    once("client", &folder.join("package-lock.json"), |_| {
        // No scripts: esbuild's own only saves the start of a process.
        let mut npm = Command::new("npm");
        run(npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]).current_dir(&folder))
    })?;
    Ok(folder)
}

/// Autobahn's test suite; gives the folder of its package and the Python to run it with.
pub(crate) fn autobahn() -> Result<(PathBuf, PathBuf), Failure> {
    let folder = paths::target().join("autobahn/suite");
    let python = python()?;
    let list = paths::root().join("xtask/autobahn/requirements.txt");
    once("autobahn", &list, |list| {
        let mut pip = Command::new(&python);
        // Its dependencies are for the runner, which needs Python 2; its cases do without.
        pip.args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--no-deps",
            "--no-compile",
        ]);
        run(pip.args(["--upgrade", "--target"]).arg(&folder).arg("-r").arg(list))
    })?;
    Ok((folder.join("autobahntestsuite"), python))
}

/// The servers that ours is measured beside, where they are not in Rust, in the folders of `target/peers` where
/// `bench/compare` looks for them.
pub(crate) fn peers() -> Result<(), Failure> {
    packages(&[
        ("taskset", "util-linux"),
        ("node", "nodejs"),
        ("npm", "npm"),
        ("redis-server", "redis-server"),
    ])?;
    let sources = paths::root().join("bench/peers");
    let folder = paths::target().join("peers/javascript");
    if !folder.join("node_modules").exists() {
        let _missing_already = fs::remove_file(stamp("peers-node"));
    }
    once("peers-node", &sources.join("javascript/package-lock.json"), |_| {
        for name in ["package.json", "package-lock.json"] {
            write(&folder.join(name), &read(&sources.join("javascript").join(name))?)?;
        }
        // No scripts: Bun's own only moves its program, and `bench/compare` finds it where it is.
        let mut npm = Command::new("npm");
        run(npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]).current_dir(folder))
    })?;
    let venv = paths::target().join("peers/venv");
    // Not the one for clients: what a client needs must not decide which versions a server gets.
    let python = environment(&venv, &["peers-python"])?;
    once("peers-python", &sources.join("channels/requirements.txt"), |list| {
        let mut pip = Command::new(&python);
        run(pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"]).arg(list))
    })
}

/// The subcommand `cargo fuzz`.
pub(crate) fn cargo_fuzz() -> Result<(), Failure> {
    packages(&[("c++", "g++")])?;
    if succeeds(&mut cargo(["fuzz", "--version"])) {
        return Ok(());
    }
    run(&mut cargo(["install", "cargo-fuzz", "--version", CARGO_FUZZ, "--locked"]))
}

fn postgres() -> Result<(), Failure> {
    // Debian keeps the programs of each version in a folder that is not on PATH, where `tools/rig` looks, too.
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let in_folder = versions.map(|version| version.path().join("bin/initdb")).any(|path| path.exists());
    if in_folder || ["initdb", "postgres", "psql"].iter().all(|name| programs::find(name).is_some()) {
        return Ok(());
    }
    apt(&["postgresql-common"])?;
    // Otherwise the package makes a cluster, for which a service is started. The setting is only for that moment.
    let setting = |arguments: &[&str]| {
        let mut command = Command::new("pg_conftool");
        run(command.arg("/etc/postgresql-common/createcluster.conf").args(arguments))
    };
    setting(&["set", "create_main_cluster", "off"])?;
    let installed = apt(&["postgresql"]);
    setting(&["remove", "create_main_cluster"])?;
    installed
}

/// A Python with packages of our own; the system's may not be touched.
fn python() -> Result<PathBuf, Failure> {
    environment(&paths::target().join("clients/venv"), &["python", "autobahn"])
}

/// A virtual environment of Python, and what was installed into it by [`once`].
fn environment(folder: &Path, installed: &[&str]) -> Result<PathBuf, Failure> {
    let python = folder.join("bin/python");
    if !succeeds(Command::new(&python).args(["-m", "pip", "--version"])) {
        packages(&[("python3", "python3")])?;
        if !succeeds(Command::new("python3").args(["-c", "import ensurepip, venv"])) {
            apt(&["python3-venv"])?;
        }
        run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(folder))?;
        // What was installed into an earlier one is gone.
        for name in installed {
            let _missing_already = fs::remove_file(stamp(name));
        }
    }
    Ok(python)
}

/// Does a thing unless it was done with the same list before.
fn once(
    name: &str,
    list: &PathBuf,
    install: impl FnOnce(&PathBuf) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let wanted = read(list)?;
    if fs::read(stamp(name)).is_ok_and(|done| done == wanted) {
        return Ok(());
    }
    install(list)?;
    write(&stamp(name), &wanted)
}

fn stamp(name: &str) -> PathBuf {
    paths::target().join(format!("clients/{name}.installed"))
}

/// Installs the Debian packages of those programs that are missing.
fn packages(wanted: &[(&str, &str)]) -> Result<(), Failure> {
    let missing = wanted.iter().filter(|(program, _)| programs::find(program).is_none());
    let missing: Vec<&str> = missing.map(|(_, package)| *package).collect();
    if missing.is_empty() { Ok(()) } else { apt(&missing) }
}

fn apt(names: &[&str]) -> Result<(), Failure> {
    static UPDATED: Once = Once::new();
    if programs::find("apt-get").is_none() {
        let names = names.join(", ");
        return Err(Failure::Check(format!(
            "these are missing, and there is no apt-get to install them: {names}"
        )));
    }
    let mut updated = Ok(());
    UPDATED.call_once(|| updated = run(Command::new("apt-get").args(["update", "-q"])));
    updated?;
    let mut command = Command::new("apt-get");
    command.args(["install", "-y", "-q", "--no-install-recommends"]).args(names);
    // No questions, and no service started: the tests start their own.
    run(command.env("DEBIAN_FRONTEND", "noninteractive").env("RUNLEVEL", "1"))
}

fn read(path: &PathBuf) -> Result<Vec<u8>, Failure> {
    fs::read(path).map_err(|source| Failure::File { path: path.clone(), source })
}

fn write(path: &PathBuf, content: &[u8]) -> Result<(), Failure> {
    let folder = path.parent().map_or(Ok(()), fs::create_dir_all);
    let outcome = folder.and_then(|()| fs::write(path, content));
    outcome.map_err(|source| Failure::File { path: path.clone(), source })
}
