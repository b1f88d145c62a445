use std::sync::Arc;
use std::time::Duration;

use narrows::layer::MemoryLayer;
use narrows::testing::FaultyLayer;
use narrows::{Channels, DropReason, Group, Worker, WorkerError};
use serde::{Deserialize, Serialize};
use tokio::sync::{Semaphore, mpsc};

use super::kit::{Diff, House, present};

#[derive(Debug, Serialize, Deserialize)]
struct Note {
    number: u32,
}

/// A worker that hands on who left the lobby.
fn listener(channels: &Channels) -> (Worker, mpsc::UnboundedReceiver<String>) {
    let (says, heard) = mpsc::unbounded_channel();
    let worker = Worker::new(channels).listen(present("lobby").diffs(), move |diff: Diff| {
        let said = diff.leaves.into_iter().try_for_each(|key| says.send(key));
        std::future::ready(said)
    });
    (worker, heard)
}

#[tokio::test(start_paused = true)]
async fn a_worker_sees_who_left_with_a_node_that_died() {
    let layer = MemoryLayer::new();
    let channels = Channels::with_layer(layer.another_node());
    let layer = FaultyLayer::new(layer);
    let faults = layer.faults();
    let dies = House::on(layer);
    let (worker, mut heard) = listener(&channels);
    let worked = worker.run_until(async {
        let left = dies.tracked("left").await;
        let _dead = dies.tracked("dead").await;
        left.abort();
        while dies.channels.stats().tracked > 1 {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        faults.disconnect();
        let in_time = tokio::time::timeout(Duration::from_secs(60), heard.recv()).await;
        assert_eq!(in_time.expect("it hears of it").as_deref(), Some("dead"));
    });
    assert!(worked.await.unwrap().handled > 0);
}

#[tokio::test(start_paused = true)]
async fn every_worker_gets_each_message_of_a_group() {
    let layer = MemoryLayer::new();
    let nodes = [Channels::with_layer(layer.another_node()), Channels::with_layer(layer)];
    let group = Group::<Note>::new("notes").unwrap();
    let (says, mut heard) = mpsc::unbounded_channel();
    let worker = |channels: &Channels| {
        let says = says.clone();
        Worker::new(channels).listen(group.clone(), move |note| std::future::ready(says.send(note.number)))
    };
    let (first, second) = (worker(&nodes[0]), worker(&nodes[1]));
    let send = async {
        for number in 0..10 {
            nodes[0].broadcast(&group, &Note { number }).await.unwrap();
        }
        let mut numbers = Vec::new();
        for _ in 0..20 {
            numbers.push(heard.recv().await.unwrap());
        }
        numbers.sort_unstable();
        assert_eq!(numbers, (0..20).map(|n| n / 2).collect::<Vec<_>>());
    };
    let end = Arc::new(Semaphore::new(0));
    let until = |end: Arc<Semaphore>| async move { drop(end.acquire().await) };
    let sent = async {
        send.await;
        end.add_permits(2);
    };
    let (first, second, ()) =
        tokio::join!(first.run_until(until(end.clone())), second.run_until(until(end.clone())), sent);
    assert_eq!((first.unwrap().handled, second.unwrap().handled), (10, 10));
}

#[tokio::test(start_paused = true)]
async fn what_a_busy_listener_has_no_room_for_is_counted() {
    let channels = Channels::new();
    let group = Group::<Note>::new("notes").unwrap();
    let gate = Arc::new(Semaphore::new(0));
    let opens = gate.clone();
    let worker = Worker::new(&channels).backlog(3).listen(group.clone(), move |_: Note| {
        let gate = gate.clone();
        async move { gate.acquire().await.map(tokio::sync::SemaphorePermit::forget) }
    });
    let report = worker.run_until(async {
        for number in 0..10 {
            channels.broadcast(&group, &Note { number }).await.unwrap();
            tokio::task::yield_now().await;
        }
        opens.add_permits(10);
    });
    let handled = report.await.unwrap().handled;
    let dropped = channels.stats().dropped(DropReason::WorkerBacklog);
    assert!(dropped >= 6, "{dropped} of 10 found no room");
    assert_eq!(handled + dropped, 10);
}

#[tokio::test]
async fn a_group_and_a_channel_of_one_name_are_two_and_a_group_has_one_listener() {
    let channels = Channels::new();
    let group = Group::<Note>::new("notes").unwrap();
    let nothing = |_: Note| std::future::ready(Ok::<(), std::io::Error>(()));
    let both = Worker::new(&channels)
        .listen(group.clone(), nothing)
        .handle(narrows::Channel::new("notes").unwrap(), nothing);
    assert!(both.run_until(async {}).await.is_ok());
    let twice = Worker::new(&channels).listen(group.clone(), nothing).listen(group, nothing);
    let error = twice.run_until(async {}).await.unwrap_err();
    assert_eq!(error, WorkerError::TwoHandlers { channel: "notes".into() });
}
