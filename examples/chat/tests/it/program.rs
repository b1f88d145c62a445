use std::process::Command;
use std::time::Duration;

use programs::Child;

const IN_TIME: Duration = Duration::from_secs(60);

fn chat(bind: &str) -> Child {
    start(&["--bind", bind])
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
fn a_program_that_is_nothing_but_the_bot_stops_when_told_with_success() {
    // Nobody listens there: it would be an error for a site.
    let mut program = start(&["--bot", "only", "--bind", "203.0.113.1:1"]);
    program.line("the chat bot is at work");
    program.terminate();
    let (status, output) = program.end(IN_TIME);
    assert_eq!(status.code(), Some(0), "{output}");
    assert!(output.contains("the bot has ended"), "{output}");
}

#[test]
fn without_the_bot_the_program_is_the_site_alone() {
    let mut program = start(&["--bot", "off", "--bind", "127.0.0.1:0"]);
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
}
