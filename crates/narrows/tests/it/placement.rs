//! New connections go to the shard that has the least to do.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use axum::Router;
use axum::routing::get;
use narrows::{Channels, Close, Connection, Consumer, Limits, NoEvent, Reject, Text};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::real_site::{Client, Site};

/// Says on which shard it is, and keeps that one busy when it is asked to.
struct Resident;

fn shard() -> String {
    std::thread::current().name().unwrap().to_owned()
}

impl Consumer for Resident {
    type Scope = ();
    type In = Text;
    type Out = Text;
    type Event = NoEvent;

    async fn connect((): (), conn: &mut Connection<Self>) -> Result<Self, Reject> {
        conn.send(&Text(shard()))?;
        Ok(Self)
    }

    async fn receive(&mut self, _: Text, conn: &mut Connection<Self>) -> Result<(), Close> {
        while conn.is_open() {
            let start = Instant::now();
            while start.elapsed() < Duration::from_millis(20) {
                std::hint::spin_loop();
            }
            tokio::task::yield_now().await;
        }
        Ok(())
    }
}

fn app(channels: &Channels) -> Router {
    Router::new()
        .route("/ws", channels.consumer::<Resident>().route())
        .route("/shard", get(|| async { shard() }))
}

fn node(shards: usize) -> Channels {
    // The clients do not read on, and so would answer no ping: none is to end while a slow machine tests.
    let limits = Limits::default().ping_interval(Duration::ZERO);
    Channels::builder().limits(limits).shards(shards).build()
}

async fn site(channels: &Channels) -> Site {
    Site::start(app(channels), channels).await
}

type Socket = Client<TcpStream>;

/// A connection, and the shard that it was placed on.
async fn resident(stream: TcpStream) -> (String, Socket) {
    let mut client = Client::over(stream, "/ws", &[]).await.unwrap();
    (client.hear().await, client)
}

#[derive(Default)]
struct Residents(BTreeMap<String, Vec<Socket>>);

impl Residents {
    fn add(&mut self, (shard, socket): (String, Socket)) {
        self.0.entry(shard).or_default().push(socket);
    }

    fn on(&self, shard: &str) -> usize {
        self.0.get(shard).map_or(0, Vec::len)
    }

    /// Of 64 on 4 shards: none has less than half of its part, nor half as much again. The parts would be equal if
    /// the machine had nothing else to do.
    fn assert_spread(&self) {
        let counts: Vec<_> = self.0.values().map(Vec::len).collect();
        assert!(counts.len() == 4 && counts.iter().all(|count| (8..=24).contains(count)), "{counts:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_to_our_own_server_are_spread_over_its_shards() {
    let channels = node(4);
    let site = site(&channels).await;
    let mut residents = Residents::default();
    for _ in 0..64 {
        residents.add(resident(site.tcp().await).await);
    }
    residents.assert_spread();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_to_somebody_elses_server_are_spread_over_the_shards() {
    let channels = node(4);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let app = app(&channels);
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    let mut residents = Residents::default();
    for _ in 0..64 {
        residents.add(resident(TcpStream::connect(address).await.unwrap()).await);
    }
    residents.assert_spread();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_come_all_at_once_are_spread_too() {
    let channels = node(4);
    let site = site(&channels).await;
    let mut coming = Vec::new();
    for _ in 0..64 {
        coming.push(site.tcp().await);
    }
    let mut residents = Residents::default();
    for placed in futures_util::future::join_all(coming.into_iter().map(resident)).await {
        residents.add(placed);
    }
    residents.assert_spread();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shard_that_lost_its_connections_gets_the_next_ones() {
    let channels = node(2);
    let site = site(&channels).await;
    let mut residents = Residents::default();
    for _ in 0..60 {
        residents.add(resident(site.tcp().await).await);
    }
    drop(residents.0.remove("narrows-0"));
    while channels.stats().connections > residents.on("narrows-1") as u64 {
        tokio::task::yield_now().await;
    }
    let mut next = Residents::default();
    for _ in 0..10 {
        next.add(resident(site.tcp().await).await);
    }
    assert_eq!(next.on("narrows-0"), 10);
}

/// Keeps one of two shards busy, until connections go to the other one only. The count alone would have them take
/// turns.
async fn with_a_busy_shard(site: &Site, residents: &mut Residents) -> (String, Socket) {
    let (busy, mut worker) = resident(site.tcp().await).await;
    worker.say("work").await;
    let mut in_a_row = 0;
    let deadline = Instant::now() + Duration::from_secs(60);
    while in_a_row < 10 {
        assert!(Instant::now() < deadline, "{busy} still gets connections");
        let (shard, socket) = resident(site.tcp().await).await;
        in_a_row = if shard == busy { 0 } else { in_a_row + 1 };
        residents.add((shard, socket));
    }
    (busy, worker)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_busy_shard_gets_no_new_connections_while_another_is_idle() {
    let channels = node(2);
    let site = site(&channels).await;
    let mut residents = Residents::default();
    let (busy, worker) = with_a_busy_shard(&site, &mut residents).await;
    assert!(residents.0.values().map(Vec::len).sum::<usize>() > residents.on(&busy) + 1);
    drop(worker);
}

/// An HTTP connection that stays open after its first request, and the shard that serves it.
async fn kept_alive(site: &Site) -> (String, TcpStream) {
    let mut stream = site.tcp().await;
    stream.write_all(b"GET /shard HTTP/1.1\r\nhost: site.example\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    while !answer.windows(9).any(|bytes| bytes.starts_with(b"narrows-")) {
        assert_ne!(stream.read_buf(&mut answer).await.unwrap(), 0, "the server hung up");
    }
    let answer = String::from_utf8(answer).unwrap();
    (answer[answer.find("narrows-").unwrap()..].to_owned(), stream)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn http_connections_count_for_as_long_as_they_last() {
    let channels = node(2);
    let site = site(&channels).await;
    let mut waiting = Vec::new();
    for _ in 0..60 {
        waiting.push(kept_alive(&site).await);
    }
    assert!((15..=45).contains(&waiting.iter().filter(|(home, _)| home == "narrows-0").count()));
    waiting.retain(|(home, _)| home != "narrows-0");
    // That they are gone takes the shard a moment to see. While it counts them the two take turns.
    let (mut residents, mut in_a_row) = (Residents::default(), 0);
    while in_a_row < 10 {
        let (shard, socket) = resident(site.tcp().await).await;
        in_a_row = if shard == "narrows-0" { in_a_row + 1 } else { 0 };
        residents.add((shard, socket));
        assert!(residents.on("narrows-1") < 1000, "the connections that ended still count");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kept_alive_connection_is_upgraded_where_it_is() {
    let channels = node(2);
    let site = site(&channels).await;
    for _ in 0..10 {
        let (home, stream) = kept_alive(&site).await;
        assert_eq!(resident(stream).await.0, home);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kept_alive_connection_leaves_a_shard_that_is_overloaded() {
    let channels = node(2);
    let site = site(&channels).await;
    let mut waiting = Vec::new();
    for _ in 0..60 {
        waiting.push(kept_alive(&site).await);
    }
    let mut residents = Residents::default();
    let (busy, worker) = with_a_busy_shard(&site, &mut residents).await;
    // Each upgrade there takes as long as the busy handler has its turns, so that it shows what a second makes of it.
    for (_, stream) in waiting.into_iter().filter(|(home, _)| *home == busy) {
        if resident(stream).await.0 != busy {
            drop(worker);
            return;
        }
    }
    panic!("all stayed");
}
