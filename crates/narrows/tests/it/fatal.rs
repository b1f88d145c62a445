//! What becomes of the process when a shard cannot go on or cannot begin: each in a process of its own.

use std::fs::File;
use std::future::pending;
use std::os::unix::process::ExitStatusExt;
use std::process::Command;
use std::time::Duration;

use axum::Router;
use narrows::serve::settings::Settings;
use narrows::serve::{ListenError, Server};
use narrows::testing::TestServer;
use narrows::{Channels, Close, Connection, Consumer, NoEvent, Reject, Text, internals};
use programs::Child;

/// Runs one of the tests below that are ignored otherwise.
fn start(name: &str) -> Child {
    // Few descriptors, so that they are soon used up; and no core of a process that is meant to abort.
    let limited = "ulimit -c 0; ulimit -n 256; exec \"$0\" \"$@\"";
    let test = std::env::current_exe().unwrap();
    let mut command = Command::new("sh");
    command.args(["-c", limited]).arg(test).args(["--exact", name, "--ignored", "--nocapture"]);
    Child::start(command.env("NARROWS_FATAL", name).env("RUST_BACKTRACE", "0"))
}

/// Whether this process is there for the test of this name; it then logs where its parent reads.
fn is_child(name: &str) -> bool {
    let is_child = std::env::var("NARROWS_FATAL").is_ok_and(|child| child == name);
    if is_child {
        tracing_subscriber::fmt().with_writer(std::io::stderr).with_ansi(false).init();
    }
    is_child
}

/// How an aborted process ended: SIGABRT, which no supervisor takes for success.
const ABORTED: Option<i32> = Some(6);

#[test]
fn a_panic_of_a_shards_own_future_ends_the_process_and_says_why() {
    let (status, output) = start("fatal::child_with_a_mistake_in_its_engine").end(Duration::from_secs(60));
    assert_eq!(status.signal(), ABORTED, "{output}");
    let why = "narrows: shard 0 failed, and the process cannot go on: ";
    assert!(output.lines().any(|l| l.starts_with(why) && l.contains("a mistake in the engine")), "{output}");
    assert!(output.contains("ERROR narrows::shard::fatal: the process cannot go on"), "{output}");
}

#[tokio::test]
#[ignore = "ends its process; others run it in one of its own"]
async fn child_with_a_mistake_in_its_engine() {
    if is_child("fatal::child_with_a_mistake_in_its_engine") {
        internals::panic_in_engine(&Channels::builder().shards(2).build());
        pending::<()>().await;
    }
}

struct Mistaken;

impl Consumer for Mistaken {
    type Scope = ();
    type In = Text;
    type Out = Text;
    type Event = NoEvent;

    async fn connect((): (), _: &mut Connection<Self>) -> Result<Self, Reject> {
        Ok(Self)
    }

    async fn receive(&mut self, _: Text, conn: &mut Connection<Self>) -> Result<(), Close> {
        internals::panic_in_state(conn.channels());
        Ok(())
    }
}

fn site(channels: &Channels) -> Router {
    Router::new().route("/ws", channels.consumer::<Mistaken>().route())
}

#[test]
fn a_panic_in_what_a_session_does_to_its_shard_ends_the_process_too() {
    let (status, output) = start("fatal::child_with_a_mistake_in_its_state").end(Duration::from_secs(60));
    assert_eq!(status.signal(), ABORTED, "{output}");
    assert!(output.contains("a mistake in the state"), "{output}");
    assert!(output.contains("narrows: shard 0 failed, and the process cannot go on: "), "{output}");
}

#[tokio::test]
#[ignore = "ends its process; others run it in one of its own"]
async fn child_with_a_mistake_in_its_state() {
    if is_child("fatal::child_with_a_mistake_in_its_state") {
        let channels = Channels::builder().shards(1).build();
        let mut client = TestServer::new(site(&channels)).connect("/ws").await;
        client.send_text("now").await;
        pending::<()>().await;
    }
}

#[test]
fn shards_that_cannot_be_started_are_an_error_and_no_abort() {
    let (status, output) = start("fatal::child_without_descriptors").end(Duration::from_secs(60));
    assert!(status.success() && output.contains("test result: ok. 1 passed"), "{output}");
    assert!(output.contains("the shards cannot be started"), "{output}");
}

#[tokio::test]
#[ignore = "takes all descriptors; others run it in a process of its own"]
async fn child_without_descriptors() {
    if !is_child("fatal::child_without_descriptors") {
        return;
    }
    let channels = Channels::builder().shards(2).build();
    let mut taken = Vec::new();
    while let Ok(file) = File::open("/dev/null") {
        taken.push(file);
    }
    // One for the listening socket, none for the shards.
    taken.pop();
    let mut settings = Settings::default();
    settings.bind = vec!["127.0.0.1:0".to_owned()];
    let refused = Server::new(Router::new(), &channels, &settings).listen().await;
    assert!(matches!(refused, Err(ListenError::Shards { .. })), "{refused:?}");

    let server = TestServer::new(site(&channels));
    let answer = server.connect_request("/ws").try_connect().await.unwrap_err();
    assert_eq!((answer.status().as_u16(), channels.stats().refused), (503, 1));
    taken.clear();
    server.connect("/ws").await;
}
