use std::time::Duration;

use narrows::layer::MemoryLayer;
use narrows::testing::{Faults, FaultyLayer, TestClient};
use serde_json::json;

use super::kit::{Diff, House, Keeper, ask, refusal, track};

/// Two nodes on one bus, of which the first one's link can be cut.
fn two_nodes() -> (House, Faults, House) {
    let layer = MemoryLayer::new();
    let other = House::on(layer.another_node());
    let layer = FaultyLayer::new(layer);
    let faults = layer.faults();
    (House::on(layer), faults, other)
}

async fn next(watching: &mut TestClient) -> Diff {
    watching.receive().await
}

#[tokio::test(start_paused = true)]
async fn the_guests_of_all_nodes_are_one_roster() {
    let (one, _, other) = two_nodes();
    let mut watching = other.watching().await;
    let (ada, _bob) = (one.tracked("ada").await, other.tracked("bob").await);
    let joined = next(&mut watching).await;
    assert_eq!(joined.joins.len(), 2);
    assert_eq!(one.keys().await, ["ada", "bob"]);
    ada.abort();
    assert_eq!(next(&mut watching).await.leaves, ["ada"]);
    assert_eq!(one.keys().await, other.keys().await);
}

#[tokio::test(start_paused = true)]
async fn who_was_on_a_node_that_died_leaves_when_its_lease_is_over() {
    let (dies, faults, other) = two_nodes();
    // Nobody is tracked on the other one: it looks as somebody there wants to know.
    let mut watching = other.watching().await;
    let _ada = dies.tracked("ada").await;
    assert_eq!(next(&mut watching).await.count, 1);
    let dead_since = tokio::time::Instant::now();
    faults.disconnect();
    let left = next(&mut watching).await;
    assert_eq!((left.leaves.as_slice(), left.count), (["ada".to_owned()].as_slice(), 0));
    let (waited, least) = (dead_since.elapsed(), Duration::from_secs(20));
    assert!(waited >= least && waited <= Duration::from_secs(41), "{waited:?}");
}

#[tokio::test(start_paused = true)]
async fn a_node_that_was_taken_for_dead_puts_its_guests_back() {
    let (frozen, faults, other) = two_nodes();
    let mut watching = other.watching().await;
    let mut keeper = Keeper::default();
    let mut guests = Vec::new();
    for n in 0..300 {
        guests.push(frozen.tracked(&format!("a{n:03}")).await);
    }
    while keeper.people.len() < 300 {
        keeper.take_in(next(&mut watching).await);
    }
    faults.disconnect();
    let gone = guests.pop().unwrap();
    gone.abort();
    keeper.take_in(next(&mut watching).await);
    assert_eq!(keeper.people.len(), 0);
    faults.reconnect();
    while keeper.people.len() < 299 {
        keeper.take_in(next(&mut watching).await);
    }
    assert!(!keeper.people.contains_key("a299"), "who left meanwhile stays away");
    watching.expect_nothing().await;
    assert_eq!(frozen.channels.stats().tracked, 299);
}

#[tokio::test(start_paused = true)]
async fn a_short_outage_makes_nobody_leave_and_loses_no_leave() {
    let (one, faults, other) = two_nodes();
    let mut watching = other.watching().await;
    let (_stays, leaves) = (one.tracked("stays").await, one.tracked("leaves").await);
    assert_eq!(next(&mut watching).await.count, 2);
    faults.disconnect();
    leaves.abort();
    watching.expect_nothing().await;
    faults.reconnect();
    let left = next(&mut watching).await;
    assert_eq!((left.leaves.as_slice(), left.count), (["leaves".to_owned()].as_slice(), 1));
    watching.receive_timeout(Duration::from_secs(60));
    watching.expect_nothing().await;
}

#[tokio::test(start_paused = true)]
async fn while_the_store_is_away_nobody_is_tracked_and_each_is_as_before() {
    let (one, faults, other) = two_nodes();
    let mut ada = one.tracked("ada").await;
    faults.disconnect();
    let mut bob = one.guest().await;
    let track_bob = json!({ "do": "track", "room": "lobby", "key": "bob", "meta": 1 });
    let refused = refusal(&mut bob, track_bob.clone()).await;
    assert!(refused.contains("presence failed"), "{refused}");
    for meta in 2..5 {
        let refused = refusal(&mut ada, json!({ "do": "update", "room": "lobby", "meta": meta })).await;
        assert!(refused.contains("presence failed"), "{refused}");
    }
    faults.reconnect();
    // The store is told again what it did not take.
    tokio::time::sleep(Duration::from_secs(5)).await;
    let mut watching = other.watching().await;
    let roster = other.channels.roster(&super::kit::present("lobby"), None).await.unwrap();
    assert_eq!(roster.people.len(), 1);
    assert_eq!(roster.people["ada"], [json!({ "name": "ada" })]);
    ask(&mut bob, track_bob).await;
    ask(&mut ada, json!({ "do": "update", "room": "lobby", "meta": 2 })).await;
    let now = next(&mut watching).await;
    assert_eq!(now.count, 2);
    assert_eq!(other.keys().await, ["ada", "bob"]);
}

#[tokio::test(start_paused = true)]
async fn a_diff_that_could_not_be_published_is_made_up_for() {
    let (one, faults, other) = two_nodes();
    let mut watching = other.watching().await;
    let mut ada = one.tracked("ada").await;
    let first = next(&mut watching).await;
    track(&mut ada, "lobby", "eve", json!(1)).await;
    // The change is in the store, and the one who would tell of it has no link.
    faults.disconnect();
    tokio::time::sleep(Duration::from_secs(3)).await;
    faults.reconnect();
    let mut seen = first.version;
    while seen < other.channels.roster(&super::kit::present("lobby"), None).await.unwrap().version
        || seen == first.version
    {
        let diff = next(&mut watching).await;
        assert!(diff.version == seen + 1 && (diff.partial || !diff.joins.is_empty()), "{diff:?}");
        seen = diff.version;
    }
    assert_eq!(other.keys().await, ["eve"]);
}

#[tokio::test(start_paused = true)]
async fn a_node_that_is_dropped_takes_its_guests_along() {
    let layer = MemoryLayer::new();
    let (one, other) = (House::on(layer.another_node()), House::on(layer));
    let mut watching = other.watching().await;
    let guest = one.tracked("ada").await;
    assert_eq!(next(&mut watching).await.count, 1);
    drop((one, guest));
    assert_eq!(next(&mut watching).await.leaves, ["ada"]);
}
