//! Workers on a layer without queues.

use std::sync::atomic::Ordering;
use std::time::Duration;

use narrows::layer::MemoryLayer;
use narrows::testing::FaultyLayer;
use narrows::{Channel, Channels, DropReason, Worker};

use super::{Bench, Job, send};
use crate::gated_layer::GatedLayer;
use crate::logged::Log;

#[tokio::test]
async fn every_worker_gets_each_message_in_its_order() {
    let layer = MemoryLayer::new();
    let nodes = [layer.another_node(), layer].map(|layer| Channels::with_layer(GatedLayer::over(layer)));
    // Two of them on one node.
    let mut workers = Vec::new();
    for node in [&nodes[0], &nodes[0], &nodes[1]] {
        workers.push(Bench::free(Worker::new(node)).await);
    }
    send(&nodes[1], 0..10).await;
    for worker in workers {
        worker.begins(0..10).await;
        assert_eq!(worker.ended().await.handled, 10);
    }
    assert_eq!((nodes[0].stats().handled, nodes[1].stats().handled), (20, 10));
}

#[tokio::test]
async fn a_channel_is_subscribed_to_while_a_worker_has_it_and_no_longer() {
    let layer = GatedLayer::open();
    let channels = Channels::with_layer(layer.clone());
    let one = Bench::free(Worker::new(&channels)).await;
    layer.subscriptions(1).await;
    let two = Bench::free(Worker::new(&channels)).await;
    two.ended().await;
    assert_eq!(layer.calls(), ["subscribe to channel jobs"]);
    one.ended().await;
    layer.subscriptions(0).await;
    send(&channels, [1]).await;
    assert_eq!(channels.stats().handled, 0);
}

#[tokio::test(start_paused = true)]
async fn a_subscription_that_fails_is_tried_again_until_it_works() {
    let layer = GatedLayer::open();
    layer.fails.store(true, Ordering::Relaxed);
    let channels = Channels::with_layer(layer.clone());
    let bench = Bench::free(Worker::new(&channels)).await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert!((2..10).contains(&layer.calls().len()), "{:?}", layer.calls());
    layer.fails.store(false, Ordering::Relaxed);
    layer.subscriptions(1).await;
    send(&channels, [1]).await;
    bench.begins([1]).await;
    assert_eq!(bench.ended().await.handled, 1);
}

#[tokio::test]
async fn after_an_outage_the_messages_come_again() {
    let memory = MemoryLayer::new();
    let elsewhere = Channels::with_layer(GatedLayer::over(memory.another_node()));
    let layer = FaultyLayer::new(GatedLayer::over(memory));
    let faults = layer.faults();
    let channels = Channels::with_layer(layer);
    let bench = Bench::free(Worker::new(&channels)).await;
    send(&elsewhere, [1]).await;
    faults.disconnect();
    send(&elsewhere, [2]).await;
    faults.reconnect();
    send(&elsewhere, [3]).await;
    bench.begins([1, 3]).await;
    assert_eq!(channels.stats().gaps, 1);
    assert_eq!(bench.ended().await.handled, 2);
}

#[tokio::test]
async fn what_comes_beyond_the_backlog_is_counted_and_logged_once() {
    let log = Log::read();
    let channels = Channels::with_layer(GatedLayer::open());
    let channel = Channel::<Job>::new("too-many-jobs").unwrap();
    let (says, mut heard) = tokio::sync::mpsc::unbounded_channel();
    let gate = std::sync::Arc::new(tokio::sync::Semaphore::new(0));
    let opened = gate.clone();
    let worker = Worker::new(&channels).backlog(3).handle(channel.clone(), move |Job { number }| {
        says.send(number).unwrap();
        let gate = gate.clone();
        async move { gate.acquire().await.map(tokio::sync::SemaphorePermit::forget) }
    });
    let working = tokio::spawn(worker.run_until(std::future::pending()));
    tokio::task::yield_now().await;
    let send = async |numbers: std::ops::Range<u32>| {
        for number in numbers {
            channels.send(&channel, &Job { number }).await.unwrap();
        }
    };
    send(0..1).await;
    assert_eq!(heard.recv().await, Some(0));
    // Three wait, four are too many; then one goes, and two are too many.
    send(1..8).await;
    opened.add_permits(1);
    assert_eq!(heard.recv().await, Some(1));
    send(8..11).await;
    opened.add_permits(1_000);
    for number in [2, 3, 8] {
        assert_eq!(heard.recv().await, Some(number));
    }
    assert_eq!(channels.stats().dropped(DropReason::WorkerBacklog), 6);
    let said = log.lines("channel=\"too-many-jobs\"");
    assert!(said.len() == 1 && said[0].contains("backlog=3"), "{said:?}");
    working.abort();
}

#[tokio::test]
async fn what_had_come_is_handled_before_the_end_as_nobody_else_has_it() {
    let channels = Channels::with_layer(GatedLayer::open());
    let mut bench = Bench::held(Worker::new(&channels)).await;
    send(&channels, 0..3).await;
    bench.begins([0]).await;
    bench.tell().await;
    send(&channels, 3..5).await;
    bench.let_go(100);
    bench.begins(1..3).await;
    assert_eq!(bench.ended().await.handled, 3);
}

#[tokio::test(start_paused = true)]
async fn what_is_left_at_the_end_is_counted() {
    let channels = Channels::with_layer(GatedLayer::open());
    let bench = Bench::held(Worker::new(&channels).drain_timeout(Duration::from_secs(1))).await;
    send(&channels, 0..3).await;
    bench.begins([0]).await;
    assert_eq!(bench.ended().await.unfinished, 1);
    assert_eq!(channels.stats().dropped(DropReason::WorkerEnded), 3);
    let bench = Bench::held(Worker::new(&channels)).await;
    send(&channels, 0..3).await;
    bench.begins([0]).await;
    bench.dropped().await;
    assert_eq!(channels.stats().dropped(DropReason::WorkerEnded), 6);
}
