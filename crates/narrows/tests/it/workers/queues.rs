use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use narrows::layer::MemoryLayer;
use narrows::testing::FaultyLayer;
use narrows::{
    BroadcastError, Channel, ChannelLayer, Channels, DropReason, LayerError, Queue, Take, Topic, Worker,
    WorkerError,
};
use serde_json::json;

use super::{Bench, Job, jobs, send};
use crate::logged::Log;
use crate::within::as_within;

#[tokio::test]
async fn one_channels_messages_are_handled_one_after_another_in_their_order() {
    let channels = Channels::new();
    let bench = Bench::held(Worker::new(&channels)).await;
    send(&channels, 0..10).await;
    for number in 0..10 {
        bench.begins([number]).await;
        tokio::task::yield_now().await;
        assert!(bench.begun.lock().await.try_recv().is_err(), "the next waits for its turn");
        bench.let_go(1);
    }
    assert_eq!(bench.ended().await.handled, 10);
    assert_eq!(channels.stats().handled, 10);
}

#[tokio::test]
async fn as_many_are_handled_at_once_as_are_asked_for_and_no_more() {
    let channels = Channels::new();
    let bench = Bench::held(Worker::new(&channels).concurrency(3)).await;
    send(&channels, 0..10).await;
    bench.begins(0..3).await;
    for number in 3..10 {
        tokio::task::yield_now().await;
        assert!(bench.begun.lock().await.try_recv().is_err(), "only three at once");
        bench.let_go(1);
        bench.begins([number]).await;
    }
    bench.let_go(3);
    assert_eq!(bench.ended().await.handled, 10);
}

#[tokio::test]
async fn two_workers_on_two_nodes_share_the_messages() {
    let layer = MemoryLayer::new();
    let (here, there) = (Channels::with_layer(layer.another_node()), Channels::with_layer(layer));
    let (one, two) = (Bench::held(Worker::new(&here)).await, Bench::held(Worker::new(&there)).await);
    send(&here, 100..120).await;
    one.let_go(20);
    two.let_go(20);
    let mut begun = Vec::new();
    while begun.len() < 20 {
        tokio::select! {
            number = one.begun() => begun.push(number),
            number = two.begun() => begun.push(number),
        }
    }
    begun.sort_unstable();
    assert_eq!(begun, (100..120).collect::<Vec<_>>());
    let (one, two) = (one.ended().await.handled, two.ended().await.handled);
    assert!(one + two == 20 && one > 0 && two > 0, "{one} and {two}");
}

#[tokio::test]
async fn channels_of_one_worker_do_not_wait_for_each_other() {
    let channels = Channels::new();
    let other = Channel::<Job>::new("other").unwrap();
    let (says, mut heard) = tokio::sync::mpsc::unbounded_channel();
    let worker = Worker::new(&channels).handle(other.clone(), move |job| {
        let says = says.clone();
        async move { says.send(job) }
    });
    let bench = Bench::held(worker).await;
    send(&channels, [1]).await;
    bench.begins([1]).await;
    channels.send(&other, &Job { number: 2 }).await.unwrap();
    assert_eq!(heard.recv().await, Some(Job { number: 2 }));
    bench.let_go(1);
    assert_eq!(bench.ended().await.handled, 2);
}

#[tokio::test]
async fn what_does_not_decode_fails_or_panics_is_counted_and_logged_and_the_rest_goes_on() {
    let log = Log::read();
    let channels = Channels::new();
    let bench = Bench::free(Worker::new(&channels)).await;
    let untyped = Channel::<serde_json::Value>::new("jobs").unwrap();
    channels.send(&untyped, &json!({"number": "not one"})).await.unwrap();
    send(&channels, [13, 666, 1]).await;
    bench.begins([13, 666, 1]).await;
    let report = bench.ended().await;
    assert_eq!((report.handled, report.failed, report.undecodable, report.unfinished), (1, 2, 1, 0));
    let stats = channels.stats();
    assert_eq!((stats.handled, stats.failed, stats.dropped(DropReason::Undecodable)), (1, 2, 1));
    log.line(&["not of its channel's type", "channel=\"jobs\"", "the message cannot be read"]).await;
    log.line(&["handler failed", "channel=\"jobs\"", "an unlucky number"]).await;
    log.line(&["handler panicked", "channel=\"jobs\"", "the number of a panic"]).await;
}

