//! Clients that do not read: what each overflow policy gives them, and that nobody else pays for it.

use std::time::Duration;

use axum::Router;
use narrows::testing::{Received, TestClient, TestServer};
use narrows::{
    Capacity, Cause, Channels, Close, Connection, Consumer, DropReason, Gap, Overflow, Raw, Reject,
};
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::site::{Ask, Msg, Site, ask_echo, number, room, said};

const COUNT: u64 = 40;

/// A room where one client does not read while forty numbers come, more than pipe and outbox hold.
struct Crowd {
    site: Site,
    slow: TestClient,
}

async fn crowd(overflow: Overflow) -> Crowd {
    let outbox = Capacity::default().max_messages(6).overflow(overflow);
    let site = Site::with(|node| node.outbox(outbox), |bots| bots);
    let mut quick = site.connect().await;
    let mut slow = site.server.connect_request("/ws/lobby").pipe_bytes(2048).connect().await;
    slow.stop_reading();
    for n in 1..=COUNT {
        site.channels.broadcast(&room("lobby"), &number(n, 300)).await.unwrap();
        // Whoever reads gets all of it, at once.
        quick.expect(&number(n, 300)).await;
    }
    slow.go_on_reading();
    drop(quick);
    Crowd { site, slow }
}

/// The numbers that come, up to a silence or the end.
async fn numbers(client: &mut TestClient) -> Vec<u64> {
    let mut numbers = Vec::new();
    while let Some(Received::Text(text)) = client.next().await {
        let Msg::Number { n, .. } = serde_json::from_str(&text).unwrap() else { panic!("{text}") };
        numbers.push(n);
    }
    numbers
}

#[tokio::test(start_paused = true)]
async fn close_ends_the_slow_client_with_1013_after_what_was_on_the_wire() {
    let Crowd { mut site, mut slow } = crowd(Overflow::Close).await;
    let got = numbers(&mut slow).await;
    assert!(got.iter().copied().eq(1..=got.len() as u64) && got.len() < 20, "{got:?}");
    assert_eq!(slow.expect_close(1013).await, "the client reads too slowly");
    assert!(site.channels.stats().dropped(DropReason::SlowConsumer) > 0);
    assert_eq!([site.end().await.cause, site.end().await.cause], [Cause::Slow, Cause::Lost]);
    site.no_further_end().await;
}

#[tokio::test(start_paused = true)]
async fn drop_oldest_keeps_the_newest() {
    let Crowd { site, mut slow } = crowd(Overflow::DropOldest).await;
    let got = numbers(&mut slow).await;
    assert!(got.is_sorted() && got.len() < 30, "{got:?}");
    assert_eq!(got[got.len() - 6..], [35, 36, 37, 38, 39, 40]);
    let dropped = site.channels.stats().dropped(DropReason::OutboxOldest);
    assert_eq!(got.len() as u64 + dropped, COUNT);
}

#[tokio::test(start_paused = true)]
async fn drop_newest_keeps_the_oldest() {
    let Crowd { site, mut slow } = crowd(Overflow::DropNewest).await;
    let got = numbers(&mut slow).await;
    assert!(got.iter().copied().eq(1..=got.len() as u64) && got.len() >= 6, "{got:?}");
    let dropped = site.channels.stats().dropped(DropReason::OutboxNewest);
    assert_eq!(got.len() as u64 + dropped, COUNT);
}

