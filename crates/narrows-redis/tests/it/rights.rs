//! What an ACL user must be allowed: what docs/deploying.md lists suffices, and each of it is needed.

use std::collections::BTreeSet;

use narrows_core::{Channel, ChannelLayer, LayerError};
use narrows_redis::Kind;
use rig::{Redis, Reply, wait_until};
use tokio::time::timeout;

use crate::nodes::{Node, PATIENCE, exchange, fresh_group, on_both_layers, said};

on_both_layers! {
    the_rights_listed_suffice,
    each_right_listed_is_needed,
}

/// All that the layers put into Redis, with the default prefix.
const NAMES: &str = "~asgi* &asgi*";

pub(crate) fn of_layer(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::PubSub => &["publish", "subscribe", "unsubscribe", "ping"],
        Kind::Core => &[
            "zadd",
            "zrem",
            "zrange",
            "zrevrange",
            "zcard",
            "zcount",
            "zremrangebyscore",
            "zpopmin",
            "bzpopmin",
            "expire",
            "exists",
            "get",
            "set",
            "evalsha",
            "script|load",
            "ping",
        ],
    }
}

fn rules(rights: impl Iterator<Item = &'static str>) -> String {
    rights.fold(NAMES.to_owned(), |rules, right| format!("{rules} +{right}"))
}

async fn the_rights_listed_suffice(kind: Kind) {
    let options = Redis::options().acl_user("narrows", "secret", &rules(of_layer(kind).iter().copied()));
    let Some(redis) = options.start() else { return };
    let url = redis.url_as("narrows", "secret");
    exchange(&Node::at(kind, &url), &Node::at(kind, &url)).await;
    let node = Node::at(kind, &url);
    do_all(&node, &redis).await;
    let pings = || calls(&redis, "ping");
    let before = pings();
    wait_until("a look at a quiet link", || pings() > before);
    assert_eq!((denied(&redis, "narrows"), node.gaps()), (BTreeSet::new(), 0));
}

async fn each_right_listed_is_needed(kind: Kind) {
    let users = of_layer(kind).iter().fold(Redis::options(), |options, right| {
        let others = of_layer(kind).iter().copied().filter(|other| other != right);
        options.acl_user(&user_without(right), "secret", &rules(others))
    });
    let Some(redis) = users.start() else { return };
    for right in of_layer(kind) {
        let node = Node::at(kind, &redis.url_as(&user_without(right), "secret"));
        do_all(&node, &redis).await;
        let only = BTreeSet::from([(*right).to_owned()]);
        wait_until(&format!("{right} to be denied"), || denied(&redis, &user_without(right)) == only);
        // Who may not take messages is connected again and again; all else goes on.
        assert!(node.gaps() == 0 || ["bzpopmin", "zpopmin"].contains(right), "without {right}");
    }
}

fn user_without(right: &str) -> String {
    format!("without-{}", right.replace('|', "-"))
}

/// Does all that a layer can do, whatever becomes of it.
async fn do_all(node: &Node, redis: &Redis) {
    let group = fresh_group();
    redis.cli(&["SCRIPT", "FLUSH"]);
    // What a node has left behind that died.
    let dead = format!("narrows.{:032x}!", 0);
    redis.cli(&["ZADD", &format!("asgi:group:{}", group.name()), "9999999999", &format!("{dead}g0")]);
    for number in 0..100 {
        redis.cli(&["ZADD", &format!("asgi{dead}"), "9999999999", &number.to_string()]);
    }
    let check = |answer: Result<(), LayerError>| {
        if let Err(error) = answer {
            assert!(matches!(error, LayerError::Refused(_)), "{error:?}");
            let words =
                ["has no permissions to run the", "The user executing the script can't run this command"];
            assert!(words.iter().any(|words| said(&error).contains(words)), "{}", said(&error));
        }
    };
    check(node.subscribe(&group).await);
    check(node.publish(&group, 1).await);
    check(node.unsubscribe(&group).await);
    let named = Channel::<()>::new("named").expect("the name is legal").topic();
    if let Some(mut queue) = node.layer.open(&named) {
        check(node.publish(&named, 2).await);
        // Without the right to take there is nothing to come.
        let _ = timeout(PATIENCE / 100, queue.take()).await;
        queue.close().await;
    }
}

