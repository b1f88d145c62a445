use std::time::Duration;

use narrows::{Channels, Limits};
use serde_json::{Value, json};

use super::kit::{Diff, House, ask, present, refusal, track};
use crate::gated_layer::GatedLayer;

#[tokio::test(start_paused = true)]
async fn a_connection_is_there_from_track_to_its_end() {
    let house = House::new();
    let mut watching = house.watching().await;
    let ada = house.tracked("ada").await;
    let joined: Diff = watching.receive().await;
    assert_eq!(joined.joins["ada"], [json!({ "name": "ada" })]);
    assert_eq!((joined.count, joined.group.as_str(), joined.partial), (1, "lobby", false));
    assert_eq!(house.channels.stats().tracked, 1);
    ada.abort();
    let left: Diff = watching.receive().await;
    assert_eq!((left.leaves, left.count, left.version), (vec!["ada".to_owned()], 0, joined.version + 1));
    assert_eq!(house.channels.stats().tracked, 0);
    watching.expect_nothing().await;
}

#[tokio::test(start_paused = true)]
async fn a_person_with_two_devices_leaves_with_the_last() {
    let house = House::new();
    let (phone, desk) = (house.tracked("ada").await, house.tracked("ada").await);
    let mut watching = house.watching().await;
    let joined: Diff = watching.receive().await;
    assert_eq!((joined.joins["ada"].len(), joined.count), (2, 1));
    phone.close(1000, "").await;
    let one_less: Diff = watching.receive().await;
    assert_eq!((one_less.updates["ada"].len(), one_less.leaves.len(), one_less.count), (1, 0, 1));
    desk.close(1000, "").await;
    assert_eq!(watching.receive::<Diff>().await.leaves, ["ada"]);
}

