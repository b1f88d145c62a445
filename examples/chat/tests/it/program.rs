use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use programs::Child;

const IN_TIME: Duration = Duration::from_secs(60);

/// So that nothing is left on the disk.
const IN_MEMORY: &str = "sqlite::memory:";

fn chat(bind: &str) -> Child {
    start(&["--bind", bind, "--accounts", "off", "--database-url", IN_MEMORY])
}

fn start(arguments: &[&str]) -> Child {
    Child::start(Command::new(env!("CARGO_BIN_EXE_chat")).args(arguments))
}

#[test]
fn the_program_says_where_it_is_and_how_to_stop_it_and_stops_when_told() {
    let mut program = chat("127.0.0.1:0");
    let address = program.line("chat is at");
    assert!(address.starts_with("http://127.0.0.1:"), "{address}");
    program.line("stop it with Ctrl-C");
    program.terminate();
    let (status, output) = program.end(IN_TIME);
    assert!(status.success(), "{output}");
}

#[test]
fn the_command_worker_is_nothing_but_the_bot_and_stops_when_told_with_success() {
    // Nobody listens there: it would be an error for a site.
    let mut program = start(&["worker", "--bind", "203.0.113.1:1", "--database-url", IN_MEMORY]);
    program.line("the workers of chat are at work");
    program.terminate();
    let (status, output) = program.end(IN_TIME);
    assert_eq!(status.code(), Some(0), "{output}");
}

#[test]
fn what_the_setting_did_before_there_was_the_command_says_what_to_do() {
    let (status, output) =
        start(&["--bot", "only", "--bind", "127.0.0.1:0", "--database-url", IN_MEMORY]).end(IN_TIME);
    assert_eq!(status.code(), Some(1));
    assert!(output.contains("chat worker"), "{output}");
}

#[test]
fn without_the_bot_the_program_is_the_site_alone() {
    let mut program =
        start(&["--bot", "off", "--bind", "127.0.0.1:0", "--database-url", IN_MEMORY, "--accounts", "off"]);
    program.line("chat is at");
    program.terminate();
    let (status, output) = program.end(IN_TIME);
    assert!(status.success(), "{output}");
}

#[test]
fn a_port_that_is_taken_is_named_with_the_flag_that_helps() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let (status, output) = chat(&address).end(IN_TIME);
    assert_eq!(status.code(), Some(1));
    assert!(output.contains(&address) && output.contains("--bind"), "{output}");
}

#[test]
fn the_help_names_who_may_announce_and_who_runs_the_bot() {
    let mut help = Child::start(Command::new(env!("CARGO_BIN_EXE_chat")).arg("--help"));
    let (status, output) = help.end(IN_TIME);
    assert!(status.success());
    assert!(output.contains("--announce everyone|nobody"), "{output}");
    assert!(output.contains("--bot here|off|only"), "{output}");
    assert!(output.contains("--accounts off|optional|required"), "{output}");
    assert!(output.contains("[NARROWS_DATABASE_URL, DATABASE_URL]"), "{output}");
}

#[test]
fn the_migrations_are_up_to_date_with_the_models() {
    let (status, output) = start(&["makemigrations", "--check"]).end(IN_TIME);
    assert!(status.success(), "{output}");
}

#[test]
fn the_commands_apply_and_list_the_migrations_and_say_what_is_wrong() {
    let home = tempfile::tempdir().unwrap();
    let data = ["--data-dir", home.path().to_str().unwrap()];
    let run = |command: &str| start(&[&[command], &data[..]].concat()).end(IN_TIME);

    assert!(run("showmigrations").1.contains("[ ] 0001_initial"));
    assert!(run("check").1.contains("rooms.0001_initial is not applied"));
    let (status, output) = run("migrate");
    assert!(status.success() && output.contains("rooms"), "{output}");

    let (_, listed) = run("showmigrations");
    assert!(listed.contains("[X] 0001_initial") && !listed.contains("[ ]"), "{listed}");
    assert!(!run("check").1.contains("is not applied"));
}

