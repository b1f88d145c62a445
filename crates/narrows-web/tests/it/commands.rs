//! The commands of a project's program, in a process of its own.

use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::Duration;

use narrows_web::narrows_django::{Accounts, Database, SecretKeys, UserModel};
use programs::Child;
use tempfile::TempDir;

use crate::diary::project;

pub(crate) const IN_TIME: Duration = Duration::from_secs(60);
const NAME: &str = "commands::the_program_itself";
/// The arguments, in a variable, one a line.
const ARGS: &str = "DIARY_ARGS";
const KEY: &str = "a long secret that nobody guesses, with more than fifty characters";

#[test]
#[ignore = "it is the program; others run it in a process of its own"]
fn the_program_itself() {
    let Ok(args) = std::env::var(ARGS) else { return };
    let code = project().run_with(args.lines());
    let codes = [ExitCode::SUCCESS, ExitCode::FAILURE, ExitCode::from(2)];
    let code = codes.iter().position(|known| *known == code).expect("it ends with one of these");
    std::process::exit(i32::try_from(code).unwrap());
}

/// A folder in which the program runs.
pub(crate) struct Place(TempDir);

impl Place {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", NAME, "--ignored", "--nocapture"]).env(ARGS, args.join("\n"));
        command.env_remove("CARGO_MANIFEST_DIR").current_dir(self.path());
        command
    }

    pub(crate) fn start(&self, args: &[&str]) -> Child {
        Child::start(&mut self.command(args))
    }

    /// What it printed, and its exit code.
    pub(crate) fn run(&self, args: &[&str]) -> (i32, String) {
        finished(&mut self.command(args))
    }
}

/// Its exit code, and what it printed.
pub(crate) fn finished(command: &mut Command) -> (i32, String) {
    let output = command.output().unwrap();
    let printed = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap()).concat();
    (output.status.code().unwrap(), printed)
}

/// The same, of one that was ended.
pub(crate) fn ended(mut program: Child) -> (i32, String) {
    let (status, printed) = program.end(IN_TIME);
    (status.code().unwrap(), printed)
}

#[track_caller]
pub(crate) fn assert_printed((code, printed): (i32, String), expected: i32, text: &str) -> String {
    assert!(code == expected && printed.contains(text), "{code} and no {text:?} in\n{printed}");
    assert!(!printed.contains("panicked"), "{printed}");
    printed
}

#[test]
fn migrations_are_listed_planned_and_applied() {
    let place = Place::new();
    let listed = assert_printed(place.run(&["showmigrations"]), 0, "diary\n [ ] 0001_initial");
    assert!(listed.contains("django\n [ ] 0001_initial\ndiary\n"), "{listed}");
    assert_printed(place.run(&["migrate", "--plan"]), 0, "diary_page");
    assert_printed(place.run(&["migrate"]), 0, "Applying diary.0001_initial… done");
    let listed = assert_printed(place.run(&["showmigrations"]), 0, "diary\n [X] 0001_initial");
    assert!(listed.contains("django\n [X] 0001_initial\n"), "{listed}");
    assert_printed(place.run(&["migrate"]), 0, "Nothing to migrate.");
    assert_printed(place.run(&["migrate", "diary", "zero"]), 0, "Taking back diary.0001_initial… done");
    assert_printed(place.run(&["makemigrations", "--check"]), 0, "");
}

#[test]
fn what_the_settings_say_holds_for_every_command() {
    let place = Place::new();
    let file = place.path().join("narrows.toml");
    std::fs::write(&file, "database_url = \"sqlite:other.sqlite3?mode=rwc\"\nmigrate_at_start = false\n")
        .unwrap();
    assert_printed(place.run(&["migrate"]), 0, "done");
    assert!(place.path().join("other.sqlite3").exists() && !place.path().join("data").exists());
    let elsewhere = ["migrate", "diary", "--database-url", "sqlite:third.sqlite3?mode=rwc", "--plan"];
    assert_printed(place.run(&elsewhere), 0, "diary_page");
    std::fs::write(file, "databse_url = \"x\"\n").unwrap();
    assert_printed(place.run(&["migrate"]), 2, "did you mean database_url?");
}

