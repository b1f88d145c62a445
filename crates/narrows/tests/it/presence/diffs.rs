use std::time::Duration;

use narrows::{Channels, PresenceCount};
use serde_json::json;
use tokio::time::Instant;

use super::kit::{Diff, House, Keeper, ask, track};

#[tokio::test(start_paused = true)]
async fn the_first_change_is_told_at_once_and_others_once_a_period() {
    let house = House::new();
    let mut watching = house.watching().await;
    let start = Instant::now();
    let mut guests = vec![house.tracked("a0").await];
    let first: Diff = watching.receive().await;
    assert!(start.elapsed() < Duration::from_millis(100), "{:?}", start.elapsed());
    for n in 1..40 {
        guests.push(house.tracked(&format!("a{n}")).await);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    watching.receive_timeout(Duration::from_secs(2));
    let mut keeper = Keeper::default();
    keeper.take_in(first);
    let mut diffs = 1;
    while keeper.people.len() < 40 {
        keeper.take_in(watching.receive().await);
        diffs += 1;
    }
    // Four seconds and a bit: one at once, and one for each second that began.
    assert!(diffs <= 6, "{diffs}");
    watching.expect_nothing().await;
}

#[tokio::test(start_paused = true)]
async fn a_guest_who_passes_through_within_a_period_is_not_told_of() {
    let house = House::new();
    let mut watching = house.watching().await;
    let _stays = house.tracked("stays").await;
    assert_eq!(watching.receive::<Diff>().await.joins.len(), 1);
    let passes = house.tracked("passes").await;
    passes.close(1000, "").await;
    watching.expect_nothing().await;
    let _comes = house.tracked("comes").await;
    let next: Diff = watching.receive().await;
    assert_eq!((next.joins.len(), next.leaves.len()), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn members_of_the_counts_get_numbers_only() {
    let house = House::new();
    let mut counting = house.guest().await;
    ask(&mut counting, json!({ "do": "join_counts", "room": "lobby" })).await;
    let ada = house.tracked("ada").await;
    let one: PresenceCount = counting.receive().await;
    assert_eq!((one.count, one.group.as_str()), (1, "lobby"));
    let _again = house.tracked("ada").await;
    let _bob = house.tracked("bob").await;
    let two: PresenceCount = counting.receive().await;
    assert_eq!((two.count, two.version), (2, one.version + 1));
    ada.close(1000, "").await;
    // A device less is another version, of the same number.
    let same: PresenceCount = counting.receive().await;
    assert_eq!((same.count, same.version), (2, two.version + 1));
}

#[tokio::test(start_paused = true)]
async fn a_consumer_hears_of_leaves_in_its_own_code() {
    let house = House::new();
    let mut listening = house.guest().await;
    ask(&mut listening, json!({ "do": "listen", "room": "lobby" })).await;
    let ada = house.tracked("ada").await;
    listening.expect(&json!({ "heard": [] })).await;
    ada.abort();
    listening.expect(&json!({ "heard": ["ada"] })).await;
}

#[tokio::test(start_paused = true)]
async fn a_diff_that_would_be_huge_says_that_it_is_not_all_and_the_next_ones_have_the_rest() {
    let house = House::new();
    let mut watching = house.watching().await;
    let mut guests = Vec::new();
    for n in 0..100 {
        let mut guest = house.guest().await;
        track(&mut guest, "lobby", &format!("a{n:03}"), json!("x".repeat(4000))).await;
        guests.push(guest);
    }
    let diff: Diff = watching.receive().await;
    assert!(diff.partial && diff.joins.len() < 100 && diff.joins.len() > 50, "{}", diff.joins.len());
    assert_eq!(diff.count, 100);
    let (mut after, mut read) = (None::<String>, 0);
    loop {
        let wish = json!({ "do": "roster", "room": "lobby", "after": after });
        watching.send(&wish).await;
        let page: narrows::Roster<serde_json::Value> = watching.receive().await;
        assert_eq!(page.version, diff.version);
        read += page.people.len();
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(read, 100);
    watching.receive_timeout(Duration::from_secs(2));
    let (mut told, mut last) = (diff.joins.len(), diff);
    while last.partial {
        last = watching.receive().await;
        told += last.joins.len();
    }
    assert_eq!((told, last.count), (100, 100));
}

#[tokio::test(start_paused = true)]
async fn a_period_of_another_length_is_kept() {
    let house = House::with(Channels::builder().presence_period(Duration::from_secs(10)));
    let mut watching = house.watching().await;
    let _ada = house.tracked("ada").await;
    let first: Diff = watching.receive().await;
    let told = Instant::now();
    let _bob = house.tracked("bob").await;
    let second: Diff = watching.receive().await;
    let waited = told.elapsed();
    assert!(waited > Duration::from_secs(9) && waited < Duration::from_secs(11), "{waited:?}");
    assert_eq!((second.version, second.count), (first.version + 1, 2));
}
