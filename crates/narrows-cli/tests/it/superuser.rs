//! `narrows createsuperuser`, at a terminal and without one.

use std::process::{Command, Output, Stdio};

use narrows_django::{Accounts, Database, SecretKeys, User};
use tempfile::TempDir;

use crate::connect::screen::Screen;

const GOOD: &str = "a quiet green field";

/// A database for one test, removed with it.
struct Site {
    folder: TempDir,
}

impl Site {
    fn without_tables() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn new() -> Self {
        let site = Self::without_tables();
        site.ask(async |database| database.create_tables().await.unwrap());
        site
    }

    fn url(&self) -> String {
        format!("sqlite://{}/site.sqlite3?mode=rwc", self.folder.path().display())
    }

    fn ask<T>(&self, what: impl AsyncFnOnce(Database) -> T) -> T {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async { what(Database::connect(&self.url()).await.unwrap()).await })
    }

    /// Who logs in with this.
    fn log_in(&self, username: &str, password: &str) -> User {
        self.ask(async |database| {
            let accounts = Accounts::builder(SecretKeys::new("test"), database).build();
            accounts.authenticate(username, password, None).await.unwrap()
        })
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_narrows"));
        command.arg("createsuperuser").args(arguments);
        for name in ["USERNAME", "EMAIL", "PASSWORD"] {
            command.env_remove(format!("DJANGO_SUPERUSER_{name}"));
        }
        command.env("DATABASE_URL", self.url()).env("USER", "ada").env_remove("NARROWS_DATABASE_URL");
        command
    }

    /// Without a terminal, with this name and password in the environment.
    fn run(&self, username: &str, password: &str, arguments: &[&str]) -> Output {
        let mut command = self.command(&["--no-input"]);
        command.env("DJANGO_SUPERUSER_USERNAME", username).env("DJANGO_SUPERUSER_PASSWORD", password);
        command.args(arguments).stdin(Stdio::null()).output().unwrap()
    }
}

#[track_caller]
fn assert_refused(output: &Output, why: &str) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(1) && said.contains(why), "{output:?}");
    assert!(!said.contains("panicked"), "{said}");
}

fn has_line(line: &str) -> impl Fn(&vt100::Screen) -> bool {
    move |screen| screen.contents().trim_end().ends_with(line.trim_end())
}

#[test]
fn it_asks_for_all_and_shows_no_password() {
    let site = Site::new();
    let mut screen = Screen::run(site.command(&[]));
    screen.wait("a question", has_line("User name (empty for ada):"));
    screen.press("\r");
    screen.wait("a question", has_line("E-mail (may be empty):"));
    screen.press("ada@example.com\r");
    screen.wait("a question", has_line("Password:"));
    for (typed, next) in [
        (GOOD, "Password (again):"),
        ("another one", "The two passwords are not the same.\nPassword:"),
        (GOOD, "Password (again):"),
    ] {
        screen.press(&format!("{typed}\r"));
        screen.wait("a question", has_line(next));
    }
    screen.press(&format!("{GOOD}\r"));
    assert_eq!(screen.end(), 0);
    screen.wait("the end", has_line("The superuser ada is made."));
    assert!(!screen.written().contains(GOOD) && !screen.written().contains("another one"));
    let user = site.log_in("ada", GOOD);
    assert!(user.is_superuser && user.is_staff && user.is_active && user.email == "ada@example.com");
}

#[test]
fn it_explains_a_weak_password_and_takes_it_only_when_told_twice() {
    let site = Site::new();
    let mut screen = Screen::run(site.command(&["--username", "ben", "--email", ""]));
    for answer in ["n", "y"] {
        for question in ["Password:", "Password (again):"] {
            screen.wait("a question", has_line(question));
            screen.press("1234567\r");
        }
        screen.wait("a question", has_line("Take this password anyway? [y/N]:"));
        screen.press(&format!("{answer}\r"));
    }
    assert_eq!(screen.end(), 0);
    let written = screen.written();
    assert!(written.contains("at least 8 characters") && written.contains("numeric"), "{written}");
    assert!(site.log_in("ben", "1234567").is_superuser);
}

