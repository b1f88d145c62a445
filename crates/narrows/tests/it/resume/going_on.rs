use std::time::Duration;

use narrows::testing::NarrowsClient;
use narrows::{Cause, Codec, Group};
use serde_json::{Value, json};

use super::notebook::{
    Nodes, PANICS_WHEN_READ, PANICS_WHEN_RESUMED, PANICS_WHEN_SAVED, REFUSED, TOO_LARGE, Told, UNREADABLE,
    add, look,
};

#[tokio::test(start_paused = true)]
async fn a_connection_goes_on_with_what_was_saved_on_another_node() {
    let mut nodes = Nodes::new(2);
    let mut ada = nodes.request().narrows().connect().await;
    assert_eq!(nodes.next().await, Told::Connected);
    assert_eq!(ada.request(&json!({"set": 7})).await, Ok(json!([7, null])));
    ada.settle().await;

    let mut ada = ada.cut().to(&nodes.servers[1]).connect().await;

    assert!(ada.is_resumed());
    assert_eq!(ada.request(&add()).await, Ok(json!([8, null])));
    let group = Group::<Value>::keyed("room", "lobby").unwrap();
    nodes.channels[0].broadcast(&group, &json!({"text": "hi"})).await.unwrap();
    ada.expect(&json!({"text": "hi"})).await;
    let told = [nodes.next().await, nodes.next().await];
    assert!(told.contains(&Told::Resumed(7)), "{told:?}");
}

#[tokio::test(start_paused = true)]
async fn a_connection_goes_on_again_and_again() {
    let nodes = Nodes::with(
        3,
        |builder, _| builder.secret_key("one secret of all nodes"),
        |route| route.resumable().codec(Codec::MsgPack),
    );
    let mut ada = nodes.request().codec(Codec::MsgPack).narrows().connect().await;
    for n in 1..10 {
        assert_eq!(ada.request(&json!({"set": n})).await, Ok(json!([n, null])));
        ada.settle().await;
        ada = ada.cut().to(&nodes.servers[n % 3]).connect().await;
        assert!(ada.is_resumed());
    }
}

#[tokio::test(start_paused = true)]
async fn whoever_was_drained_goes_on_elsewhere() {
    let nodes = Nodes::new(2);
    let mut ada = nodes.request().narrows().connect().await;
    assert_eq!(ada.request(&json!({"set": 3})).await, Ok(json!([3, null])));
    ada.settle().await;
    nodes.channels[0].drain(Duration::ZERO).await;
    ada.expect_close(1012).await;
    let mut ada = ada.cut().to(&nodes.servers[1]).connect().await;
    assert_eq!((ada.is_resumed(), ada.request(&look()).await), (true, Ok(json!([3, null]))));
}

#[tokio::test(start_paused = true)]
async fn a_fresh_token_comes_when_half_of_the_window_is_over_with_what_is_saved_by_then() {
    let nodes = Nodes::new(1);
    let mut pings = nodes.request().narrows().connect().await;
    let mut talks = nodes.request().narrows().connect().await;
    for client in [&mut pings, &mut talks] {
        let first = client.token().unwrap().to_owned();
        assert_eq!(client.request(&add()).await, Ok(json!([1, null])));
        client.settle().await;
        assert_eq!(client.token(), Some(&*first));
    }
    tokio::time::sleep(Duration::from_secs(61)).await;
    pings.settle().await;
    // It never says that it has nothing to say; the token comes behind the reply.
    for n in 2..4 {
        assert_eq!(talks.request(&add()).await, Ok(json!([n, null])));
    }
    for (client, notes) in [(pings, 1), (talks, 2)] {
        let mut client = client.cut().connect().await;
        assert_eq!(client.request(&look()).await, Ok(json!([notes, null])));
    }
}

/// A client whose consumer holds this number.
async fn with_notes(nodes: &mut Nodes, notes: u32) -> NarrowsClient {
    let mut client = nodes.request().narrows().connect().await;
    while nodes.next().await != Told::Connected {}
    assert_eq!(client.request(&json!({"set": notes})).await, Ok(json!([notes, null])));
    client.settle().await;
    client
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_saved_or_read_makes_an_ordinary_connection() {
    let mut nodes = Nodes::new(1);
    for notes in [UNREADABLE, PANICS_WHEN_READ, TOO_LARGE, PANICS_WHEN_SAVED] {
        let ada = with_notes(&mut nodes, notes).await;
        let mut ada = ada.cut().connect().await;
        assert_eq!((ada.is_resumed(), ada.request(&look()).await), (false, Ok(json!([0, null]))));
        drop(ada);
        let mut told = vec![nodes.next().await];
        while told.iter().filter(|told| matches!(told, Told::Ended(_))).count() < 2 {
            told.push(nodes.next().await);
        }
        let wanted = [Told::Connected, Told::Ended(Cause::Lost), Told::Ended(Cause::Lost)];
        assert!(told.len() == 3 && wanted.iter().all(|wanted| told.contains(wanted)), "{notes}: {told:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_consumer_that_refuses_to_go_on_is_asked_to_connect_the_next_time() {
    let mut nodes = Nodes::new(1);
    for (notes, status) in [(REFUSED, 410), (PANICS_WHEN_RESUMED, 500)] {
        let away = with_notes(&mut nodes, notes).await.cut();
        let refused = away.clone().try_connect().await.unwrap_err();
        assert_eq!(refused.status().as_u16(), status);
        assert!(!away.connect().await.is_resumed());
        while nodes.next().await != Told::Connected {}
    }
}

#[tokio::test(start_paused = true)]
async fn a_route_that_does_not_resume_and_a_window_of_zero_make_ordinary_connections() {
    for window in [Duration::ZERO, Duration::from_secs(120)] {
        let nodes = Nodes::with(
            1,
            |builder, _| builder.resume_window(window),
            |route| if window.is_zero() { route.resumable() } else { route },
        );
        let ada = nodes.request().narrows().connect().await;
        assert_eq!(ada.token().is_some(), !window.is_zero());
        assert_eq!(ada.welcome()["window"], window.as_millis() as u64);
        assert!(!ada.cut().connect().await.is_resumed());
    }
}