fn calls(redis: &Redis, command: &str) -> u64 {
    let stats = redis.cli(&["INFO", "commandstats"]);
    let line = stats.lines().find_map(|line| line.strip_prefix(&format!("cmdstat_{command}:calls=")));
    line.and_then(|line| line.split(',').next()?.parse().ok()).unwrap_or(0)
}

/// The commands that were denied to a user.
pub(crate) fn denied(redis: &Redis, user: &str) -> BTreeSet<String> {
    let log = redis.reply(&["ACL", "LOG", "1000"]);
    let field = |entry: &Reply, name: &str| {
        let mut fields = entry.items().chunks(2).filter(|field| field[0].as_bytes() == name.as_bytes());
        fields.next().map(|field| field[1].to_string()).unwrap_or_default()
    };
    let of_user = log.items().iter().filter(|entry| field(entry, "username") == user);
    // Newer ones are told the client's name, which is worth no right.
    of_user.map(|entry| field(entry, "object")).filter(|object| object != "client|setinfo").collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_missing_right_is_told_in_redis_words_and_costs_nothing_else() {
    let options = Redis::options().acl_user("mute", "secret", "&asgi* +subscribe +unsubscribe +ping");
    let options = options.acl_user("deaf", "secret", "&asgi* +publish +ping");
    let Some(redis) = options.start() else { return };
    let [mute, deaf] = ["mute", "deaf"].map(|user| Node::at(Kind::PubSub, &redis.url_as(user, "secret")));
    let group = fresh_group();
    mute.subscribe(&group).await.unwrap();
    for refused in [mute.publish(&group, 1).await, deaf.subscribe(&group).await] {
        let error = refused.expect_err("the right is missing");
        assert!(matches!(error, LayerError::Refused(_)), "{error:?}");
        assert!(said(&error).contains("has no permissions to run the"), "{}", said(&error));
    }
    deaf.publish(&group, 2).await.unwrap();
    mute.hears(&group, 2).await;
    assert_eq!(mute.numbers(&group), [2]);
    assert_eq!((mute.gaps(), deaf.gaps()), (0, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_that_is_not_allowed_is_told_and_subscriptions_come_once_it_is() {
    let Some(redis) = Redis::options().acl_user("narrows", "secret", "&asgi* +@all").start() else { return };
    let (node, group) = (Node::at(Kind::PubSub, &redis.url_as("narrows", "secret")), fresh_group());
    node.subscribe(&group).await.unwrap();
    // Who may no longer have what it has is cut off.
    redis.cli(&["ACL", "SETUSER", "narrows", "resetchannels", "&other*"]);
    redis.wait_for_subscribers(&format!("asgi__group__{}", group.name()), 0);
    wait_until("the subscription to be refused", || !denied(&redis, "narrows").is_empty());
    let error = node.publish(&group, 1).await.expect_err("the name is not allowed");
    assert!(matches!(error, LayerError::Refused(_)), "{error:?}");
    redis.cli(&["ACL", "SETUSER", "narrows", "resetchannels", "&asgi*"]);
    node.gaps_reach(1).await;
    node.publish_at_last(&group, 2).await;
    node.hears(&group, 2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_database_needs_the_right_to_select_it() {
    let rules = |more: &'static str| rules(of_layer(Kind::Core).iter().copied().chain([more]));
    let options = Redis::options().acl_user("with", "secret", &rules("select"));
    let Some(redis) = options.acl_user("without", "secret", &rules("ping")).start() else { return };
    let url = |user: &str| format!("{}1", redis.url_as(user, "secret"));
    exchange(&Node::at(Kind::Core, &url("with")), &Node::at(Kind::Core, &url("with"))).await;
    let node = Node::at(Kind::Core, &url("without"));
    let error = said(&node.publish(&fresh_group(), 1).await.expect_err("the right is missing"));
    assert!(error.contains("has no permissions to run the 'select' command"), "{error}");
}
