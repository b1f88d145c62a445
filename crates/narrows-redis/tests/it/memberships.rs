//! Subscriptions and memberships through outages: they return, and none stays behind.

use narrows_core::Topic;
use narrows_redis::Kind;
use rig::{Proxy, Redis, wait_until};

use crate::nodes::{Node, fresh_group, on_both_layers, options};

on_both_layers! {
    two_thousand_subscriptions_return_after_a_restart,
    joining_and_leaving_while_the_network_is_cut,
    joining_and_leaving_while_the_network_loses_everything,
}

/// Asked for with so many calls at once.
const MANY: usize = 2000;

async fn two_thousand_subscriptions_return_after_a_restart(kind: Kind) {
    let Some(redis) = Redis::start() else { return };
    let node = Node::at(kind, &redis.url());
    let groups: Vec<Topic> = std::iter::repeat_with(fresh_group).take(MANY).collect();
    for groups in groups.chunks(200) {
        let subscribed =
            futures_util::future::join_all(groups.iter().map(|group| node.subscribe(group))).await;
        assert!(subscribed.iter().all(Result::is_ok));
    }
    assert_eq!(members(kind, &redis), MANY);
    redis.restart();
    node.gaps_reach(1).await;
    assert_eq!(members(kind, &redis), MANY);
    assert_eq!(node.gaps(), 1, "one notice says as much as many");
    for group in [&groups[0], &groups[MANY / 2], &groups[MANY - 1]] {
        node.publish_at_last(group, 1).await;
        node.hears(group, 1).await;
    }
}

/// How many groups somebody is in.
fn members(kind: Kind, redis: &Redis) -> usize {
    match kind {
        Kind::PubSub => redis.reply(&["PUBSUB", "CHANNELS", "asgi__group__*"]).items().len(),
        Kind::Core => redis.reply(&["KEYS", "asgi:group:*"]).items().len(),
    }
}

async fn joining_and_leaving_while_the_network_is_cut(kind: Kind) {
    let Some(redis) = Redis::start() else { return };
    let proxy = Proxy::to(&redis);
    join_and_leave(kind, &redis, &proxy, Proxy::cut).await;
}

async fn joining_and_leaving_while_the_network_loses_everything(kind: Kind) {
    let Some(redis) = Redis::start() else { return };
    let proxy = Proxy::to(&redis);
    join_and_leave(kind, &redis, &proxy, Proxy::blackhole).await;
}

async fn join_and_leave(kind: Kind, redis: &Redis, proxy: &Proxy, breaks: fn(&Proxy)) {
    let node = Node::at(kind, proxy.url());
    let [stays, left, joined, later] = std::array::from_fn(|_| fresh_group());
    node.subscribe(&stays).await.unwrap();
    node.subscribe(&left).await.unwrap();
    assert_eq!([&stays, &left].map(|group| is_member(kind, redis, group)), [true, true]);
    breaks(proxy);
    node.subscribe(&joined).await.expect_err("redis is away");
    node.subscribe(&later).await.expect_err("redis is away");
    node.unsubscribe(&left).await.expect("nothing is left to be done for the caller");
    proxy.mend();
    node.subscribe_at_last(&later).await;
    wait_until("only what is wanted to be there", || {
        let members = [&stays, &left, &joined, &later].map(|group| is_member(kind, redis, group));
        members == [true, false, false, true]
    });
    node.publish_at_last(&later, 1).await;
    node.hears(&later, 1).await;
}

fn is_member(kind: Kind, redis: &Redis, group: &Topic) -> bool {
    match kind {
        Kind::PubSub => {
            let name = format!("asgi__group__{}", group.name());
            !redis.reply(&["PUBSUB", "CHANNELS", &name]).items().is_empty()
        }
        Kind::Core => {
            let key = format!("asgi:group:{}", group.name());
            !redis.reply(&["ZRANGE", &key, "0", "-1"]).items().is_empty()
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn core_pays_what_it_owes_though_only_the_link_for_commands_was_away() {
    let Some(redis) = Redis::start() else { return };
    let tap = crate::tap::Tap::to(redis.port()).await;
    let (node, group) = (Node::at(Kind::Core, &tap.url()), fresh_group());
    node.subscribe(&group).await.unwrap();
    tap.lose(crate::tap::Part::Commands);
    node.unsubscribe(&group).await.expect("nothing is left to be done for the caller");
    assert!(is_member(Kind::Core, &redis, &group));
    tap.mend();
    wait_until("the member to be gone", || !is_member(Kind::Core, &redis, &group));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn core_is_back_in_its_groups_after_somebody_emptied_redis_and_tells_of_the_gap() {
    let Some(redis) = Redis::start() else { return };
    let (group, expiry) = (fresh_group(), std::time::Duration::from_secs(2));
    let node = Node::new(Kind::Core, options(&redis.url()).group_expiry(expiry));
    node.subscribe(&group).await.unwrap();
    redis.cli(&["FLUSHALL"]);
    node.publish(&group, 1).await.unwrap();
    node.gaps_reach(1).await;
    node.publish(&group, 2).await.unwrap();
    node.hears(&group, 2).await;
    assert_eq!((node.numbers(&group), node.gaps()), (vec![2], 1));
}
