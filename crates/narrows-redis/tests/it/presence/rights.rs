//! What an ACL user must be allowed for presence: what docs/deploying.md lists suffices, and each of it is needed.

use std::time::Duration;

use narrows_core::{Absence, PresenceEntry};
use narrows_redis::Kind;
use rig::Redis;
use serde_json::json;

use super::{LONG, Present, RIGHTS};
use crate::nodes::{fresh_name, options};
use crate::rights::denied;

fn rules(without: &str) -> String {
    let rights = RIGHTS.iter().filter(|right| **right != without);
    rights.fold("~asgi* &asgi* +ping".to_owned(), |rules, right| format!("{rules} +{right}"))
}

fn user_without(right: &str) -> String {
    format!("without-{}", right.replace('|', "-"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_rights_listed_suffice() {
    let Some(redis) = Redis::options().acl_user("narrows", "secret", &rules("")).start() else { return };
    for kind in [Kind::PubSub, Kind::Core] {
        do_all(kind, &redis, "narrows").await;
    }
    assert!(denied(&redis, "narrows").is_empty(), "{:?}", denied(&redis, "narrows"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_right_listed_is_needed() {
    let users = RIGHTS.iter().fold(Redis::options(), |options, right| {
        options.acl_user(&user_without(right), "secret", &rules(right))
    });
    let Some(redis) = users.start() else { return };
    for right in RIGHTS {
        let user = user_without(right);
        do_all(Kind::PubSub, &redis, &user).await;
        assert_eq!(denied(&redis, &user).into_iter().collect::<Vec<_>>(), [*right]);
    }
}

/// Does all that there is to presence, whatever becomes of it.
async fn do_all(kind: Kind, redis: &Redis, user: &str) {
    redis.cli(&["SCRIPT", "FLUSH"]);
    let options = || options(&redis.url_as(user, "secret")).group_expiry(Duration::from_millis(1));
    let [dies, lives] = [0; 2].map(|_| Present::new(kind, options()));
    let (group, lease) = (fresh_name(), Duration::from_millis(50));
    for node in [&lives, &dies] {
        // What is refused is told, and tried again by none of these.
        let _ = node.try_renew(lease).await;
        for connection in 0..20 {
            let _ = node.try_track(&group, connection, "ada").await;
        }
        let _ = node.store.roster(&group, None, 10).await;
        let _ = node.store.untrack(&group, &node.name, 1, Absence::Away(Duration::from_millis(1))).await;
        let _ = node.store.untrack(&group, &node.name, 2, Absence::Left).await;
        let entry = PresenceEntry { connection: 3, key: "ada".into(), meta: json!(1) };
        let _ = node.store.retrack(&group, &lives.name, &entry).await;
        let _ = node.store.take_changes(&group, Duration::ZERO).await;
        let _ = node.try_track(&group, 4, "eve").await;
    }
    // Longer than the lease, and not as long as four, with which all would be gone.
    tokio::time::sleep(lease * 3 / 2).await;
    let _ = lives.try_renew(LONG).await;
    let _ = lives.try_renew(lease).await;
    let _ = lives.store.take_changes(&group, Duration::ZERO).await;
    for connection in 0..20 {
        let _ = lives.store.untrack(&group, &lives.name, connection, Absence::Left).await;
    }
    let _ = lives.try_renew(lease).await;
}
