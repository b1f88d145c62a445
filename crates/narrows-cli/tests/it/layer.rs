//! `narrows send` and `narrows tail`, on a Redis of their own.

use std::io::Write;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use programs::Child;
use rig::{LayerOptions, Python, Redis};
use serde_json::{Value, json};

const MESSAGE: &str = r#"{"type": "chat.message", "message": "héllo"}"#;

fn narrows(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_narrows"));
    command.args(arguments).env_remove("NARROWS_LAYER");
    command
}

fn run(arguments: &[&str]) -> Output {
    narrows(arguments).output().unwrap()
}

fn fails(arguments: &[&str], words: &str) {
    let output = run(arguments);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.contains(words), "{said}");
}

/// A `tail` that is known to listen.
fn tail(arguments: &[&str]) -> Child {
    let mut child = Child::start(&mut narrows(arguments));
    child.line("listening");
    child
}

#[test]
fn what_is_sent_is_shown_by_tail_on_both_layers() {
    let Some(redis) = Redis::start() else { return };
    for kind in ["pubsub", "core"] {
        let url = redis.url();
        let layer = ["--layer", &url, "--layer", kind];
        let mut shown =
            tail(&[&["tail", "chat_lobby", "user.ada", "--json", "--count", "3"], &layer[..]].concat());
        assert!(run(&[&["send", "chat_lobby", MESSAGE], &layer[..]].concat()).status.success());
        let line: Value = serde_json::from_str(&format!("{{{}", shown.line("{"))).unwrap();
        let message: Value = serde_json::from_str(MESSAGE).unwrap();
        assert_eq!(line, json!({"group": "chat_lobby", "message": message}), "{kind}");
        assert!(run(&[&["send", "--user", "ada", MESSAGE], &layer[..]].concat()).status.success());
        assert!(shown.line("\"group\"").starts_with(":\"user.ada\""));
        let mut send = narrows(&[&["send", "chat_lobby", "-"], &layer[..]].concat());
        let mut send = send.stdin(Stdio::piped()).spawn().unwrap();
        send.stdin.take().unwrap().write_all(b"{\"type\": \"a\"}\n\n").unwrap();
        assert!(send.wait().unwrap().success());
        let (status, _) = shown.end(Duration::from_secs(20));
        assert!(status.success(), "tail ends after the third: {status}");
    }
}

#[test]
fn python_and_the_command_understand_each_other_with_every_setting() {
    let Some(redis) = Redis::start() else { return };
    let Some(python) = Python::start() else { return };
    let options = LayerOptions::core([redis.url()]).prefix("site").serializer_format("json");
    let layer = python.layer(options.symmetric_encryption_keys(&["new", "old"])).wait().unwrap();
    let channel = layer.new_channel().wait().unwrap();
    layer.group_add("chat_lobby", &channel).wait().unwrap();
    let settings = ["--layer-prefix", "site", "--layer-serializer", "json", "--layer-key", "new,old"];
    let url = redis.url();
    let settings = [&["--layer", &url, "--layer-kind", "core"], &settings[..]].concat();
    assert!(run(&[&["send", "chat_lobby", MESSAGE], &settings[..]].concat()).status.success());
    let received = layer.receive(&channel, Duration::from_secs(20)).wait().unwrap().unwrap();
    assert_eq!(received, serde_json::from_str::<Value>(MESSAGE).unwrap());
    assert!(run(&[&["send", "--channel", &channel, MESSAGE], &settings[..]].concat()).status.success());
    assert!(layer.receive(&channel, Duration::from_secs(20)).wait().unwrap().is_some());
    let mut shown = tail(&[&["tail", "chat_lobby", "--count", "1"], &settings[..]].concat());
    let message = json!({"type": "x", "list": [1, null, "é"]});
    layer.group_send("chat_lobby", message.clone()).wait().unwrap();
    assert_eq!(serde_json::from_str::<Value>(&shown.line("chat_lobby")).unwrap(), message);
}

#[test]
fn a_tail_that_is_ended_leaves_its_groups() {
    let Some(redis) = Redis::start() else { return };
    let mut shown = tail(&["tail", "chat_lobby", "--layer", "core", "--layer-url", &redis.url()]);
    assert_eq!(redis.reply(&["ZRANGE", "asgi:group:chat_lobby", "0", "-1"]).items().len(), 1);
    shown.signal("INT");
    assert!(shown.end(Duration::from_secs(20)).0.success());
    assert_eq!(redis.reply(&["ZRANGE", "asgi:group:chat_lobby", "0", "-1"]).items().len(), 0);
}

#[test]
fn a_mistake_is_told_in_words() {
    fails(&["send", "chat_lobby"], "name a group");
    fails(&["send", "chat lobby", "{}"], "' ' cannot stand in a name");
    fails(&["send", "lobby", "{]"], "no JSON");
    fails(&["send", "lobby", "[1]"], "this is a list");
    fails(&["tail"], "at least one group");
    fails(&["tail", "lobby", "--layer", "fast"], "there are \"pubsub\" and \"core\"");
    fails(&["send", "lobby", "{}", "--layer", "memory"], "cannot be reached from another process");
    fails(&["send", "lobby", "{}", "--layer", "http://127.0.0.1"], "no scheme of Redis");
    let closed = format!("redis://127.0.0.1:{}", programs::free_port());
    fails(&["send", "lobby", r#"{"type": "x"}"#, "--layer", &closed], "refused");
    fails(&["tail", "lobby", "--layer", &closed], "refused");
}
