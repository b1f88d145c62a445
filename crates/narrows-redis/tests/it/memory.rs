//! Redis has no memory left, or has forgotten the scripts.

use narrows_core::LayerError;
use narrows_redis::Kind;
use rig::Redis;

use crate::nodes::{Node, exchange, fresh_group, said};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pubsub_is_not_concerned_when_the_memory_is_full() {
    let Some(redis) = Redis::options().maxmemory(1, "noeviction").start() else { return };
    let [one, other] = [0; 2].map(|_| Node::at(Kind::PubSub, &redis.url()));
    exchange(&one, &other).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn core_says_what_redis_says_when_the_memory_is_full_and_goes_on_afterwards() {
    let Some(redis) = Redis::start() else { return };
    let [one, other] = [0; 2].map(|_| Node::at(Kind::Core, &redis.url()));
    exchange(&one, &other).await;
    let group = fresh_group();
    one.subscribe(&group).await.unwrap();
    redis.cli(&["CONFIG", "SET", "maxmemory", "1"]);
    for refused in [one.publish(&group, 1).await, one.subscribe(&fresh_group()).await] {
        let error = refused.expect_err("the memory is full");
        assert!(matches!(error, LayerError::Refused(_)) && said(&error).contains("OOM"), "{}", said(&error));
    }
    redis.cli(&["CONFIG", "SET", "maxmemory", "0"]);
    exchange(&one, &other).await;
    assert_eq!(one.gaps() + other.gaps(), 0, "the links were well all the time");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn core_is_back_in_its_groups_once_there_is_memory_for_them() {
    let Some(redis) = Redis::start() else { return };
    let (node, group) = (Node::at(Kind::Core, &redis.url()), fresh_group());
    node.subscribe(&group).await.unwrap();
    redis.cli(&["FLUSHALL"]);
    redis.cli(&["CONFIG", "SET", "maxmemory", "1"]);
    let connections = connections(&redis);
    redis.client_kill_all();
    // It is connected again, and is not let into its group.
    node.gaps_reach(1).await;
    redis.cli(&["CONFIG", "SET", "maxmemory", "0"]);
    node.gaps_reach(2).await;
    node.publish_at_last(&group, 1).await;
    node.hears(&group, 1).await;
    // Those of the test are in it.
    let made = self::connections(&redis) - connections;
    assert!(made < 20, "{made} connections");
}

fn connections(redis: &Redis) -> u64 {
    let stats = redis.cli(&["INFO", "stats"]);
    let count = stats.lines().find_map(|line| line.strip_prefix("total_connections_received:"));
    count.and_then(|count| count.trim().parse().ok()).expect("redis counts them")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn core_brings_its_script_again_when_redis_has_forgotten_it() {
    let Some(redis) = Redis::start() else { return };
    let [one, other] = [0; 2].map(|_| Node::at(Kind::Core, &redis.url()));
    exchange(&one, &other).await;
    redis.cli(&["SCRIPT", "FLUSH"]);
    exchange(&one, &other).await;
}
