//! One of a node's connections is lost, and the others are not.

use narrows_redis::Kind;
use rig::{Redis, wait_until};

use crate::nodes::{Node, fresh_group, on_both_layers};
use crate::tap::{Part, Tap};

on_both_layers! {
    a_lost_link_for_commands_is_noticed_while_nobody_asks_and_costs_no_message,
    a_lost_link_for_messages_is_noticed_while_nobody_says_anything,
    a_node_that_is_gone_closes_its_connections,
}

async fn a_lost_link_for_commands_is_noticed_while_nobody_asks_and_costs_no_message(kind: Kind) {
    let Some(redis) = Redis::start() else { return };
    let tap = Tap::to(redis.port()).await;
    let (node, other, group) = (Node::at(kind, &tap.url()), Node::at(kind, &redis.url()), fresh_group());
    node.subscribe(&group).await.unwrap();
    other.publish(&group, 1).await.unwrap();
    node.hears(&group, 1).await;
    let before = tap.connections();
    tap.lose(Part::Commands);
    wait_until("another connection", || tap.connections() > before);
    other.publish(&group, 2).await.unwrap();
    node.hears(&group, 2).await;
    tap.mend();
    node.publish_at_last(&group, 3).await;
    node.hears(&group, 3).await;
    assert_eq!(node.gaps(), 0);
}

async fn a_lost_link_for_messages_is_noticed_while_nobody_says_anything(kind: Kind) {
    let Some(redis) = Redis::start() else { return };
    let tap = Tap::to(redis.port()).await;
    let (node, group) = (Node::at(kind, &tap.url()), fresh_group());
    node.subscribe(&group).await.unwrap();
    node.publish(&group, 1).await.unwrap();
    node.hears(&group, 1).await;
    let before = tap.connections();
    tap.lose(Part::Messages);
    wait_until("another connection", || tap.connections() > before);
    node.publish(&group, 2).await.expect("the link for commands is well");
    tap.mend();
    node.gaps_reach(1).await;
    node.publish(&group, 3).await.unwrap();
    node.hears(&group, 3).await;
    assert!(node.gaps() <= 2, "{}", node.gaps());
}

async fn a_node_that_is_gone_closes_its_connections(kind: Kind) {
    let Some(redis) = Redis::start() else { return };
    let (node, group) = (Node::at(kind, &redis.url()), fresh_group());
    node.subscribe(&group).await.unwrap();
    drop(node);
    wait_until("the connections to be closed", || redis.cli(&["CLIENT", "LIST"]).lines().count() == 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pubsub_keeps_its_subscriptions_when_only_other_clients_are_killed() {
    let Some(redis) = Redis::start() else { return };
    let (node, group) = (Node::at(Kind::PubSub, &redis.url()), fresh_group());
    node.subscribe(&group).await.unwrap();
    redis.cli(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]);
    node.publish_at_last(&group, 1).await;
    node.hears(&group, 1).await;
    assert_eq!(node.gaps(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pubsub_goes_on_publishing_when_only_subscribers_are_killed() {
    let Some(redis) = Redis::start() else { return };
    let (node, group) = (Node::at(Kind::PubSub, &redis.url()), fresh_group());
    node.subscribe(&group).await.unwrap();
    assert_eq!(redis.cli(&["CLIENT", "KILL", "TYPE", "pubsub"]), "1");
    node.publish(&group, 1).await.expect("the link for publishing is well");
    node.gaps_reach(1).await;
    node.publish(&group, 2).await.unwrap();
    node.hears(&group, 2).await;
    assert_eq!(node.gaps(), 1);
}
