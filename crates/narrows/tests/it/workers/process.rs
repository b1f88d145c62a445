//! A worker as a process of its own, ended by signals.

use std::os::unix::process::ExitStatusExt;
use std::process::Command;
use std::time::Duration;

use narrows::layer::MemoryLayer;
use narrows::{ChannelLayer, Channels, Worker};
use programs::Child;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use super::{Job, jobs, send};

const NAME: &str = "workers::process::child_that_works";

fn start() -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", NAME, "--ignored", "--nocapture"]).env("NARROWS_WORKER", "1");
    Child::start(&mut command)
}

#[test]
fn on_sigterm_a_worker_finishes_the_message_in_hand_and_ends_with_success() {
    let mut worker = start();
    worker.line("job 1 begins");
    worker.terminate();
    let (status, output) = worker.end(Duration::from_secs(60));
    assert!(status.success() && output.contains("job 1 is done"), "{output}");
    assert!(output.contains("handled 1, unfinished 0, threads of shards 0"), "{output}");
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let mut worker = start();
    worker.line("job 1 begins");
    worker.signal("INT");
    worker.line("a second signal ends at once");
    worker.terminate();
    let (status, output) = worker.end(Duration::from_secs(60));
    assert_eq!((status.code(), status.signal()), (Some(128 + 15), None), "{output}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "waits for a signal; others run it in a process of its own"]
async fn child_that_works() {
    if std::env::var_os("NARROWS_WORKER").is_none() {
        return;
    }
    tracing_subscriber::fmt().with_writer(std::io::stderr).with_ansi(false).init();
    let layer = MemoryLayer::new();
    // So that the message is kept whether the worker has begun or not.
    let _open = layer.open(&jobs().topic());
    let channels = Channels::with_layer(layer);
    send(&channels, [1]).await;
    let mut term = signal(SignalKind::terminate()).unwrap();
    let (terminated, done) = watch::channel(false);
    let worker = Worker::new(&channels).handle(jobs(), move |Job { number }| {
        let mut done = done.clone();
        async move {
            println!("job {number} begins");
            done.wait_for(|done| *done).await.map(|_| println!("job {number} is done"))
        }
    });
    let working = tokio::spawn(worker.run());
    term.recv().await;
    terminated.send_replace(true);
    let report = working.await.unwrap().unwrap();
    let threads = std::fs::read_dir("/proc/self/task").unwrap();
    let names = threads.map(|task| std::fs::read_to_string(task.unwrap().path().join("comm")).unwrap());
    let shards = names.filter(|name| name.starts_with("narrows-")).count();
    println!("handled {}, unfinished {}, threads of shards {shards}", report.handled, report.unfinished);
}
