//! What may be used once only, over all nodes, and what ends that.

use std::time::Duration;

use narrows_core::{ChannelLayer, ClaimStore, LayerError};
use narrows_redis::Kind;
use rig::{Cluster, Redis};

use crate::nodes::{Node, at_last, fresh_name, on_both_layers, options};
use crate::rights::denied;

on_both_layers! {
    the_first_on_any_node_has_it,
    what_was_revoked_cannot_be_claimed,
    a_claim_and_a_revocation_end_with_their_time,
    a_redis_that_is_away_is_an_error,
}

const LONG: Duration = Duration::from_secs(60);

fn claims(node: &Node) -> ClaimStore {
    node.layer.claims().expect("it has claims")
}

async fn the_first_on_any_node_has_it(kind: Kind) {
    let Some(servers) = (0..2).map(|_| Redis::start()).collect::<Option<Vec<_>>>() else { return };
    let urls = servers.iter().map(Redis::url).collect::<Vec<_>>().join(",");
    let nodes = [0; 4].map(|_| Node::at(kind, &urls));
    for _ in 0..20 {
        let id = fresh_name();
        let claiming = nodes.each_ref().map(|node| {
            let (claims, id) = (claims(node), id.clone());
            tokio::spawn(async move { claims.claim(&id, &[], LONG).await.unwrap() })
        });
        let claimed = futures_util::future::join_all(claiming).await;
        assert_eq!(claimed.into_iter().filter(|claimed| *claimed.as_ref().unwrap()).count(), 1);
    }
}

async fn what_was_revoked_cannot_be_claimed(kind: Kind) {
    let Some(redis) = Redis::start() else { return };
    let nodes = [0; 2].map(|_| Node::at(kind, &redis.url()));
    revokes(&claims(&nodes[0]), &claims(&nodes[1])).await;
}

async fn revokes(one: &ClaimStore, other: &ClaimStore) {
    let [id, end, else_] = [0; 3].map(|_| format!("{{odd}} }}\0 {}", fresh_name()));
    let ends: Vec<String> = (0..1000).map(|n| format!("{end}{n}")).collect();
    one.revoke(&ends, LONG).await.unwrap();
    assert!(!other.claim(&id, &[else_.clone(), ends[999].clone()], LONG).await.unwrap());
    // Nothing was claimed by that, and an id that is revoked can be claimed itself.
    assert!(other.claim(&id, std::slice::from_ref(&else_), LONG).await.unwrap());
    assert!(other.claim(&ends[0], std::slice::from_ref(&id), LONG).await.unwrap());
    one.revoke(&[], LONG).await.unwrap();
}

async fn a_claim_and_a_revocation_end_with_their_time(kind: Kind) {
    let Some(redis) = Redis::start() else { return };
    let (node, end) = (Node::at(kind, &redis.url()), fresh_name());
    let claims = claims(&node);
    let ends = [end.clone(), fresh_name()];
    claims.revoke(&ends[..1], LONG).await.unwrap();
    // A shorter time does not end a longer one sooner.
    claims.revoke(&ends, Duration::from_millis(50)).await.unwrap();
    assert!(claims.claim("a", &[], Duration::from_millis(50)).await.unwrap());
    assert!(claims.claim("forever", &[], Duration::MAX).await.unwrap());
    rig::wait_until("two keys to be left", || redis.cli(&["DBSIZE"]).trim().ends_with('2'));
    assert!(claims.claim("a", &ends[1..], LONG).await.unwrap());
    assert!(!claims.claim("b", &ends[..1], LONG).await.unwrap());
    assert!(!claims.claim("forever", &[], LONG).await.unwrap());
}

async fn a_redis_that_is_away_is_an_error(kind: Kind) {
    let Some(redis) = Redis::start() else { return };
    let node = Node::at(kind, &redis.url());
    let claims = claims(&node);
    assert!(claims.claim("a", &[], LONG).await.unwrap());
    redis.kill();
    let error = claims.claim("b", &[], LONG).await.unwrap_err();
    assert!(matches!(error, LayerError::Unavailable(_)), "{error:?}");
    drop(node);
    at_last("a word of the layer's end", async || match claims.claim("b", &[], LONG).await {
        Err(LayerError::Closed) => Ok(()),
        other => Err(other),
    })
    .await;
}

/// What docs/deploying.md lists, each of which is needed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_rights_listed_suffice_and_each_is_needed() {
    let rights = ["evalsha", "script|load", "exists", "set", "pttl"];
    let user = |without: &str| format!("without-{}", without.replace('|', "-"));
    let users = rights.into_iter().chain(["none"]).fold(Redis::options(), |options, without| {
        let rights = rights.iter().filter(|right| **right != without);
        let rules = rights.fold("~asgi* +ping".to_owned(), |rules, right| format!("{rules} +{right}"));
        options.acl_user(&user(without), "secret", &rules)
    });
    let Some(redis) = users.start() else { return };
    for without in rights.into_iter().chain(["none"]) {
        redis.cli(&["SCRIPT", "FLUSH"]);
        let node = Node::at(Kind::PubSub, &redis.url_as(&user(without), "secret"));
        let ends = [fresh_name()];
        let done = [
            claims(&node).claim(&fresh_name(), &ends, LONG).await.map(drop),
            claims(&node).revoke(&ends, LONG).await,
        ];
        assert_eq!(done.iter().all(Result::is_ok), without == "none", "without {without}");
        let denied = denied(&redis, &user(without));
        assert!(denied.iter().all(|right| right == without), "{denied:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_has_them_too() {
    let Some(cluster) = Cluster::start() else { return };
    let seeds: Vec<String> =
        cluster.nodes().iter().map(|node| format!("127.0.0.1:{}", node.port())).collect();
    for prefix in ["asgi", "with {tag}"] {
        let node =
            Node::new(Kind::PubSub, options(&format!("redis+cluster://{}", seeds.join(","))).prefix(prefix));
        revokes(&claims(&node), &claims(&node)).await;
    }
}
