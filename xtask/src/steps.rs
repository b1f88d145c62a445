use std::process::Command;

use crate::command::{Profile, cargo, counted, run};
use crate::error::Failure;
use crate::tally::Tally;
use crate::{autobahn, bench, fuzz, install, paths};

/// One step of `cargo xtask test`.
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    /// The larger step that runs this one's tests too.
    pub(crate) within: Option<&'static str>,
    pub(crate) run: fn(&mut Tally) -> Result<(), Failure>,
}

/// All steps: the quick ones that fail most often come first.
pub(crate) const STEPS: &[Step] = &[
    Step { name: "fmt", about: "the code is formatted", within: None, run: fmt },
    Step { name: "clippy", about: "no lint is raised", within: None, run: clippy },
    Step { name: "docs", about: "the documentation builds without a warning", within: None, run: docs },
    Step {
        name: "client",
        about: "the JavaScript client: its types, its tests, and that what is embedded is what it is built to",
        within: None,
        run: client,
    },
    Step {
        name: "test",
        about: "unit, integration, browser and documentation tests",
        within: None,
        run: test,
    },
    Step { name: "clients", about: "clients of other languages", within: Some("test"), run: clients },
    Step { name: "browser", about: "the chat site in a browser", within: Some("test"), run: browser },
    Step {
        name: "redis",
        about: "the layers on Redis, and what they are tested with",
        within: Some("test"),
        run: redis,
    },
    Step {
        name: "accounts",
        about: "accounts that are Django's too, on each database",
        within: Some("test"),
        run: accounts,
    },
    Step { name: "loom", about: "every interleaving of the small lock-free parts", within: None, run: loom },
    Step { name: "build", about: "the programs, optimised", within: None, run: build },
    Step { name: "autobahn", about: "Autobahn's cases for the protocol", within: None, run: all_of_autobahn },
    Step { name: "memory", about: "memory of idle connections", within: None, run: memory },
    Step { name: "benches", about: "the benchmarks build and run once", within: None, run: benches },
    Step {
        name: "compare",
        about: "each peer starts and delivers, as does the comparison's page",
        within: None,
        run: compare,
    },
    Step { name: "fuzz", about: "each fuzz target runs for a while", within: None, run: fuzz::run },
];

fn fmt(_: &mut Tally) -> Result<(), Failure> {
    run(&mut cargo(["fmt", "--all", "--check"]))?;
    run(&mut cargo(["fmt", "--all", "--check", "--manifest-path", "bench/peers/Cargo.toml"]))
}

fn clippy(_: &mut Tally) -> Result<(), Failure> {
    run(&mut cargo(["clippy", "--workspace", "--all-targets", "--all-features", "--", "-D", "warnings"]))
}

fn docs(_: &mut Tally) -> Result<(), Failure> {
    let mut command = cargo(["doc", "--workspace", "--no-deps", "--all-features", "--lib"]);
    run(command.env("RUSTDOCFLAGS", "-D warnings"))
}

fn client(tally: &mut Tally) -> Result<(), Failure> {
    let folder = install::client()?;
    let npm = |script: &str| {
        let mut npm = Command::new("npm");
        npm.args(["run", "--silent", script]).current_dir(&folder);
        npm
    };
    run(&mut npm("check"))?;
    count(tally, counted(&mut npm("test")))?;
    some(tally)?;
    run(&mut npm("verify"))
}

fn test(tally: &mut Tally) -> Result<(), Failure> {
    install::for_tests()?;
    tests(tally, &["test", "--workspace", "--all-features", "--no-fail-fast"])
}

fn clients(tally: &mut Tally) -> Result<(), Failure> {
    install::clients()?;
    tests(tally, &["test", "-p", "endpoints", "--test", "it", "clients"])?;
    some(tally)
}

fn browser(tally: &mut Tally) -> Result<(), Failure> {
    install::browser()?;
    tests(tally, &["test", "-p", "chat", "browser"])?;
    some(tally)
}

fn redis(tally: &mut Tally) -> Result<(), Failure> {
    install::redis()?;
    install::databases()?;
    tests(tally, &["test", "-p", "rig", "-p", "narrows-redis", "--all-features", "--no-fail-fast"])?;
    some(tally)
}

fn accounts(tally: &mut Tally) -> Result<(), Failure> {
    install::redis()?;
    install::databases()?;
    tests(tally, &["test", "-p", "narrows-django", "--all-features", "--no-fail-fast"])?;
    some(tally)
}

fn loom(tally: &mut Tally) -> Result<(), Failure> {
    let target = paths::target().join("loom");
    let mut command = cargo(["test", "-p", "narrows", "--lib", "--profile", Profile::Ci.name(), "loom"]);
    // Another target directory, as the flag would throw away everything built without it.
    command.env("RUSTFLAGS", "--cfg narrows_loom").env("CARGO_TARGET_DIR", target);
    // Two threads are enough to race; three preemptions find all known kinds of bug in seconds.
    command.env("LOOM_MAX_PREEMPTIONS", "3");
    count(tally, counted(&mut command))?;
    some(tally)
}

fn build(_: &mut Tally) -> Result<(), Failure> {
    Profile::Ci.built("narrows").map(drop)
}

fn all_of_autobahn(tally: &mut Tally) -> Result<(), Failure> {
    autobahn::run(&[], None, tally)
}

fn memory(tally: &mut Tally) -> Result<(), Failure> {
    let endpoints = Profile::Ci.built("endpoints")?;
    let mut command = cargo([
        "test",
        "--workspace",
        "--all-features",
        "--test",
        "memory",
        "--",
        "--ignored",
        "--nocapture",
    ]);
    count(tally, counted(command.env("NARROWS_ENDPOINTS", endpoints)))?;
    some(tally)
}

fn benches(_: &mut Tally) -> Result<(), Failure> {
    // As tests, which the other tests have built what they need for.
    let benches =
        ["codec", "fanout", "history", "outbox", "layers"].into_iter().flat_map(|bench| ["--bench", bench]);
    run(&mut cargo(["test", "--workspace", "--all-features"].into_iter().chain(benches)))
}

fn compare(_: &mut Tally) -> Result<(), Failure> {
    bench::run(
        Profile::Ci,
        &[
            "--smoke".to_owned(),
            "--out".to_owned(),
            paths::target().join("bench/smoke").display().to_string(),
        ],
    )
}

/// Runs tests with every outside program required, so that none is left out without anybody noticing.
fn tests(tally: &mut Tally, arguments: &[&str]) -> Result<(), Failure> {
    let mut command = cargo(arguments.iter().copied());
    command.env("NARROWS_REQUIRE", "all").env("NARROWS_BROWSER", "require");
    // Most of them wait for something: a server, a browser, a database.
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    command.env("RUST_TEST_THREADS", (2 * cores).to_string());
    count(tally, counted(&mut command))
}

fn count(tally: &mut Tally, outcome: Result<Tally, (Failure, Tally)>) -> Result<(), Failure> {
    match outcome {
        Ok(counts) => *tally += counts,
        Err((failure, counts)) => {
            *tally += counts;
            return Err(failure);
        }
    }
    Ok(())
}

/// A step for certain tests has failed when a new name keeps it from finding them.
fn some(tally: &Tally) -> Result<(), Failure> {
    if tally.ran() == 0 {
        return Err(Failure::Check("no test of that name was found".to_owned()));
    }
    Ok(())
}
