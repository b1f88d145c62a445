//! A connection that was cut off on one node goes on on another.

use axum::Router;
use narrows::testing::{NarrowsClient, TestServer};
use narrows::{Channels, Close, Connection, Consumer, Group, Identity, NoEvent, Reject, Resume};
use narrows_redis::{Kind, RedisLayer};
use rig::Redis;
use serde_json::{Value, json};

use crate::nodes::{PATIENCE, on_both_layers, options};

on_both_layers! {
    a_connection_goes_on_on_another_node_once,
    who_was_logged_out_meanwhile_does_not_go_on,
}

/// A consumer that counts, in a room.
struct Counter(u64);

impl Consumer for Counter {
    type Scope = ();
    type In = Value;
    type Out = Value;
    type Event = NoEvent;

    async fn connect((): (), conn: &mut Connection<Self>) -> Result<Self, Reject> {
        Self::resume(0, conn).await
    }

    async fn receive(&mut self, _: Value, conn: &mut Connection<Self>) -> Result<(), Close> {
        self.0 += 1;
        conn.renew_token();
        Ok(conn.reply(&self.0)?)
    }
}

impl Resume for Counter {
    type Saved = u64;

    fn save(&self) -> u64 {
        self.0
    }

    async fn resume(count: u64, conn: &mut Connection<Self>) -> Result<Self, Reject> {
        conn.join(&room()).await?;
        Ok(Self(count))
    }
}

fn room() -> Group<Value> {
    Group::new("room.of-all").expect("the name is legal")
}

fn nodes(kind: Kind, redis: &Redis) -> [(Channels, TestServer); 2] {
    [0; 2].map(|_| {
        let layer = RedisLayer::new(kind, options(&redis.url())).expect("the options are right");
        let channels = Channels::builder().layer(layer).secret_key("of all nodes").shards(1).build();
        let route = channels.consumer::<Counter>().resumable().route();
        let server = TestServer::new(Router::new().route("/ws", route));
        (channels, server.answer_timeout(PATIENCE).receive_timeout(PATIENCE))
    })
}

async fn count(client: &mut NarrowsClient) -> u64 {
    let count = client.request(&json!({"type": "count"})).await.unwrap();
    client.settle().await;
    count.as_u64().unwrap()
}

async fn a_connection_goes_on_on_another_node_once(kind: Kind) {
    let Some(redis) = Redis::start() else { return };
    let [(here, one), (_there, two)] = nodes(kind, &redis);
    let mut ada = one.connect_request("/ws").narrows().connect().await;
    assert_eq!(count(&mut ada).await, 1);
    let away = ada.cut();
    let mut ada = away.clone().to(&two).connect().await;
    assert_eq!((ada.is_resumed(), count(&mut ada).await), (true, 2));
    here.broadcast(&room(), &json!({"type": "news"})).await.unwrap();
    ada.expect(&json!({"type": "news"})).await;
    for server in [&one, &two] {
        assert!(!away.clone().to(server).connect().await.is_resumed());
    }
}

async fn who_was_logged_out_meanwhile_does_not_go_on(kind: Kind) {
    let Some(redis) = Redis::start() else { return };
    let [(here, one), (_there, two)] = nodes(kind, &redis);
    let connect = async |user: &str| {
        let identity = Identity::new().with_session(format!("session-of-{user}")).with_user(user);
        one.connect_request("/ws").extension(identity).narrows().connect().await.cut().to(&two)
    };
    let (ada, bob, eve) = (connect("ada").await, connect("bob").await, connect("eve").await);
    here.end_session("session-of-ada").await.unwrap();
    here.end_user("bob").await.unwrap();
    let resumed = [ada.connect().await, bob.connect().await, eve.connect().await].map(|c| c.is_resumed());
    assert_eq!(resumed, [false, false, true]);
}