#[tokio::test]
async fn a_worker_that_is_to_end_finishes_what_it_has_in_hand_and_leaves_the_rest_to_others() {
    let channels = Channels::new();
    let mut bench = Bench::held(Worker::new(&channels)).await;
    send(&channels, 0..5).await;
    bench.begins([0]).await;
    bench.tell().await;
    assert!(!bench.running.is_finished());
    let next = Bench::free(Worker::new(&channels)).await;
    next.begins(1..5).await;
    bench.let_go(1);
    let report = bench.ended().await;
    assert_eq!((report.handled, report.unfinished), (1, 0));
    assert_eq!(next.ended().await.handled, 4);
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_does_not_end_is_cut_off_after_the_drain_timeout_and_counted() {
    let log = Log::read();
    let channels = Channels::new();
    let mut bench =
        Bench::held(Worker::new(&channels).concurrency(2).drain_timeout(Duration::from_secs(7))).await;
    send(&channels, 0..3).await;
    bench.begins(0..2).await;
    let start = tokio::time::Instant::now();
    bench.tell().await;
    bench.let_go(1);
    let report = bench.ended().await;
    assert_eq!(start.elapsed().as_secs(), 7);
    assert_eq!((report.handled, report.unfinished), (1, 1));
    assert_eq!(channels.stats().dropped(DropReason::WorkerEnded), 1);
    log.line(&["time to drain is over", "unfinished=1"]).await;
    let next = Bench::free(Worker::new(&channels)).await;
    next.begins([2]).await;
}

#[tokio::test]
async fn when_a_worker_is_dropped_another_gets_all_that_it_had_not_begun() {
    let channels = Channels::new();
    let bench = Bench::held(Worker::new(&channels)).await;
    send(&channels, 0..10).await;
    bench.begins([0]).await;
    bench.let_go(3);
    bench.begins(1..4).await;
    bench.dropped().await;
    let next = Bench::free(Worker::new(&channels)).await;
    next.begins(4..10).await;
    assert_eq!(next.ended().await.handled, 6);
    let stats = channels.stats();
    assert_eq!((stats.handled, stats.dropped(DropReason::WorkerEnded)), (9, 1));
}

#[tokio::test]
async fn the_sender_is_told_when_the_workers_are_far_behind() {
    let channels = Channels::with_layer(MemoryLayer::new().capacity(3));
    let bench = Bench::held(Worker::new(&channels)).await;
    send(&channels, 0..1).await;
    bench.begins([0]).await;
    send(&channels, 1..4).await;
    let full = channels.send(&jobs(), &Job { number: 4 }).await;
    assert!(matches!(full, Err(BroadcastError::Layer(LayerError::ChannelFull { .. }))), "{full:?}");
    bench.let_go(4);
    bench.begins(1..4).await;
    assert_eq!(bench.ended().await.handled, 4);
}

#[tokio::test(start_paused = true)]
async fn while_the_link_is_down_a_worker_waits_and_says_so_once() {
    let log = Log::read();
    let memory = MemoryLayer::new();
    let elsewhere = Channels::with_layer(memory.another_node());
    let layer = FaultyLayer::new(memory);
    let faults = layer.faults();
    let channels = Channels::with_layer(layer);
    // A name of its own, as the log is everybody's.
    let channel = Channel::<Job>::new("cut-off-jobs").unwrap();
    let (says, mut heard) = tokio::sync::mpsc::unbounded_channel();
    let worker = Worker::new(&channels).handle(channel.clone(), move |job| {
        let says = says.clone();
        async move { says.send(job) }
    });
    let working = tokio::spawn(worker.run_until(std::future::pending()));
    for outage in 1..=2 {
        tokio::time::sleep(Duration::from_secs(60)).await;
        faults.disconnect();
        tokio::time::sleep(Duration::from_secs(60)).await;
        elsewhere.send(&channel, &Job { number: outage }).await.unwrap();
        assert!(heard.try_recv().is_err(), "the link is down");
        let start = tokio::time::Instant::now();
        faults.reconnect();
        assert_eq!(heard.recv().await, Some(Job { number: outage }));
        assert!(start.elapsed() <= Duration::from_secs(10), "the longest pause");
        let said = log.lines("channel=\"cut-off-jobs\"");
        assert_eq!(said.len(), outage as usize, "{said:?}");
        assert!(
            said[0].contains("the channel layer failed a worker") && said[0].contains("test cut the link")
        );
    }
    // At first 0.1 s, then twice as long each time, up to 10 s: about a dozen times a minute, and not thousands.
    assert!((16..=40).contains(&faults.counts().refused), "{:?}", faults.counts());
    working.abort();
}

/// A layer that has come to its end.
struct Ended(MemoryLayer);

impl ChannelLayer for Ended {
    as_within!(0: start subscribe unsubscribe publish new_channel);

    fn open(&self, channel: &Topic) -> Option<Queue> {
        // Of two channels one goes on, as far as it knows.
        if channel.name() == "jobs" { self.0.open(channel) } else { Some(Queue::new(Nothing)) }
    }
}

struct Nothing;

impl Take for Nothing {
    fn take(&mut self) -> Pin<Box<dyn Future<Output = Result<Bytes, LayerError>> + Send + '_>> {
        Box::pin(async { Err(LayerError::Closed) })
    }
}

