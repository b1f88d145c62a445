use std::process::Command;
use std::time::{Duration, Instant};

use programs::Child;

use crate::site::{Site, processes, program, venv};

const IN_TIME: Duration = Duration::from_secs(60);

#[test]
fn the_program_ends_with_all_that_it_started_when_told() {
    let Some(mut site) = Site::start() else { return };
    assert_eq!(site.servers().len(), 1);
    site.child.signal("INT");
    let (status, output) = site.child.end(IN_TIME);
    assert!(status.success(), "{output}");
    let data = site.crash();
    assert_eq!(processes(data.path()), []);
}

#[test]
fn nothing_is_left_of_a_program_that_crashed() {
    let Some(site) = Site::start() else { return };
    let data = site.crash();
    let end = Instant::now() + IN_TIME;
    while !processes(data.path()).is_empty() {
        assert!(Instant::now() < end, "{:?} is left", processes(data.path()));
        // Who started them is gone, and so nobody can be waited for.
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn the_help_names_what_there_is_to_set() {
    let mut help = Child::start(Command::new(env!("CARGO_BIN_EXE_beside-django")).arg("--help"));
    let (status, output) = help.end(IN_TIME);
    assert!(status.success());
    assert!(output.contains("--demo-password TEXT") && output.contains("--venv TEXT"), "{output}");
}

#[test]
fn a_python_that_is_not_there_is_named_with_the_flag_that_helps() {
    let data = tempfile::tempdir().unwrap();
    let mut command = program(&data.path().join("venv"), data.path());
    let (status, output) = Child::start(command.args(["--python", "/nowhere/python3"])).end(IN_TIME);
    assert_eq!(status.code(), Some(1));
    assert!(output.contains("/nowhere/python3") && output.contains("--python"), "{output}");
}

#[test]
fn a_database_that_only_one_of_the_two_would_find_is_refused() {
    let Some(venv) = venv() else { return };
    let data = tempfile::tempdir().unwrap();
    let mut command = program(&venv, data.path());
    let (status, output) = Child::start(command.env("DATABASE_URL", "sqlite:///db.sqlite3")).end(IN_TIME);
    assert_eq!(status.code(), Some(1));
    assert!(output.contains("sqlite:////path"), "{output}");
}

#[test]
fn a_site_that_does_not_start_is_shown_with_what_it_said() {
    let Some(venv) = venv() else { return };
    let data = tempfile::tempdir().unwrap();
    let mut command = program(&venv, data.path());
    let url = format!("sqlite:////{}/nowhere/db", data.path().display());
    let (status, output) = Child::start(command.env("DATABASE_URL", url)).end(IN_TIME);
    assert_eq!(status.code(), Some(1));
    assert!(output.contains("unable to open database file"), "{output}");
}