#[test]
fn the_help_lists_commands_and_settings() {
    let place = Place::new();
    for args in [["help"], ["--help"]] {
        let help = assert_printed(place.run(&args), 0, "diary 1.2.3\nA diary for everybody\n");
        for text in
            ["diary [COMMAND] [--NAME VALUE]", "  makemigrations [APP]  Write", "--registration", "--title"]
        {
            assert!(help.contains(text), "no {text:?} in\n{help}");
        }
    }
    assert_printed(place.run(&["serve", "--version"]), 0, "diary 1.2.3\n");
}

#[test]
fn every_setting_is_in_the_documentation() {
    let help = assert_printed(Place::new().run(&["help"]), 0, "--session-cookie-secure");
    let docs = ["web", "accounts", "settings", "deploying"].map(|page| {
        let path = format!("{}/../../docs/{page}.md", env!("CARGO_MANIFEST_DIR"));
        std::fs::read_to_string(path).unwrap()
    });
    // The diary's own.
    let own = ["--title", "--count"];
    let flags = help
        .split_whitespace()
        .filter(|word| word.starts_with("--") && word.len() > 2 && !own.contains(word));
    let names = flags.map(|flag| flag[2..].replace('-', "_"));
    let asks = ["help", "version", "print_config", "config"];
    let missing: Vec<String> = names
        .filter(|name| name.chars().all(|sign| sign.is_ascii_lowercase() || sign == '_'))
        .filter(|name| {
            !asks.contains(&name.as_str()) && !docs.iter().any(|page| page.contains(&format!("`{name}`")))
        })
        .collect();
    assert_eq!(missing, [""; 0]);
}

#[test]
fn each_command_says_what_it_takes() {
    let place = Place::new();
    assert_printed(place.run(&["migrate", "--help"]), 0, "--fake-initial");
    assert_printed(place.run(&["makemigrations", "--help"]), 0, "--rename-table OLD=NEW");
    assert_printed(place.run(&["createsuperuser", "-h"]), 0, "--weak-password");
    assert_printed(place.run(&["worker", "--help"]), 0, "Usage: diary [COMMAND]");
    assert!(!place.path().join("data").exists());
}

#[test]
fn makemigrations_needs_no_database() {
    let place = Place::new();
    let away = "--database-url=sqlite:not/there";
    assert_printed(place.run(&["makemigrations", "--check", away]), 0, "");
}

#[test]
fn a_slip_of_the_finger_gets_advice() {
    let place = Place::new();
    assert_printed(
        place.run(&["migrat"]),
        2,
        "diary: there is no command `migrat`; did you mean `migrate`?\n",
    );
    assert_printed(place.run(&["serv", "--bind", "x"]), 2, "did you mean `serve`?");
    assert_printed(place.run(&["nonsense"]), 2, "`help` lists the commands and settings");
    assert_printed(place.run(&["worker", "now"]), 2, "`worker` takes no argument `now`");
    assert_printed(place.run(&["worker", "--titel=x"]), 2, "did you mean --title?");
    assert_printed(place.run(&["migrate", "diry"]), 2, "diry");
    assert_printed(place.run(&["migrate", "--plam"]), 2, "does not know `--plam`");
    assert_printed(place.run(&["makemigrations", "diry"]), 2, "diry");
    assert_printed(place.run(&["--layer=redis//x"]), 2, "diary: layer: ");
    assert_printed(place.run(&["--log=a=b=c"]), 2, "diary: log: ");
    assert_printed(place.run(&["--session-engine=file"]), 2, "session_file_path: ");
}

#[test]
fn check_finds_templates_that_cannot_be_parsed() {
    let place = Place::new();
    let broken = finished(place.command(&["check"]).env("DIARY_BROKEN", "1"));
    assert_printed(broken, 1, "template: syntax error: ");
    let production = finished(place.command(&["check", "--development=off"]).env("DIARY_BROKEN", "1"));
    assert_printed(production, 1, "diary/broken.html");
}