#[test]
fn a_name_that_is_taken_is_asked_for_again() {
    let site = Site::new();
    assert!(site.run("ada", GOOD, &[]).status.success());
    let screen = Screen::run(site.command(&[]));
    screen.wait("a question", has_line("User name (empty for ada):"));
    screen.press("\r");
    screen.wait("a question", has_line("there is a user ada already\nUser name (empty for ada):"));
    screen.press("eve\r");
    screen.wait("a question", has_line("E-mail (may be empty):"));
}

#[test]
fn a_name_or_an_address_that_nobody_can_have_is_asked_for_again_before_the_password() {
    let site = Site::new();
    let screen = Screen::run(site.command(&[]));
    screen.wait("a question", has_line("User name (empty for ada):"));
    screen.press("two words\r");
    screen.wait("a question", has_line("the characters @ . + - _\nUser name (empty for ada):"));
    screen.press("eve\r");
    screen.wait("a question", has_line("E-mail (may be empty):"));
    screen.press("here\r");
    screen.wait("a question", has_line("the email is not an address\nE-mail (may be empty):"));
    screen.press("\r");
    screen.wait("a question", has_line("Password:"));
    assert_refused(&site.run("two words", GOOD, &[]), "the name may have only letters");
}

#[test]
fn ctrl_c_while_nothing_is_shown_leaves_the_terminal_as_it_was() {
    let site = Site::new();
    let mut screen = Screen::run(site.command(&["--username", "ada", "--email", ""]));
    screen.wait("a question", has_line("Password:"));
    screen.press("half\x03");
    // It asserts that the terminal is as it was.
    assert_eq!(screen.end(), 1);
    screen.wait("the end", has_line("narrows: cancelled; nobody was made"));
    assert_refused(&site.run("", GOOD, &[]), "there is none");
}

#[test]
fn missing_tables_are_made_when_one_says_so_at_the_terminal_or_by_a_flag() {
    let site = Site::without_tables();
    assert_refused(&site.run("ada", GOOD, &[]), "no tables for accounts; --create-tables makes them");
    let mut screen = Screen::run(site.command(&[]));
    screen.wait("a question", |screen| screen.contents().contains("Make them? [y/N]:"));
    screen.press("n\r");
    assert_eq!(screen.end(), 1);
    assert!(site.run("ada", GOOD, &["--create-tables"]).status.success());
    assert!(site.log_in("ada", GOOD).is_superuser);
}

#[test]
fn without_a_terminal_all_comes_from_the_environment_or_it_says_what_is_missing() {
    let site = Site::new();
    assert!(site.run("ada", GOOD, &["--email", "ada@example.com"]).status.success());
    assert_eq!(site.log_in("ada", GOOD).email, "ada@example.com");
    assert_refused(&site.run("ada", GOOD, &[]), "there is a user ada already");
    assert_refused(&site.run("two words", GOOD, &[]), "letters");
    assert_refused(&site.run("ben", "12345678", &[]), "--weak-password takes it anyway");
    assert_refused(&site.run("ben", "", &[]), "DJANGO_SUPERUSER_PASSWORD");
    assert!(site.run("ben", "12345678", &["--weak-password"]).status.success());
    let piped = site.command(&[]).stdin(Stdio::null()).output().unwrap();
    assert_refused(&piped, "there is no terminal to ask at; give --no-input");
    let nowhere = site.command(&["--no-input"]).env_remove("DATABASE_URL").output().unwrap();
    assert_refused(&nowhere, "--database-url");
    let mut flag = site.command(&["--no-input", "--database-url", &site.url(), "--username", "cyd"]);
    flag.env("NARROWS_DATABASE_URL", "oracle://db").env("DJANGO_SUPERUSER_PASSWORD", GOOD);
    assert!(flag.stdin(Stdio::null()).output().unwrap().status.success(), "what is said here counts first");
    let elsewhere = site.command(&["--no-input", "--database-url", "oracle://db"]).output().unwrap();
    assert_refused(&elsewhere, "oracle");
}
