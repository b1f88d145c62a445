//! What goes wrong at an unlucky moment, and is made good.

use std::time::Duration;

use narrows::layer::MemoryLayer;
use narrows::testing::Received;
use narrows::{Channels, PresenceCount};
use serde_json::{Value, json};

use super::kit::{Diff, House, ask, refusal, track};
use super::odd_layer::OddLayer;

fn nested(levels: usize) -> Value {
    (1..levels).fold(json!([]), |inner, _| json!([inner]))
}

#[tokio::test(start_paused = true)]
async fn a_node_that_was_taken_for_dead_is_told_so_also_when_the_one_who_asked_is_gone() {
    let layer = MemoryLayer::new();
    let other = House::on(OddLayer::new(layer.another_node()));
    let layer = OddLayer::new(layer);
    let refused = layer.refused();
    let one = House::on(layer);
    let mut watching = other.watching().await;
    let (_ada, mut bob) = (one.tracked("ada").await, one.guest().await);
    assert_eq!(watching.receive::<Diff>().await.joins.len(), 1);
    refused.renew(true);
    assert_eq!(watching.receive::<Diff>().await.leaves, ["ada"]);
    refused.renew(false);
    let wish = json!({ "do": "track_within", "ms": 500, "room": "lobby", "key": "bob", "meta": 1 });
    bob.send(&wish).await;
    bob.expect(&json!("late")).await;
    let back: Diff = watching.receive().await;
    assert_eq!(back.joins.into_keys().collect::<Vec<_>>(), ["ada"]);
}

#[tokio::test(start_paused = true)]
async fn what_is_tracked_is_nested_no_deeper_than_a_diff_can_carry() {
    let house = House::on(OddLayer::new(MemoryLayer::new()));
    let (mut watching, mut ada) = (house.watching().await, house.guest().await);
    track(&mut ada, "lobby", "ada", nested(64)).await;
    assert_eq!(watching.receive::<Diff>().await.joins["ada"], [nested(64)]);
    for levels in [65, 120, 124, 125] {
        let wish = json!({ "do": "update", "room": "lobby", "meta": nested(levels) });
        let refused = refusal(&mut ada, wish).await;
        assert!(refused.contains("cannot be written"), "{levels}: {refused}");
    }
    watching.expect_nothing().await;
}

#[tokio::test(start_paused = true)]
async fn a_count_that_could_not_be_published_does_not_come_after_a_newer_one() {
    let layer = MemoryLayer::new();
    let period = Duration::from_millis(100);
    let node = Channels::builder().presence_period(period);
    let other = House::with(node.layer(OddLayer::new(layer.another_node())));
    let layer = OddLayer::new(layer);
    let refused = layer.refused();
    let one = House::on(layer);
    let (mut counting, mut watching) = (other.guest().await, other.watching().await);
    ask(&mut counting, json!({ "do": "join_counts", "room": "lobby" })).await;
    refused.publish(true);
    let _ada = one.tracked("ada").await;
    tokio::time::sleep(2 * period).await;
    let _bob = other.tracked("bob").await;
    let newest: PresenceCount = counting.receive().await;
    refused.publish(false);
    counting.receive_timeout(Duration::from_secs(30));
    // Who takes in diffs is told that there was one before.
    let (second, first) = (watching.receive::<Diff>().await, watching.receive::<Diff>().await);
    assert_eq!((first.version, first.partial, second.version), (newest.version - 1, true, newest.version));
    let mut counts = vec![newest.clone()];
    while let Some(Received::Text(text)) = counting.next().await {
        counts.push(serde_json::from_str(&text).unwrap());
    }
    assert!(counts.iter().all(|count| *count == newest && count.count == 2), "{counts:?}");
}