#[tokio::test(start_paused = true)]
async fn every_end_of_a_connection_takes_it_out() {
    let house = House::new();
    for end in ["close", "panic", "leave", "abort"] {
        let mut guest = house.tracked("ada").await;
        assert_eq!(house.keys().await, ["ada"], "{end}");
        match end {
            "close" => guest.close(1000, "").await,
            "abort" => guest.abort(),
            _ => guest.send(&json!({ "do": end })).await,
        }
        while house.channels.stats().tracked > 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        assert!(house.keys().await.is_empty(), "{end}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_handshake_that_is_refused_after_track_leaves_nobody() {
    let house = House::new();
    let refused = house.server.connect_request("/ws/refused").try_connect().await;
    assert_eq!(refused.unwrap_err().status(), 403);
    assert_eq!(house.channels.stats().tracked, 0);
    assert!(house.keys().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn one_connection_updates_itself_moves_and_leaves() {
    let house = House::new();
    let mut guest = house.tracked("ada").await;
    ask(&mut guest, json!({ "do": "update", "room": "lobby", "meta": { "status": "away" } })).await;
    let roster = house.channels.roster(&present("lobby"), None).await.unwrap();
    assert_eq!(roster.people["ada"], [json!({ "status": "away" })]);
    track(&mut guest, "lobby", "bob", json!(1)).await;
    track(&mut guest, "attic", "bob", json!(1)).await;
    assert_eq!(house.keys().await, ["bob"]);
    for was_there in [true, false] {
        guest.send(&json!({ "do": "untrack", "room": "lobby" })).await;
        guest.expect(&json!(was_there)).await;
    }
    assert!(house.keys().await.is_empty());
    assert_eq!(house.channels.count(&present("attic")).await.unwrap(), 1);
    track(&mut guest, "lobby", "ada", json!(1)).await;
    assert_eq!(house.keys().await, ["ada"]);
}

#[tokio::test(start_paused = true)]
async fn what_is_too_much_is_refused_and_changes_nothing() {
    let limits = Limits::default().max_tracked(2);
    let house = House::with(Channels::builder().limits(limits));
    let mut guest = house.tracked("ada").await;
    let tracks =
        |room: &str, key: &str, meta: Value| json!({ "do": "track", "room": room, "key": key, "meta": meta });
    let deep = (0..200).fold(json!(0), |inner, _| json!([inner]));
    for (wish, words) in [
        (tracks("lobby", "", json!(1)), "at least one character"),
        (tracks("lobby", &"ä".repeat(129), json!(1)), "at most 256 bytes, this one has 258"),
        (tracks("lobby", "ada", json!("x".repeat(4095))), "at most 4096 bytes as JSON, this has 4097"),
        (json!({ "do": "update", "room": "attic", "meta": 1 }), "not tracked in attic"),
    ] {
        let refused = refusal(&mut guest, wish).await;
        assert!(refused.contains(words), "{refused}");
    }
    assert!(serde_json::from_str::<Value>(&deep.to_string()).is_err(), "nobody could read it");
    track(&mut guest, "attic", &"k".repeat(256), json!("x".repeat(4094))).await;
    let refused = refusal(&mut guest, tracks("cellar", "ada", json!(1))).await;
    assert!(refused.contains("tracked in 2 groups"), "{refused}");
    let roster = house.channels.roster(&present("lobby"), None).await.unwrap();
    assert_eq!(roster.people["ada"], [json!({ "name": "ada" })]);
}

#[tokio::test(start_paused = true)]
async fn a_layer_without_presence_says_so() {
    let house = House::on(GatedLayer::open());
    let mut guest = house.guest().await;
    let refused =
        refusal(&mut guest, json!({ "do": "track", "room": "lobby", "key": "ada", "meta": 1 })).await;
    assert!(refused.contains("presence failed"), "{refused}");
    let error = house.channels.count(&present("lobby")).await.unwrap_err();
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert_eq!(source, "this channel layer has no presence");
    // The companions are groups like any other.
    ask(&mut guest, json!({ "do": "join", "room": "lobby" })).await;
}

#[tokio::test(start_paused = true)]
async fn metas_of_another_type_are_left_out_and_counted() {
    #[derive(Debug, serde::Deserialize)]
    struct Named {
        name: String,
    }
    let house = House::new();
    let _ada = house.tracked("ada").await;
    let mut odd = house.guest().await;
    track(&mut odd, "lobby", "odd", json!([1, 2])).await;
    let typed = narrows::Group::<()>::new("lobby").unwrap().presence::<Named>();
    let roster = house.channels.roster(&typed, None).await.unwrap();
    assert_eq!((roster.people["ada"][0].name.as_str(), roster.people["odd"].len()), ("ada", 0));
    assert_eq!(house.channels.stats().dropped(narrows::DropReason::Undecodable), 1);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_would_come_back_is_waited_for() {
    let house = House::new();
    let mut watching = house.watching().await;
    let mut guest = house.server.connect_request("/ws/guest").subprotocol("narrows.v1").connect().await;
    let welcome: Value = guest.receive().await;
    assert_eq!(welcome["type"], "narrows.welcome");
    track(&mut guest, "lobby", "ada", json!(1)).await;
    assert_eq!(watching.receive::<Diff>().await.count, 1);
    let lost_at = tokio::time::Instant::now();
    guest.abort();
    let left: Diff = watching.receive().await;
    assert_eq!(left.leaves, ["ada"]);
    let waited = lost_at.elapsed();
    assert!(waited >= Duration::from_secs(120) && waited < Duration::from_secs(122), "{waited:?}");
    // One that closes is not waited for.
    let mut guest = house.server.connect_request("/ws/guest").subprotocol("narrows.v1").connect().await;
    guest.receive::<Value>().await;
    track(&mut guest, "lobby", "ada", json!(1)).await;
    assert_eq!(watching.receive::<Diff>().await.count, 1);
    guest.close(1000, "").await;
    watching.receive_timeout(Duration::from_secs(3));
    assert_eq!(watching.receive::<Diff>().await.leaves, ["ada"]);
}
