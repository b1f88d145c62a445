//! Queues of named channels on the core layer, in trouble.

use std::pin::pin;
use std::time::Duration;

use narrows_core::{Channel, ChannelLayer, Queue, Topic};
use narrows_redis::Kind;
use rig::{Redis, Sentinels, wait_until};
use tokio::time::timeout;

use crate::connections::sentinel_url;
use crate::nodes::{Node, PATIENCE, fresh_name, in_time};

fn named() -> Topic {
    Channel::<()>::new(fresh_name()).expect("the name is legal").topic()
}

fn open(node: &Node, channel: &Topic) -> Queue {
    node.layer.open(channel).expect("the core layer has queues")
}

async fn taken(queue: &mut Queue) -> bytes::Bytes {
    timeout(PATIENCE, queue.take()).await.expect("a message comes").expect("the queue is open")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_came_and_was_not_taken_goes_back_when_the_queue_is_closed() {
    let Some(redis) = Redis::start() else { return };
    let (node, channel) = (Node::at(Kind::Core, &redis.url()), named());
    let key = format!("asgi{}", channel.name());
    let waiting = || redis.cli(&["ZCARD", &key]);
    let mut queue = open(&node, &channel);
    {
        let mut take = pin!(queue.take());
        assert!(timeout(Duration::ZERO, &mut take).await.is_err());
        node.publish(&channel, 1).await.unwrap();
        wait_until("the message to come for who asked", || waiting() == "0");
    }
    in_time(queue.close()).await;
    assert_eq!(waiting(), "1");
    assert_ne!(redis.cli(&["TTL", &key]), "-1", "it is not to stay forever");
    let mut queue = open(&node, &channel);
    taken(&mut queue).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_queue_goes_on_after_a_restart() {
    let Some(redis) = Redis::start() else { return };
    let (node, channel) = (Node::at(Kind::Core, &redis.url()), named());
    let mut queue = open(&node, &channel);
    node.publish(&channel, 1).await.unwrap();
    taken(&mut queue).await;
    redis.kill();
    assert!(timeout(Duration::from_millis(100), queue.take()).await.is_err());
    redis.restart();
    node.publish_at_last(&channel, 2).await;
    taken(&mut queue).await;
    in_time(queue.close()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_queue_follows_a_failover_and_asks_no_sentinel_for_each_message() {
    let Some(sentinels) = Sentinels::start() else { return };
    let proxy = rig::Proxy::to_port(sentinels.ports()[0]);
    let url = format!(
        "redis+sentinel://127.0.0.1:{},{}",
        proxy.port(),
        sentinel_url(&sentinels, "", "").split_off(17)
    );
    let (node, channel) = (Node::at(Kind::Core, &url), named());
    let mut queue = open(&node, &channel);
    for number in 0..100 {
        node.publish(&channel, number).await.unwrap();
        taken(&mut queue).await;
    }
    let asked = proxy.connections();
    assert!(asked < 50, "{asked} questions to a sentinel");
    sentinels.kill_master();
    sentinels.wait_for_failover();
    node.publish_at_last(&channel, 100).await;
    taken(&mut queue).await;
    in_time(queue.close()).await;
}
