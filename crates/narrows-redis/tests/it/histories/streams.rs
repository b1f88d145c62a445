//! Clients in groups with a history, while what is between them and the sender fails: each message comes once and in
//! order, or the client is told that some are lost.

use std::time::Duration;

use narrows::testing::{TestClient, TestServer};
use narrows::{Capacity, Channels, Close, Connection, Consumer, Group, History, Position, Recovery, Reject};
use narrows_redis::{Kind, RedisLayer};
use rig::{Proxy, Redis};
use serde::{Deserialize, Serialize};

use crate::nodes::{PATIENCE, at_last, on_both_layers, options};

on_both_layers! {
    a_network_that_is_cut_costs_no_message,
    links_that_are_killed_cost_no_message,
    a_redis_that_is_killed_and_comes_back_empty_is_told,
    a_redis_that_keeps_its_data_is_told_to_be_another,
    a_redis_that_is_flushed_is_told,
    a_member_that_comes_back_gets_many_large_messages,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "type", rename = "said")]
struct Said {
    number: u64,
    #[serde(default)]
    text: String,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Out {
    Said { number: u64 },
    Lost,
    Recovered { messages: usize },
}

impl From<Said> for Out {
    fn from(Said { number, .. }: Said) -> Self {
        Self::Said { number }
    }
}

fn room() -> Group<Said> {
    Group::new("room").expect("the name is legal").with_history(History::new(1000, Duration::from_secs(600)))
}

struct Room;

impl Consumer for Room {
    type Scope = ();
    type In = Position;
    type Out = Out;
    type Event = narrows::NoEvent;

    async fn connect((): (), conn: &mut Connection<Self>) -> Result<Self, Reject> {
        conn.join(&room()).await?;
        Ok(Self)
    }

    async fn receive(&mut self, at: Position, conn: &mut Connection<Self>) -> Result<(), Close> {
        conn.leave(&room()).await;
        match conn.join_from(&room(), at).await.map_err(|_| Close::normal())? {
            Recovery::Recovered { messages } => Ok(conn.send(&Out::Recovered { messages })?),
            _ => Ok(conn.send(&Out::Lost)?),
        }
    }

    async fn unrecovered(&mut self, _: &str, conn: &mut Connection<Self>) -> Result<(), Close> {
        Ok(conn.send(&Out::Lost)?)
    }
}

struct Site {
    channels: Channels,
    server: TestServer,
}

impl Site {
    fn at(kind: Kind, url: &str) -> Self {
        // On the core layer a flush takes the memberships, too, which come back in a quarter of this.
        let options = options(url).group_expiry(Duration::from_secs(2));
        let layer = RedisLayer::new(kind, options).expect("the options are right");
        let channels = Channels::builder().layer(layer).shards(1).build();
        // What a member missed has half of it.
        let route = channels.consumer::<Room>().outbox(Capacity::default().max_bytes(8 << 20)).route();
        let server = TestServer::new(axum::Router::new().route("/ws", route)).receive_timeout(PATIENCE);
        Self { channels, server }
    }

