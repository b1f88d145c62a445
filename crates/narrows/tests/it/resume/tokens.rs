use axum::Router;
use narrows::layer::MemoryLayer;
use narrows::testing::{FaultyLayer, TestServer};
use narrows::{Channels, Identity};
use serde_json::json;
use tokio::sync::mpsc;

use super::notebook::{Nodes, Notebook, look};

#[tokio::test(start_paused = true)]
async fn a_token_is_good_once() {
    let nodes = Nodes::new(2);
    let away = nodes.request().narrows().connect().await.cut();
    assert!(away.clone().connect().await.is_resumed());
    for node in [0, 1, 0] {
        assert!(!away.clone().to(&nodes.servers[node]).connect().await.is_resumed());
    }
}

#[tokio::test(start_paused = true)]
async fn of_two_nodes_that_get_a_token_at_once_one_goes_on() {
    let nodes = Nodes::new(2);
    for _ in 0..20 {
        let away = nodes.request().narrows().connect().await.cut();
        let (one, two) = tokio::join!(away.clone().connect(), away.clone().to(&nodes.servers[1]).connect());
        assert!(one.is_resumed() != two.is_resumed());
    }
}

#[tokio::test(start_paused = true)]
async fn all_tokens_of_a_connection_are_used_up_with_one_of_them() {
    let nodes = Nodes::new(1);
    let mut ada = nodes.request().narrows().connect().await;
    let first = ada.token().unwrap().to_owned();
    assert_eq!(ada.request(&json!({"set": 1})).await, Ok(json!([1, null])));
    ada.settle().await;
    let away = ada.cut();
    assert_ne!(away.token(), Some(&*first));
    assert!(away.clone().connect().await.is_resumed());
    assert!(!away.with_token(Some(&first)).connect().await.is_resumed());
}

#[tokio::test(start_paused = true)]
async fn a_token_is_of_no_use_at_another_address_or_when_it_was_changed() {
    let nodes = Nodes::new(1);
    let away = nodes.request().narrows().connect().await.cut();
    let token = away.token().unwrap().to_owned();
    let elsewhere = ["/ws/attic", "/other/lobby"];
    for path in elsewhere {
        let request = nodes.servers[0].connect_request(path).narrows();
        assert!(!request.with_token(Some(&token)).connect().await.is_resumed(), "{path}");
    }
    for wrong in [&token[1..], &token[..token.len() - 1], &format!("{token}A"), "A", &"A".repeat(6144)] {
        assert!(!away.clone().with_token(Some(wrong)).connect().await.is_resumed(), "{wrong}");
    }
    assert!(away.connect().await.is_resumed());
}

#[tokio::test(start_paused = true)]
async fn while_a_secret_is_changed_from_node_to_node_connections_go_on() {
    let secrets = ["old", "new"];
    let build = |builder: narrows::ChannelsBuilder, n: usize| match n {
        0 => builder.secret_key(secrets[0]),
        1 => builder.secret_keys(secrets[1], [secrets[0]]),
        _ => builder.secret_key(secrets[1]),
    };
    let nodes = Nodes::with(3, build, narrows::ConsumerRoute::resumable);
    let from = |node: usize| nodes.servers[node].connect_request("/ws/lobby").narrows().connect();
    for (begun, to, goes_on) in [(0, 1, true), (1, 2, true), (0, 2, false), (1, 0, false)] {
        let away = from(begun).await.cut().to(&nodes.servers[to]);
        assert_eq!(away.connect().await.is_resumed(), goes_on, "from {begun} to {to}");
    }
}

#[tokio::test(start_paused = true)]
async fn without_a_secret_connections_go_on_in_the_same_process_alone() {
    let nodes = Nodes::with(2, |builder, _| builder, narrows::ConsumerRoute::resumable);
    let away = nodes.request().narrows().connect().await.cut();
    assert!(!away.clone().to(&nodes.servers[1]).connect().await.is_resumed());
    assert!(away.connect().await.is_resumed());
}

#[tokio::test(start_paused = true)]
async fn a_secret_without_a_letter_opens_nothing_that_another_node_sealed() {
    let build = |builder: narrows::ChannelsBuilder, n: usize| match n {
        0 | 1 => builder.secret_key(""),
        _ => builder.secret_keys("new", [""]),
    };
    let nodes = Nodes::with(3, build, narrows::ConsumerRoute::resumable);
    let away = nodes.request().narrows().connect().await.cut();
    for other in [1, 2] {
        assert!(!away.clone().to(&nodes.servers[other]).connect().await.is_resumed(), "{other}");
    }
    assert!(away.connect().await.is_resumed());
}

#[tokio::test(start_paused = true)]
async fn a_token_of_one_host_is_of_no_use_at_another() {
    let nodes = Nodes::new(1);
    let away = nodes.request().narrows().connect().await.cut();
    let at = |host: &str| {
        let origin = format!("http://{host}");
        away.clone().with(|request| request.header("host", host).origin(&origin))
    };
    assert!(!at("other.example").connect().await.is_resumed());
    assert!(at("TestServer:8001").connect().await.is_resumed());
}

#[tokio::test(start_paused = true)]
async fn a_connection_of_a_session_goes_on_with_its_cookie_alone() {
    let nodes = Nodes::new(1);
    let with_cookie = |cookie: &str| {
        let identity = Identity::new().with_session("s3ss10n-key").with_user("42");
        nodes.request().header("cookie", cookie).extension(identity)
    };
    let away = with_cookie("theme=dark; sessionid=s3ss10n-key").narrows().connect().await.cut();
    for other in ["theme=dark", "sessionid=another", "sid=s3ss10n-key", "sessionid=s3ss10n-keyx"] {
        let stolen = away.clone().with(|request| request.header("cookie", other));
        assert!(!stolen.connect().await.is_resumed(), "{other}");
    }
    let mut back = away.with(|request| request.header("cookie", "sessionid=s3ss10n-key")).connect().await;
    assert_eq!((back.is_resumed(), back.request(&look()).await), (true, Ok(json!([0, "42"]))));
}

#[tokio::test(start_paused = true)]
async fn a_token_does_not_open_the_door_to_pages_of_other_sites() {
    let nodes = Nodes::new(1);
    let away = nodes.request().narrows().connect().await.cut();
    let stolen = away.clone().with(|request| request.origin("https://evil.example"));
    assert_eq!(stolen.try_connect().await.unwrap_err().status().as_u16(), 403);
    assert!(away.connect().await.is_resumed());
}

#[tokio::test(start_paused = true)]
async fn while_nothing_can_be_claimed_a_connection_is_an_ordinary_one() {
    let layer = FaultyLayer::new(MemoryLayer::new());
    let faults = layer.faults();
    let channels = Channels::builder().layer(layer).on_this_thread().build();
    let route = channels.consumer::<Notebook>().resumable().route();
    let (log, _told) = mpsc::unbounded_channel();
    let server = TestServer::new(Router::new().route("/ws/{room}", route).with_state(log));
    // Its room can be joined without the layer as long as somebody is in it.
    let _stays = server.connect("/ws/lobby").await;
    let away = server.connect_request("/ws/lobby").narrows().connect().await.cut();
    faults.disconnect();
    assert!(!away.clone().connect().await.is_resumed());
    faults.reconnect();
    assert!(away.connect().await.is_resumed());
}