/// A site with its data in a folder of its own.
fn with_data(folder: &Path, more: &[&str]) -> (Child, String) {
    let folder = folder.to_str().unwrap();
    let mut program = start(&[&["--bind", "127.0.0.1:0", "--data-dir", folder], more].concat());
    let address = program.line("chat is at");
    (program, address.trim_start_matches("http://").trim_end_matches('/').to_owned())
}

/// The cookie that a registration gives.
fn register(address: &str, name: &str) -> String {
    let body = format!("username={name}&password=a+quiet+green+field&password_again=a+quiet+green+field");
    let answer = ask(
        address,
        &format!(
            "POST /register/ HTTP/1.1\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n",
            body.len()
        ),
        &body,
    );
    assert!(answer.starts_with("HTTP/1.1 303 "), "{answer}");
    answer.split_once("set-cookie: ").unwrap().1.split_once(';').unwrap().0.to_owned()
}

fn ask(address: &str, head: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "{head}host: test\r\nconnection: close\r\n\r\n{body}").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn sessions_outlive_a_restart_as_key_and_database_are_in_the_data_folder_for_their_owner_alone() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("new/data 1%?");
    let (mut program, address) = with_data(&folder, &[]);
    let cookie = register(&address, "Ada");
    program.terminate();
    let (_, output) = program.end(IN_TIME);
    let key = std::fs::read_to_string(folder.join("secret_key")).unwrap();
    assert!(key.len() == 64 && !output.contains(&key), "{output}");
    for file in ["secret_key", "chat.sqlite3"] {
        let mode = std::fs::metadata(folder.join(file)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
    assert_eq!(std::fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
    let (_program, address) = with_data(&folder, &[]);
    let page = ask(&address, &format!("GET / HTTP/1.1\r\ncookie: {cookie}\r\n"), "");
    assert!(page.contains("data-user=\"Ada\""), "{page}");
    assert_eq!(std::fs::read_to_string(folder.join("secret_key")).unwrap(), key);
}

#[test]
fn a_site_without_accounts_keeps_its_messages_all_the_same_unless_they_are_to_be_in_memory() {
    let home = tempfile::tempdir().unwrap();
    for (database, kept) in [("", true), ("sqlite::memory:", false)] {
        let folder = home.path().join(format!("data-{kept}"));
        let (mut program, _) = with_data(&folder, &["--accounts", "off", "--database-url", database]);
        program.terminate();
        assert!(program.end(IN_TIME).0.success());
        assert_eq!(folder.join("chat.sqlite3").exists(), kept);
    }
}

#[test]
fn a_database_that_is_away_or_wrong_is_an_error_that_says_what_to_do() {
    let home = tempfile::tempdir().unwrap();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let away = format!("postgres://ada:hunter2@127.0.0.1:{port}/chat");
    for (url, code) in [(away.as_str(), 1), ("oracle://db/chat", 2), ("no url", 2)] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_chat"));
        command.args(["--bind", "127.0.0.1:0", "--data-dir"]).arg(home.path()).env("DATABASE_URL", url);
        let (status, output) = Child::start(&mut command).end(IN_TIME);
        assert_eq!(status.code(), Some(code), "{output}");
        assert!(output.contains("--database-url"), "{output}");
        assert!(!output.contains("hunter2") && !output.contains("panicked"), "{output}");
    }
}

#[test]
fn a_data_folder_that_cannot_be_is_named_with_the_flag_that_helps() {
    let home = tempfile::tempdir().unwrap();
    let taken = home.path().join("taken");
    std::fs::write(&taken, "a file").unwrap();
    let (status, output) =
        start(&["--bind", "127.0.0.1:0", "--data-dir", taken.to_str().unwrap()]).end(IN_TIME);
    assert_eq!(status.code(), Some(1));
    assert!(output.contains("taken") && output.contains("--data-dir"), "{output}");
    // A key that somebody emptied would sign with nothing.
    std::fs::write(home.path().join("secret_key"), "\n").unwrap();
    let (status, output) =
        start(&["--bind", "127.0.0.1:0", "--data-dir", home.path().to_str().unwrap()]).end(IN_TIME);
    assert!(!status.success() && output.contains("there is no key in it"), "{output}");
}