    /// Sends a number, again and again until it is taken, but once.
    async fn say(&self, number: u64) {
        let said = Said { number, text: String::new() };
        let id = number.to_string();
        at_last("broadcasting", async || self.channels.broadcast_once(&room(), &said, &id).await.map(drop))
            .await;
    }
}

/// Reads up to a number or beyond, and until something was said to be lost, where that is to come; gives what came, and
/// how often it was said.
async fn until(client: &mut TestClient, last: u64, is_told: bool) -> (Vec<u64>, usize) {
    let (mut numbers, mut lost) = (Vec::new(), 0);
    while numbers.last().is_none_or(|number| *number < last) || lost == 0 && is_told {
        match client.receive::<Out>().await {
            Out::Said { number } => numbers.push(number),
            Out::Lost => lost += 1,
            Out::Recovered { .. } => {}
        }
    }
    (numbers, lost)
}

/// Two sites with a client each; the first gets to Redis by way of what fails.
async fn stream(
    kind: Kind,
    redis: &Redis,
    way: &str,
    is_told: bool,
    fails: impl Fn(u64),
) -> Vec<(Vec<u64>, usize)> {
    let sites = [way, &redis.url()].map(|url| Site::at(kind, url));
    let mut clients = [sites[0].server.connect("/ws").await, sites[1].server.connect("/ws").await];
    for number in 1..=300 {
        fails(number);
        sites[1].say(number).await;
    }
    // Whoever fell out of the group without a word notices some time, and by the next message.
    let more = async {
        for number in 301.. {
            sites[1].say(number).await;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        unreachable!("numbers do not end")
    };
    let [one, other] = &mut clients;
    tokio::select! {
        (one, other) = async { tokio::join!(until(one, 301, is_told), until(other, 301, is_told)) } => vec![one, other],
        () = more => unreachable!(),
    }
}

fn came_whole(got: Vec<(Vec<u64>, usize)>) {
    for (numbers, lost) in got {
        assert_eq!((&numbers[..301], lost), (&(1..=301).collect::<Vec<_>>()[..], 0));
    }
}

/// In order, nothing twice, and where something is missing that was said.
fn came_or_was_told(got: Vec<(Vec<u64>, usize)>) {
    for (numbers, lost) in got {
        assert!(numbers.is_sorted_by(|a, b| a < b), "{numbers:?}");
        assert!((1..=3).contains(&lost), "{lost} times, {numbers:?}");
        assert!(numbers.len() >= 99, "{numbers:?}");
    }
}

async fn a_network_that_is_cut_costs_no_message(kind: Kind) {
    let Some(redis) = Redis::start() else { return };
    let proxy = Proxy::to(&redis);
    let fails = |number| match number {
        50 | 150 => proxy.cut(),
        100 | 200 => proxy.mend(),
        _ => {}
    };
    came_whole(stream(kind, &redis, proxy.url(), false, fails).await);
}

async fn links_that_are_killed_cost_no_message(kind: Kind) {
    let Some(redis) = Redis::start() else { return };
    let fails = |number| {
        if number % 50 == 7 {
            redis.client_kill_all();
        }
    };
    came_whole(stream(kind, &redis, &redis.url(), false, fails).await);
}

async fn a_redis_that_is_killed_and_comes_back_empty_is_told(kind: Kind) {
    let Some(redis) = Redis::start() else { return };
    let fails = |number| {
        if number == 100 {
            redis.kill();
            redis.restart();
        }
    };
    came_or_was_told(stream(kind, &redis, &redis.url(), true, fails).await);
}

async fn a_redis_that_keeps_its_data_is_told_to_be_another(kind: Kind) {
    let Some(redis) = Redis::options().append_only().start() else { return };
    let fails = |number| {
        if number == 100 {
            redis.kill();
            redis.restart();
        }
    };
    came_or_was_told(stream(kind, &redis, &redis.url(), true, fails).await);
}

async fn a_redis_that_is_flushed_is_told(kind: Kind) {
    let Some(redis) = Redis::start() else { return };
    let fails = |number| {
        if number == 100 {
            redis.cli(&["FLUSHALL"]);
        }
    };
    came_or_was_told(stream(kind, &redis, &redis.url(), true, fails).await);
}

/// More than a page of the store has room for.
async fn a_member_that_comes_back_gets_many_large_messages(kind: Kind) {
    let Some(redis) = Redis::start() else { return };
    let site = Site::at(kind, &redis.url());
    let mut client = site.server.connect("/ws").await;
    site.say(1).await;
    assert_eq!(until(&mut client, 1, false).await, (vec![1], 0));
    let page = site.channels.history(&room(), narrows::HistoryRange::newest(1)).await.unwrap();
    let at = page.top;
    let other = Site::at(kind, &redis.url());
    for number in 2..=90 {
        let said = Said { number, text: "x".repeat(30_000) };
        other.channels.broadcast(&room(), &said).await.unwrap();
    }
    assert_eq!(until(&mut client, 90, false).await.0.len(), 89);
    client.send(&Position { offset: at.offset + 60, ..at }).await;
    let (numbers, lost) = until(&mut client, 90, false).await;
    assert_eq!((numbers, lost), ((62..=90).collect(), 0));
}
