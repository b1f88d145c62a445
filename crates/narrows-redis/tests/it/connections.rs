//! Each way to name a Redis, on both layers: two nodes hear each other by it.

use narrows_core::Topic;
use narrows_redis::Kind;
use rig::{Redis, RedisOptions, Sentinels};

use crate::nodes::{Node, exchange, fresh_group, on_both_layers, options};

on_both_layers! {
    a_host_and_a_port,
    a_password,
    a_password_with_all_that_a_url_escapes,
    an_acl_user,
    a_unix_socket_with_a_password_and_a_database,
    a_unix_socket_alone,
    several_hosts_of_which_one_is_down,
    sentinels_of_which_one_is_down_and_which_ask_for_a_password,
}

async fn a_host_and_a_port(kind: Kind) {
    works(kind, Redis::options(), Redis::url).await;
}

async fn a_password(kind: Kind) {
    works(kind, Redis::options().password("secret"), Redis::url).await;
}

async fn a_password_with_all_that_a_url_escapes(kind: Kind) {
    let url = |redis: &Redis| format!("redis://:%40%2F%3F%23%25%20%3A@127.0.0.1:{}", redis.port());
    works(kind, Redis::options().password("@/?#% :"), url).await;
}

async fn an_acl_user(kind: Kind) {
    let options = Redis::options().password("other").acl_user("narrows", "secret", "~* &* +@all");
    works(kind, options, |redis| redis.url_as("narrows", "secret")).await;
}

async fn a_unix_socket_with_a_password_and_a_database(kind: Kind) {
    let url = |redis: &Redis| format!("unix://:secret@{}?db=3", redis.socket_path().display());
    works(kind, Redis::options().password("secret"), url).await;
}

async fn a_unix_socket_alone(kind: Kind) {
    works(kind, Redis::options().unix_socket(), Redis::url).await;
}

async fn works(kind: Kind, redis: RedisOptions, url: impl Fn(&Redis) -> String) {
    let Some(redis) = redis.start() else { return };
    let url = url(&redis);
    exchange(&Node::at(kind, &url), &Node::at(kind, &url)).await;
}

async fn several_hosts_of_which_one_is_down(kind: Kind) {
    let servers: Vec<Redis> = (0..3).map_while(|_| Redis::start()).collect();
    if servers.len() < 3 {
        return;
    }
    let urls: Vec<String> = servers.iter().map(Redis::url).collect();
    let [one, other] = [0; 2].map(|_| Node::at(kind, &urls.join(",")));
    let groups: Vec<Topic> = std::iter::repeat_with(fresh_group).take(30).collect();
    for group in &groups {
        one.subscribe(group).await.unwrap();
    }
    servers[1].kill();
    let mut gone = Vec::new();
    for group in &groups {
        match other.publish(group, 1).await {
            Ok(()) => one.hears(group, 1).await,
            Err(_) => gone.push(group),
        }
    }
    assert!((1..groups.len()).contains(&gone.len()), "{} of {}", gone.len(), groups.len());
    assert_eq!(one.gaps(), 0);
    servers[1].restart();
    one.until("a gap of each group there, and of no other", |record| {
        let told = |group: &Topic| record.gaps.iter().any(|(of, _)| of.as_ref() == Some(group));
        groups.iter().all(|group| told(group) == gone.contains(&group))
    })
    .await;
    for group in gone {
        other.publish_at_last(group, 2).await;
        one.hears(group, 2).await;
    }
}

async fn sentinels_of_which_one_is_down_and_which_ask_for_a_password(kind: Kind) {
    let Some(sentinels) = Sentinels::start_with(Redis::options().password("secret")) else { return };
    sentinels.kill_sentinel(0);
    let url = sentinel_url(&sentinels, ":secret@", "?sentinel_password=secret");
    exchange(&Node::at(kind, &url), &Node::at(kind, &url)).await;
}

pub(crate) fn sentinel_url(sentinels: &Sentinels, user: &str, query: &str) -> String {
    let ports: Vec<String> = sentinels.ports().iter().map(|port| format!("127.0.0.1:{port}")).collect();
    format!("redis+sentinel://{user}{}/{}{query}", ports.join(","), Sentinels::MASTER)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn core_keeps_its_databases_apart_and_pubsub_knows_none() {
    let Some(redis) = Redis::start() else { return };
    let url = |db: u8| format!("{}{db}", redis.url());
    for kind in [Kind::PubSub, Kind::Core] {
        let [first, same, other] = [1, 1, 2].map(|db| Node::at(kind, &url(db)));
        let group = fresh_group();
        for node in [&first, &other] {
            node.subscribe(&group).await.unwrap();
        }
        same.publish(&group, 1).await.unwrap();
        first.hears(&group, 1).await;
        match kind {
            Kind::PubSub => other.hears(&group, 1).await,
            Kind::Core => {
                other.publish(&group, 2).await.unwrap();
                other.hears(&group, 2).await;
                assert_eq!((first.numbers(&group), other.numbers(&group)), (vec![1], vec![2]));
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_made_before_its_redis_works_once_that_is_there() {
    let Some(redis) = Redis::start() else { return };
    redis.kill();
    for kind in [Kind::PubSub, Kind::Core] {
        let node = Node::new(kind, options(&redis.url()));
        node.publish(&fresh_group(), 1).await.expect_err("redis is not there");
        node.subscribe(&fresh_group()).await.expect_err("redis is not there");
        redis.restart();
        let group = fresh_group();
        node.subscribe_at_last(&group).await;
        node.publish_at_last(&group, 2).await;
        node.hears(&group, 2).await;
        redis.kill();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_only_publishes_has_one_connection_and_a_node_has_two() {
    let Some(redis) = Redis::start() else { return };
    // That of the test is among them.
    let connections = || redis.cli(&["CLIENT", "LIST"]).lines().count() - 1;
    for kind in [Kind::PubSub, Kind::Core] {
        let (node, group) = (Node::at(kind, &redis.url()), fresh_group());
        node.publish(&group, 1).await.unwrap();
        assert_eq!(connections(), 1);
        node.subscribe(&group).await.unwrap();
        node.publish(&group, 2).await.unwrap();
        node.hears(&group, 2).await;
        assert_eq!(connections(), 2);
        drop(node);
        rig::wait_until("the node to be gone", || connections() == 0);
    }
}