#[tokio::test]
async fn a_worker_ends_with_an_error_when_its_layer_has_ended_for_good() {
    let channels = Channels::with_layer(Ended(MemoryLayer::new()));
    let other = Channel::<Job>::new("other").unwrap();
    let bench =
        Bench::held(Worker::new(&channels).handle(other, async |_| Ok::<(), BroadcastError>(()))).await;
    let ended = bench.running.await.unwrap();
    assert_eq!(ended, Err(WorkerError::LayerEnded { channel: "other".into() }));
}

#[tokio::test]
async fn two_handlers_for_one_channel_are_an_error() {
    let worker = Worker::new(&Channels::new());
    let idle = |_: Job| async { Ok::<(), BroadcastError>(()) };
    let refused = worker.handle(jobs(), idle).handle(jobs(), idle).run_until(std::future::pending()).await;
    assert_eq!(refused, Err(WorkerError::TwoHandlers { channel: "jobs".into() }));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thousands_of_messages_are_handled_once_each_while_workers_come_and_go() {
    let layer = MemoryLayer::new().capacity(1 << 20);
    let nodes: Vec<_> = (0..3).map(|_| Channels::with_layer(layer.another_node())).collect();
    let (says, mut heard) = tokio::sync::mpsc::unbounded_channel();
    let worker = |n: usize| {
        let says = says.clone();
        let handle = move |Job { number }| {
            let says = says.clone();
            async move {
                tokio::task::yield_now().await;
                says.send(number)
            }
        };
        Worker::new(&nodes[n % 3]).concurrency(4).handle(jobs(), handle)
    };
    // Open from the first message on, whatever the workers do.
    let _open = layer.open(&jobs().topic()).unwrap();
    let stays = tokio::spawn(worker(0).run_until(std::future::pending()));
    let sending = async {
        for number in 0..5000 {
            send(&nodes[1], [number]).await;
            if number % 100 == 0 {
                tokio::task::yield_now().await;
            }
        }
    };
    let coming_and_going = async {
        for n in 0..50 {
            let (end, ended) = tokio::sync::oneshot::channel::<()>();
            let working = tokio::spawn(worker(n).run_until(async { drop(ended.await) }));
            tokio::task::yield_now().await;
            drop(end);
            assert_eq!(working.await.unwrap().unwrap().unfinished, 0);
        }
    };
    tokio::join!(sending, coming_and_going);
    let mut numbers = Vec::new();
    while numbers.len() < 5000 {
        numbers.push(heard.recv().await.unwrap());
    }
    numbers.sort_unstable();
    assert!(numbers.into_iter().eq(0..5000), "each once");
    stays.abort();
}
