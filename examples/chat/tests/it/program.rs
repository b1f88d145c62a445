use std::process::Command;
use std::time::Duration;

use programs::Child;

const IN_TIME: Duration = Duration::from_secs(60);

fn chat(bind: &str) -> Child {
    Child::start(Command::new(env!("CARGO_BIN_EXE_chat")).args(["--bind", bind]))
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
fn a_port_that_is_taken_is_named_with_the_flag_that_helps() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let (status, output) = chat(&address).end(IN_TIME);
    assert_eq!(status.code(), Some(1));
    assert!(output.contains(&address) && output.contains("--bind"), "{output}");
}

#[test]
fn the_help_names_who_may_announce() {
    let mut help = Child::start(Command::new(env!("CARGO_BIN_EXE_chat")).arg("--help"));
    let (status, output) = help.end(IN_TIME);
    assert!(status.success());
    assert!(output.contains("--announce everyone|nobody"), "{output}");
}
