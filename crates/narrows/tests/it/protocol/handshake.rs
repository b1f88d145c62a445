use std::time::Duration;

use narrows::{Codec, Limits};
use serde_json::{Value, json};

use super::desk::{connected, desk, speaking};

#[tokio::test(start_paused = true)]
async fn the_welcome_comes_before_whatever_connect_sends() {
    let server = desk(|route| route);
    let mut client = speaking(&server).connect().await;
    assert_eq!(client.subprotocol(), Some("narrows.v1"));
    let welcome: Value = client.receive().await;
    assert_eq!(welcome["type"], "narrows.welcome");
    assert_eq!((&welcome["resumed"], &welcome["heartbeat"]), (&json!(false), &json!(15000)));
    assert_eq!(welcome["retry"], 1000);
    client.expect(&json!({"type": "hello", "offered": []})).await;
}

#[tokio::test(start_paused = true)]
async fn a_client_without_the_protocol_sees_nothing_of_it() {
    let server = desk(|route| route);
    let mut client = server.connect("/ws").await;
    assert_eq!(client.subprotocol(), None);
    client.expect(&json!({"type": "hello", "offered": []})).await;
    client.send(&json!({"type": "narrows.ping"})).await;
    assert_eq!(client.receive::<Value>().await["code"], "malformed");
}

#[tokio::test(start_paused = true)]
async fn a_subprotocol_of_the_sites_own_is_chosen_before_ours() {
    let server = desk(|route| route.subprotocols(["chat.v1"]));
    let request =
        speaking(&server).subprotocol("narrows.client.AAAAAAAAAAAAAAAAAAAAAA").subprotocol("chat.v1");
    let mut client = request.connect().await;
    assert_eq!(client.subprotocol(), Some("chat.v1"));
    assert_eq!(client.receive::<Value>().await["type"], "narrows.welcome");
    client.expect(&json!({"type": "hello", "offered": ["chat.v1"]})).await;
}

#[tokio::test(start_paused = true)]
async fn junk_in_what_is_offered_is_passed_over() {
    let server = desk(|route| route);
    for junk in ["narrows.client.x", "narrows.resume.%%", "narrows.at.bm90IGpzb24", "narrows.v9", "narrows."]
    {
        let mut client = speaking(&server).subprotocol(junk).connect().await;
        assert_eq!(client.receive::<Value>().await["resumed"], false, "{junk}");
        client.expect(&json!({"type": "hello", "offered": []})).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_ping_is_answered_and_never_seen_by_the_consumer() {
    let server = desk(|route| route);
    for codec in [Codec::Json, Codec::MsgPack] {
        let server = if codec == Codec::Json { server.clone() } else { desk(|route| route.codec(codec)) };
        let mut client = connected(&server, codec).await;
        client.send(&json!({"type": "narrows.ping"})).await;
        client.expect(&json!({"type": "narrows.pong"})).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_pings_in_time_needs_no_pings_of_the_server() {
    let limits =
        Limits::default().ping_interval(Duration::from_secs(10)).ping_timeout(Duration::from_secs(5));
    let server = desk(|route| route.limits(limits));
    let mut client = speaking(&server).connect().await;
    let welcome: Value = client.receive().await;
    let heartbeat = Duration::from_millis(welcome["heartbeat"].as_u64().unwrap());
    client.expect(&json!({"type": "hello", "offered": []})).await;
    client.answer_pings(false);
    for _ in 0..100 {
        tokio::time::sleep(heartbeat).await;
        client.send(&json!({"type": "narrows.ping"})).await;
        assert_eq!(client.receive::<Value>().await["type"], "narrows.pong");
    }
}

#[tokio::test(start_paused = true)]
async fn pings_do_not_keep_an_idle_connection() {
    let server = desk(|route| route.limits(Limits::default().idle_timeout(Duration::from_secs(40))));
    let mut client = connected(&server, Codec::Json).await;
    for _ in 0..3 {
        tokio::time::sleep(Duration::from_secs(12)).await;
        client.send(&json!({"type": "narrows.ping"})).await;
        client.expect(&json!({"type": "narrows.pong"})).await;
    }
    client.expect_close(1000).await;
}
