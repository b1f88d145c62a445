//! The test kit itself: what it says when an expectation is not met.

use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;
use serde_json::json;

use crate::site::{Ask, Msg, Site, ask_echo, ask_say, said};

/// The words of the panic that this ends in.
async fn panic_of<T>(test: impl Future<Output = T>) -> String {
    let panic = AssertUnwindSafe(test).catch_unwind().await.err().expect("a panic");
    *panic.downcast::<String>().expect("words")
}

fn mentions(panic: &str, words: &[&str]) {
    for word in words {
        assert!(panic.contains(word), "{word:?} is missing in:\n{panic}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_unmet_expectation_shows_what_came_where_it_differs_and_who_waited() {
    let site = Site::new();
    let mut ada = site.connect().await;
    ada.send(&ask_echo("hello")).await;
    let (panic, line) = (panic_of(ada.expect(&said("good bye"))).await, line!());
    mentions(&panic, &[r#"at .text expected "good bye", got "hello""#, &format!("test_kit.rs:{line}:")]);
    let panic = panic_of(ada.expect(&said("more"))).await;
    mentions(&panic, &["got nothing for 1s"]);
    ada.send(&ask_echo("hello")).await;
    mentions(&panic_of(ada.expect_nothing()).await, &["expected nothing, got the text", "hello"]);
    ada.send(&ask_echo("hello")).await;
    mentions(
        &panic_of(ada.expect_text("hi")).await,
        &["expected the text \"hi\"\n     got the text", "hello"],
    );
    ada.send(&ask_echo("hello")).await;
    mentions(&panic_of(ada.receive_binary()).await, &["expected a binary message, got the text"]);
    ada.send(&ask_echo("hello")).await;
    mentions(&panic_of(ada.receive::<u8>()).await, &["a message of type `u8`, got the text", "invalid type"]);
}

#[tokio::test(start_paused = true)]
async fn an_end_that_was_not_expected_is_shown_with_its_code_and_every_time() {
    let site = Site::new();
    let mut ada = site.connect().await;
    ada.send(&Ask::Close { code: 4001, reason: "kicked".into() }).await;
    for _ in 0..2 {
        mentions(&panic_of(ada.receive::<Msg>()).await, &[r#"the end of the connection: 4001 "kicked""#]);
        mentions(&panic_of(ada.expect_close(1000)).await, &["end of the connection: 1000", "4001"]);
    }
    mentions(&panic_of(ada.send_text("hi")).await, &["nothing can be sent", "4001"]);
    mentions(&panic_of(ada.ping("hi")).await, &["nothing can be sent", "4001"]);
}

#[tokio::test(start_paused = true)]
async fn a_refused_handshake_shows_status_headers_and_body() {
    let site = Site::new();
    let panic = panic_of(site.server.connect("/ws/")).await;
    mentions(&panic, &["the handshake for /ws/ was refused", "404 Not Found", "content-length: 0"]);
    let foreign = site.server.connect_request("/ws/lobby").origin("https://evil.example");
    mentions(&panic_of(foreign.connect()).await, &["403 Forbidden", "test_kit.rs:"]);
}

#[tokio::test(start_paused = true)]
async fn messages_wait_in_their_order_while_a_test_waits_for_a_pong() {
    let site = Site::new();
    let mut ada = site.connect().await;
    for n in 0..3 {
        ada.send(&ask_say(&n.to_string())).await;
    }
    ada.ping("all that was sent is handled now").await;
    assert_eq!(site.channels.stats().received, 3);
    for n in 0..3 {
        ada.expect(&json!({"text": n.to_string(), "type": "said"})).await;
    }
}

#[tokio::test]
async fn the_kit_works_with_a_clock_that_runs_and_with_shards_on_threads() {
    let channels = narrows::Channels::builder().shards(2).build();
    let (app, mut ends) = crate::site::app(&channels, |bots| bots);
    let server = narrows::testing::TestServer::new(app);
    let (mut ada, mut bob) = (server.connect("/ws/lobby").await, server.connect("/ws/lobby").await);
    ada.send(&ask_say("hi")).await;
    ada.expect(&said("hi")).await;
    bob.expect(&said("hi")).await;
    bob.expect_nothing().await;
    bob.close(1000, "").await;
    assert_eq!(ends.recv().await.unwrap().code, 1000);
}
