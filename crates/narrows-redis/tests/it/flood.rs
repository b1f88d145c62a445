//! More comes than a node takes: its link does not suffer.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use axum::Extension;
use narrows::testing::TestServer;
use narrows::{Capacity, Channels, Close, Connection, Consumer, DropReason, Gap, Group, Reject};
use narrows_redis::{Kind, RedisLayer};
use rig::{Redis, wait_until};
use serde::{Deserialize, Serialize};

use crate::nodes::{Node, on_both_layers, options};

on_both_layers! {
    a_shard_that_is_blocked_costs_no_link,
}

/// So much comes meanwhile: twice what Redis lets wait for a subscriber.
const MESSAGES: u64 = 64;
const BYTES: usize = 1 << 20;

#[derive(Serialize, Deserialize)]
#[serde(tag = "type", rename = "big")]
struct Big {
    text: String,
}

/// A handler that blocks its thread, as none should, until it is let go; and what it saw.
#[derive(Clone, Default)]
struct Gate(Arc<Seen>);

#[derive(Default)]
struct Seen {
    blocks: AtomicBool,
    open: Mutex<bool>,
    opened: Condvar,
    big: AtomicU64,
    reconnected: AtomicU64,
}

struct Blocking(Gate);

enum Event {
    Big(Big),
    Gap(Gap),
}

impl Consumer for Blocking {
    type Scope = Extension<Gate>;
    type In = Big;
    type Out = Big;
    type Event = Event;

    async fn connect(Extension(gate): Self::Scope, conn: &mut Connection<Self>) -> Result<Self, Reject> {
        conn.listen_gaps().await;
        conn.listen(&Group::<Big>::new("big")?).await?;
        Ok(Self(gate))
    }

    async fn receive(&mut self, _: Big, _: &mut Connection<Self>) -> Result<(), Close> {
        let Gate(seen) = &self.0;
        let open = seen.open.lock().unwrap();
        seen.blocks.store(true, Ordering::SeqCst);
        drop(seen.opened.wait_while(open, |open| !*open).unwrap());
        Ok(())
    }

    async fn event(&mut self, event: Event, _: &mut Connection<Self>) -> Result<(), Close> {
        let Gate(seen) = &self.0;
        match event {
            Event::Big(big) if big.text.len() == BYTES => drop(seen.big.fetch_add(1, Ordering::SeqCst)),
            Event::Gap(Gap::Reconnected) => drop(seen.reconnected.fetch_add(1, Ordering::SeqCst)),
            Event::Big(_) | Event::Gap(_) => {}
        }
        Ok(())
    }
}

impl From<Big> for Event {
    fn from(big: Big) -> Self {
        Self::Big(big)
    }
}

impl From<Gap> for Event {
    fn from(gap: Gap) -> Self {
        Self::Gap(gap)
    }
}

async fn a_shard_that_is_blocked_costs_no_link(kind: Kind) {
    let Some(redis) = Redis::start() else { return };
    // Nothing is to be noticed but what is looked for here, however busy the machine is.
    let patient = || options(&redis.url()).answer_timeout(Duration::from_secs(20));
    let layer = RedisLayer::new(kind, patient()).unwrap();
    let channels = Channels::builder().layer(layer).shards(1).build();
    let gate = Gate::default();
    let route = channels.consumer::<Blocking>().inbox(Capacity::default().max_bytes(BYTES * 100)).route();
    let app = axum::Router::new().route("/ws", route).layer(Extension(gate.clone()));
    let mut client = TestServer::new(app).connect("/ws").await;
    client.send(&Big { text: String::new() }).await;
    wait_until("the handler to block its shard", || gate.0.blocks.load(Ordering::SeqCst));

    let publisher = Node::new(kind, patient());
    let group = Group::<Big>::new("big").unwrap().topic();
    let big = narrows_redis::PayloadFormat::MsgPack.encode(&Big { text: "x".repeat(BYTES) }).unwrap();
    publisher.publish_bytes(&group, big.clone()).await.unwrap();
    let links = links(&redis);
    for _ in 1..MESSAGES {
        publisher.publish_bytes(&group, big.clone()).await.unwrap();
    }
    wait_until("redis to be rid of all of it", || waiting(kind, &redis) == 0);
    assert_eq!(self::links(&redis), links);

    *gate.0.open.lock().unwrap() = true;
    gate.0.opened.notify_all();
    wait_until("all of it to be delivered, or counted as dropped", || {
        let stats = channels.stats();
        let dropped = stats.dropped(DropReason::Inbox) + stats.dropped(DropReason::ShardBacklog);
        stats.delivered + dropped == MESSAGES && gate.0.big.load(Ordering::SeqCst) > 0
    });
    assert_eq!(gate.0.reconnected.load(Ordering::SeqCst), 0);
    assert_eq!(publisher.gaps(), 0);
}

/// Which connections there are but that of the test.
fn links(redis: &Redis) -> Vec<String> {
    let list = redis.cli(&["CLIENT", "LIST"]);
    let ids =
        list.lines().filter(|line| !line.contains("cmd=client")).filter_map(|line| line.split(' ').next());
    ids.map(str::to_owned).collect()
}

/// What Redis holds for others: bytes, or messages.
fn waiting(kind: Kind, redis: &Redis) -> usize {
    match kind {
        Kind::PubSub => {
            let list = redis.cli(&["CLIENT", "LIST", "TYPE", "pubsub"]);
            let bytes = list.split_whitespace().filter_map(|field| field.strip_prefix("omem="));
            bytes.map(|bytes| bytes.parse::<usize>().unwrap()).sum()
        }
        Kind::Core => redis.reply(&["KEYS", "asginarrows.*!"]).items().len(),
    }
}