#[tokio::test(start_paused = true)]
async fn keep_latest_keeps_one_of_each_key() {
    let Crowd { site, mut slow } = crowd(Overflow::KeepLatest).await;
    let got = numbers(&mut slow).await;
    // The keys are odd and even: of all that waited, the last of each.
    assert!(got.is_sorted() && got.len() < 20 && got.ends_with(&[39, 40]), "{got:?}");
    let dropped = site.channels.stats().dropped(DropReason::OutboxReplaced);
    assert_eq!(got.len() as u64 + dropped, COUNT);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_reads_again_goes_on_where_it_was_after_a_partly_written_frame() {
    let site = Site::new();
    let mut slow = site.server.connect_request("/ws/lobby").pipe_bytes(512).connect().await;
    slow.stop_reading();
    slow.send(&Ask::Send { count: 20, bytes: 700 }).await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    slow.go_on_reading();
    for n in 1..=20 {
        slow.expect(&number(n, 700)).await;
    }
    slow.send(&ask_echo("caught up")).await;
    slow.expect(&said("caught up")).await;
    assert!(site.channels.stats().drops().all(|(_, count)| count == 0));
}

#[tokio::test(start_paused = true)]
async fn what_waits_for_a_client_that_is_lost_is_counted() {
    let mut site = Site::new();
    let mut slow = site.server.connect_request("/ws/lobby").pipe_bytes(512).connect().await;
    slow.stop_reading();
    slow.send(&Ask::Send { count: 20, bytes: 700 }).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    slow.abort();
    assert_eq!(site.end().await.cause, Cause::Lost);
    while site.channels.stats().connections > 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(site.channels.stats().dropped(DropReason::ConnectionEnded), 20);
}

/// Frames by hand, masked with zeros.
fn pings(count: usize) -> Vec<u8> {
    let mut ping = vec![0x89, 0x80 | 125, 0, 0, 0, 0];
    ping.extend([b'p'; 125]);
    ping.repeat(count)
}

#[tokio::test(start_paused = true)]
async fn a_client_that_floods_with_pings_and_never_reads_is_not_read_either() {
    let site = Site::new();
    let mut flood = site.server.connect_request("/ws/lobby").pipe_bytes(4096).connect().await;
    flood.stop_reading();
    let unread = timeout(Duration::from_millis(100), flood.send_raw(pings(10_000))).await;
    assert!(unread.is_err(), "the server read it all, and had nowhere to put the answers");
    flood.go_on_reading();
    flood.ping("and once it reads, all is well").await;
    flood.send(&ask_echo("hello")).await;
    flood.expect(&said("hello")).await;
}

#[tokio::test(start_paused = true)]
async fn a_client_that_asks_for_more_than_it_reads_is_not_read_either() {
    let outbox = Capacity::default().overflow(Overflow::DropNewest);
    let site = Site::with(|node| node.outbox(outbox), |bots| bots);
    let mut greedy = site.server.connect_request("/ws/lobby").pipe_bytes(4096).connect().await;
    greedy.stop_reading();
    let flood = async {
        for n in 0..10_000 {
            greedy.send(&ask_echo(&n.to_string())).await;
        }
    };
    assert!(timeout(Duration::from_millis(100), flood).await.is_err());
    assert!(site.channels.stats().received < 2000, "{:?}", site.channels.stats());
}

/// Takes ten seconds for each event.
struct Thinker;

enum Thought {
    Msg(Msg),
    Gap(Gap),
}

impl From<Msg> for Thought {
    fn from(msg: Msg) -> Self {
        Self::Msg(msg)
    }
}

impl From<Gap> for Thought {
    fn from(gap: Gap) -> Self {
        Self::Gap(gap)
    }
}

impl Consumer for Thinker {
    type Scope = ();
    type In = Raw;
    type Out = Value;
    type Event = Thought;
    async fn connect((): (), conn: &mut Connection<Self>) -> Result<Self, Reject> {
        conn.listen(&room("lobby")).await?;
        conn.listen_gaps().await;
        Ok(Self)
    }
    async fn receive(&mut self, _: Raw, _: &mut Connection<Self>) -> Result<(), Close> {
        Ok(())
    }
    async fn event(&mut self, thought: Thought, conn: &mut Connection<Self>) -> Result<(), Close> {
        tokio::time::sleep(Duration::from_secs(10)).await;
        Ok(conn.send(&match thought {
            Thought::Msg(Msg::Number { n, .. }) => json!(n),
            Thought::Msg(msg) => json!(msg),
            Thought::Gap(gap) => json!(gap.to_string()),
        })?)
    }
}

async fn thinker(overflow: Overflow) -> (Channels, TestClient) {
    let channels = Channels::builder().on_this_thread().build();
    let inbox = Capacity::default().max_messages(3).overflow(overflow);
    let route = channels.consumer::<Thinker>().inbox(inbox).route();
    let server = TestServer::new(Router::new().route("/", route));
    let mut client = server.connect("/").await;
    client.receive_timeout(Duration::from_secs(100));
    for n in 1..=10 {
        channels.broadcast(&room("lobby"), &number(n, 0)).await.unwrap();
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    (channels, client)
}

const GAP: &str = "more messages arrived than could be taken";

#[tokio::test(start_paused = true)]
async fn an_inbox_that_overflows_drops_by_its_policy_and_tells_of_the_gap() {
    let (channels, mut client) = thinker(Overflow::DropNewest).await;
    for seen in [json!(1), json!(2), json!(3), json!(4), json!(GAP)] {
        client.expect(&seen).await;
    }
    assert_eq!(channels.stats().dropped(DropReason::Inbox), 6);
    let (channels, mut client) = thinker(Overflow::DropOldest).await;
    for seen in [json!(1), json!(GAP), json!(8), json!(9), json!(10)] {
        client.expect(&seen).await;
    }
    assert_eq!(channels.stats().dropped(DropReason::Inbox), 6);
}

#[tokio::test(start_paused = true)]
async fn an_inbox_that_overflows_closes_with_1013_by_default() {
    let (channels, mut client) = thinker(Overflow::Close).await;
    client.expect(&json!(1)).await;
    client.expect_close(1013).await;
    while channels.stats().connections > 0 {
        tokio::task::yield_now().await;
    }
    assert!(channels.stats().dropped(DropReason::Inbox) >= 6, "{:?}", channels.stats());
}
