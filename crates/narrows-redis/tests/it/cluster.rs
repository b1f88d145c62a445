//! The pub/sub layer on a Redis Cluster.

use narrows_core::conformance::Suite;
use narrows_core::{LayerError, Topic};
use narrows_redis::{CoreLayer, Kind, OptionsError, PubSubLayer};
use rig::{Cluster, Redis};

use crate::nodes::{Node, PATIENCE, exchange, fresh_group, options};

/// What docs/deploying.md lists, of which nobody needs more.
const RIGHTS: &str = "&asgi* +spublish +ssubscribe +sunsubscribe +cluster|slots +ping";

fn start() -> Option<Cluster> {
    Cluster::start_with(Redis::options().acl_user("narrows", "secret", RIGHTS))
}

fn url(ports: impl IntoIterator<Item = u16>) -> String {
    let seeds: Vec<String> = ports.into_iter().map(|port| format!("127.0.0.1:{port}")).collect();
    format!("redis+cluster://narrows:secret@{}", seeds.join(","))
}

fn url_of(cluster: &Cluster) -> String {
    url(cluster.nodes().iter().map(Redis::port))
}

/// The Redis channel of a group.
fn name(group: &Topic) -> String {
    format!("asgi__group__{}", group.name())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_promise_of_a_layer_is_kept() {
    // The suite has channels with names of its own. Its promises have no time limit, so a busy machine breaks none.
    // What histories, presence and claims need is in the tests of rights.
    let rights = format!("{RIGHTS} &conformance.* ~asgi* +@all");
    let redis = Redis::options().acl_user("narrows", "secret", &rights);
    let Some(cluster) = Cluster::start_with(redis) else { return };
    let url = url_of(&cluster);
    let suite = Suite::new(async |count: usize| {
        (0..count)
            .map(|_| PubSubLayer::new(options(&url).answer_timeout(PATIENCE)).expect("the options are right"))
            .collect()
    });
    if let Err(failure) = suite.run().await {
        panic!("{failure}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn subscriptions_follow_a_slot_that_moves() {
    let Some(cluster) = start() else { return };
    let [node, other] = [0; 2].map(|_| Node::at(Kind::PubSub, &url_of(&cluster)));
    let moves = fresh_group();
    // On a server that the slot neither leaves nor comes to.
    let target = cluster.begin_migration(&name(&moves));
    let source = cluster.master_of(&name(&moves)).port();
    let stays = std::iter::repeat_with(fresh_group)
        .find(|group| ![source, target].contains(&cluster.master_of(&name(group)).port()))
        .expect("there is always another name");
    for group in [&moves, &stays] {
        node.subscribe(group).await.unwrap();
        other.publish(group, 1).await.unwrap();
        node.hears(group, 1).await;
    }
    cluster.finish_migration(&name(&moves), target);
    let told = |group: &Topic, record: &crate::nodes::Record| {
        record.gaps.iter().filter(|(of, _)| of.as_ref() == Some(group)).count()
    };
    node.until("the gap of what has moved", |record| told(&moves, record) > 0).await;
    other.publish_at_last(&moves, 2).await;
    other.publish_at_last(&stays, 2).await;
    node.hears(&moves, 2).await;
    node.hears(&stays, 2).await;
    assert!((1..=3).contains(&told(&moves, &node.record())), "{:?}", node.record());
    assert_eq!(told(&stays, &node.record()), 0);
    assert_eq!(node.numbers(&stays), [1, 2]);
    // Who comes now finds it, too.
    exchange(&Node::at(Kind::PubSub, &url([source])), &node).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_takes_over_with_all_subscriptions_and_the_old_master_may_come_back() {
    let Some(cluster) = start() else { return };
    let [node, other] = [0; 2].map(|_| Node::at(Kind::PubSub, &url_of(&cluster)));
    let groups: Vec<Topic> = std::iter::repeat_with(fresh_group).take(30).collect();
    for group in &groups {
        node.subscribe(group).await.unwrap();
        other.publish(group, 1).await.unwrap();
        node.hears(group, 1).await;
    }
    let on = |group: &Topic| cluster.master_of(&name(group)).port();
    let killed = on(&groups[0]);
    let concerned: Vec<&Topic> = groups.iter().filter(|group| on(group) == killed).collect();
    let old = cluster.kill_master_of(&name(&groups[0]));
    let error = other.publish(&groups[0], 2).await.expect_err("its master is away");
    assert!(matches!(error, LayerError::Unavailable(_)), "{error:?}");
    assert_ne!(cluster.wait_for_failover(&name(&groups[0])), old);
    for group in &concerned {
        node.until("the gap of what was there", |record| {
            record.gaps.iter().any(|(of, _)| of.as_ref() == Some(group))
        })
        .await;
    }
    for group in &groups {
        other.publish_at_last(group, 3).await;
        node.hears(group, 3).await;
    }
    let told = node.record().gaps.clone();
    let of_others = told.iter().filter(|(of, _)| !concerned.iter().any(|group| of.as_ref() == Some(group)));
    assert_eq!(of_others.count(), 0, "{told:?}");
    let back = cluster.nodes().iter().find(|server| server.port() == old).expect("it is one of them");
    back.restart();
    cluster.wait_until_ok();
    for group in &groups {
        other.publish(group, 4).await.unwrap();
        node.hears(group, 4).await;
    }
    assert_eq!(node.gaps(), told.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn subscriptions_return_where_a_master_comes_back_before_anybody_takes_over() {
    let Some(cluster) = start() else { return };
    let (node, group) = (Node::at(Kind::PubSub, &url_of(&cluster)), fresh_group());
    node.subscribe(&group).await.unwrap();
    // Alone, it can be master and yet know for a while of no cluster that is well.
    let replica = cluster.replica_of(&name(&group));
    let master = cluster.master_of(&name(&group));
    replica.kill();
    master.restart();
    node.gaps_reach(1).await;
    node.publish_at_last(&group, 1).await;
    node.hears(&group, 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_seed_that_answers_is_enough() {
    let Some(cluster) = start() else { return };
    let silent = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let silent = silent.local_addr().unwrap().port();
    let nobody = cluster.nodes()[5].port();
    cluster.nodes()[5].kill();
    let seeds = [silent, nobody, cluster.nodes()[4].port()];
    exchange(&Node::at(Kind::PubSub, &url(seeds)), &Node::at(Kind::PubSub, &url(seeds))).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn seeds_that_are_no_cluster_are_an_error_in_time() {
    let Some(redis) = Redis::options().acl_user("narrows", "secret", RIGHTS).start() else { return };
    let node = Node::at(Kind::PubSub, &url([redis.port()]));
    for failed in [node.subscribe(&fresh_group()).await, node.publish(&fresh_group(), 1).await] {
        let error = crate::nodes::said(&failed.expect_err("it is no cluster"));
        assert!(error.contains("This instance has cluster support disabled"), "{error}");
    }
}

#[test]
fn core_says_that_it_cannot_use_a_cluster() {
    let error = CoreLayer::new(options("redis+cluster://127.0.0.1:1")).unwrap_err();
    assert!(matches!(error, OptionsError::CoreOnCluster), "{error}");
}