#[test]
fn a_superuser_is_made_and_may_log_in() {
    let place = Place::new();
    assert_printed(place.run(&["migrate"]), 0, "done");
    let mut command =
        place.command(&["createsuperuser", "--no-input", "--username=ada", "--email", "a@example.com"]);
    command.env("DJANGO_SUPERUSER_PASSWORD", "a quiet green field");
    let (made, again) = (finished(&mut command), finished(&mut command));
    assert_printed(made, 0, "The superuser ada is made.");
    assert_printed(again, 1, "there is a user ada already");
    assert_printed(
        place.run(&["createsuperuser", "--no-input", "--database-url", "sqlite::memory:"]),
        1,
        "`migrate` makes",
    );
    assert_printed(place.run(&["createsuperuser", "--user=x"]), 2, "takes no argument `--user=x`");
}

/// Does something with a database of the program's.
pub(crate) fn ask_database<T>(url: &str, what: impl AsyncFnOnce(Database) -> T) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async { what(Database::connect(url).await.unwrap()).await })
}

const PERSON: &str = "CREATE TABLE people_person (id integer PRIMARY KEY, password text, last_login text, is_superuser bool, \
    username text, first_name text, last_name text, email text, is_staff bool, is_active bool, date_joined text)";

#[test]
fn a_superuser_is_one_of_the_site_s_own_users() {
    let place = Place::new();
    let url = format!("sqlite:{}?mode=rwc", place.path().join("own.sqlite3").display());
    let args = [
        "createsuperuser",
        "--no-input",
        "--username=ada",
        "--user-table=people_person",
        "--database-url",
        &url,
    ];
    let mut command = place.command(&args);
    command.env("DJANGO_SUPERUSER_PASSWORD", "a quiet green field");
    assert_printed(finished(&mut command), 1, "this database has no table people_person");
    ask_database(&url, async |database| database.make_tables([PERSON]).await.unwrap());
    assert_printed(finished(&mut command), 0, "The superuser ada is made.");
    let mut model = UserModel::default();
    model.table = "people_person".to_owned();
    let user = ask_database(&url, async |database| {
        let accounts = Accounts::builder(SecretKeys::new(KEY), database).user_model(model).build();
        accounts.user_by_name("ada").await.unwrap().unwrap()
    });
    assert!(user.is_superuser && user.is_staff);
}

#[test]
fn sessions_that_are_over_are_deleted() {
    let place = Place::new();
    assert_printed(place.run(&["migrate"]), 0, "done");
    let old =
        "INSERT INTO django_session VALUES ('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', 'x', '2020-01-01 00:00:00')";
    let url = format!("sqlite:{}", place.path().join("data/db.sqlite3").display());
    ask_database(&url, async |database| database.make_tables([old]).await.unwrap());
    assert_printed(place.run(&["clearsessions"]), 0, "Deleted sessions that were over: 1");
    assert_printed(place.run(&["clearsessions"]), 0, "Deleted sessions that were over: 0");
}

#[test]
fn a_program_that_cannot_start_does_not_migrate() {
    let place = Place::new();
    let broken = ["--development=off", "--secret-key", KEY];
    assert_printed(finished(place.command(&broken).env("DIARY_BROKEN", "1")), 1, "diary/broken.html");
    assert_printed(place.run(&["showmigrations"]), 0, "django\n [ ] 0001_initial");
}

#[test]
fn check_says_what_is_wrong_for_production_and_changes_nothing() {
    let place = Place::new();
    let wrong = assert_printed(place.run(&["check"]), 1, "secret_key: there is none");
    for text in ["session_cookie_secure: it is off", "database_url: ", "diary.0001_initial is not applied"] {
        assert!(wrong.contains(text), "no {text:?} in\n{wrong}");
    }
    let url = "sqlite:db.sqlite3?mode=rwc";
    assert_printed(place.run(&["check", "--database-url", url]), 1, "diary.0001_initial is not applied");
    assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 0);
    assert_printed(place.run(&["migrate", "--database-url", url]), 0, "done");
    let good = ["check", "--secret-key", KEY, "--session-cookie-secure", "--database-url", url];
    assert_printed(place.run(&good), 0, "nothing is wrong");
    let mut short = good;
    short[2] = "short";
    assert_printed(place.run(&short), 1, "secret_key: it can be guessed");
}
