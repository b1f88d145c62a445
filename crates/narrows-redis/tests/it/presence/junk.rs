//! What somebody else puts under the keys of a group costs that group what it must, and no other anything.

use std::time::{Duration, Instant};

use narrows_core::{Absence, Taken};
use narrows_redis::Kind;
use rig::Redis;

use super::{LONG, Present, SHORT, keys_of_presence};
use crate::nodes::{fresh_name, on_both_layers, options};

on_both_layers! {
    a_group_that_cannot_be_read_keeps_no_other_from_being_buried,
    a_group_that_cannot_be_read_keeps_no_other_from_living_on,
    a_group_whose_changes_are_gone_is_not_asked_for_again,
}

/// A key of a group, of which somebody is there.
fn key_of(redis: &Redis, kind: &str, group: &str) -> String {
    let people = keys_of_presence(redis).into_iter();
    let people = people.filter(|key| key.contains("presence-people")).find(|key| key.ends_with(group));
    people.expect("somebody is there").replace("presence-people", &format!("presence-{kind}"))
}

async fn a_group_that_cannot_be_read_keeps_no_other_from_being_buried(kind: Kind) {
    let Some(redis) = Redis::start() else { return };
    let [dies, lives] = [0; 2].map(|_| Present::at(kind, &redis.url()));
    let groups: Vec<String> = (0..20).map(|_| fresh_name()).collect();
    dies.renew(SHORT).await;
    for group in &groups {
        dies.track(group, 1, "ada").await;
    }
    // Whichever is taken up first.
    let (spoilt, whole) = groups.split_at(10);
    for group in spoilt {
        redis.cli(&["SET", &key_of(&redis, "away", group), "junk"]);
    }
    drop(dies);
    for group in whole {
        lives.until_count(group, 0).await;
    }
    let begun = Instant::now();
    lives.renew(LONG).await;
    assert!(begun.elapsed() < LONG / 12, "it does not try again and again");
}

async fn a_group_that_cannot_be_read_keeps_no_other_from_living_on(kind: Kind) {
    let Some(redis) = Redis::start() else { return };
    let keep = Duration::from_secs(1);
    let node = Present::new(kind, options(&redis.url()).group_expiry(keep));
    let [spoilt, late, whole] = [0; 3].map(|_| fresh_name());
    node.track(&whole, 1, "ada").await;
    for group in [&spoilt, &late] {
        node.track(group, 1, "ada").await;
        node.let_go(group, 1, Absence::Away(Duration::from_millis(1))).await;
    }
    let away = key_of(&redis, "away", &spoilt);
    redis.cli(&["DEL", &away]);
    redis.cli(&["SET", &away, "junk"]);
    // Time itself is under test: twice as long as keys last.
    let begun = Instant::now();
    while begun.elapsed() < keep * 2 {
        assert!(!node.renew(Duration::from_millis(240)).await.forgotten);
        tokio::time::sleep(Duration::from_millis(80)).await;
    }
    assert_eq!(node.keys(&whole).await, ["ada"]);
    assert_eq!(node.keys(&late).await, [""; 0]);
}

async fn a_group_whose_changes_are_gone_is_not_asked_for_again(kind: Kind) {
    let Some(redis) = Redis::start() else { return };
    let (node, group) = (Present::at(kind, &redis.url()), fresh_name());
    node.track(&group, 1, "ada").await;
    redis.cli(&["DEL", &key_of(&redis, "changes", &group)]);
    assert_eq!(node.take(&group).await, Taken::Nothing);
    let changed = keys_of_presence(&redis).into_iter().find(|key| key.contains("presence-changed"));
    assert_eq!(changed, None);
}
