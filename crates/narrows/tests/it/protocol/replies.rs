use narrows::Codec;
use serde_json::{Value, json};

use super::desk::{connected, desk};

#[tokio::test(start_paused = true)]
async fn a_message_with_a_ref_is_answered_with_what_the_handler_replies() {
    for codec in [Codec::Json, Codec::MsgPack] {
        let mut client = connected(&desk(|route| route.codec(codec)), codec).await;
        client.send(&json!({"type": "double", "number": 21, "ref": 1})).await;
        client.expect(&json!({"type": "narrows.reply", "ref": 1, "value": 42})).await;
        client.send(&json!({"type": "refuse", "ref": 2})).await;
        let error = json!({"code": "busy", "detail": "come back later"});
        client.expect(&json!({"type": "narrows.reply", "ref": 2, "error": error})).await;
        client.send(&json!({"ref": 3, "type": "now"})).await;
        client.expect(&json!({"type": "narrows.reply", "ref": 3, "value": "now"})).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_replies_nothing_answers_with_no_value() {
    let mut client = connected(&desk(|route| route), Codec::Json).await;
    client.send(&json!({"type": "note", "text": "a", "ref": 9007199254740991_u64})).await;
    client.expect(&json!({"type": "noted", "text": "a"})).await;
    client.expect(&json!({"type": "narrows.reply", "ref": 9007199254740991_u64})).await;
}

#[tokio::test(start_paused = true)]
async fn a_reply_can_come_later_and_the_next_message_is_answered_before() {
    let mut client = connected(&desk(|route| route), Codec::Json).await;
    client.send(&json!({"type": "later", "ref": 1})).await;
    client.send(&json!({"type": "double", "number": 1, "ref": 2})).await;
    client.expect(&json!({"type": "narrows.reply", "ref": 2, "value": 2})).await;
    client.expect(&json!({"type": "narrows.reply", "ref": 1, "value": "later"})).await;
}

#[tokio::test(start_paused = true)]
async fn what_does_not_decode_is_answered_with_an_error() {
    let mut client = connected(&desk(|route| route), Codec::Json).await;
    for (n, wrong) in [json!({"type": "nothing"}), json!({"type": "note"})].iter().enumerate() {
        let mut wrong = wrong.clone();
        wrong["ref"] = json!(n + 1);
        client.send(&wrong).await;
        let reply: Value = client.receive().await;
        assert_eq!((&reply["type"], &reply["ref"]), (&json!("narrows.reply"), &json!(n + 1)));
        assert_eq!(reply["error"]["code"], "malformed");
    }
    client.send(&json!({"type": "problem", "ref": 3})).await;
    let error = json!({"code": "odd", "detail": "this was odd"});
    client.expect(&json!({"type": "narrows.reply", "ref": 3, "error": error})).await;
}

#[tokio::test(start_paused = true)]
async fn a_ref_inside_of_a_value_or_of_another_kind_is_none() {
    let mut client = connected(&desk(|route| route), Codec::Json).await;
    let text = r#"{"ref":5} \"ref\":6"#;
    client.send(&json!({"type": "note", "text": text})).await;
    client.expect(&json!({"type": "noted", "text": text})).await;
    for odd in [json!(0), json!(-1), json!(1.5), json!("7"), json!(9007199254740992_u64), json!({"ref": 1})] {
        client.send(&json!({"type": "note", "text": "x", "ref": odd})).await;
        // The consumer takes no members that it does not know, and this one is not taken out.
        assert_eq!(client.receive::<Value>().await["code"], "malformed", "{odd}");
    }
    client.expect_nothing().await;
}

#[tokio::test(start_paused = true)]
async fn a_reply_comes_before_the_close_frame_of_the_same_handler() {
    let mut client = connected(&desk(|route| route), Codec::Json).await;
    client.send(&json!({"type": "leave", "ref": 1})).await;
    client.expect(&json!({"type": "narrows.reply", "ref": 1, "value": "bye"})).await;
    assert_eq!(client.expect_close(4000).await, "left");
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_panics_ends_the_connection_without_a_reply() {
    let mut client = connected(&desk(|route| route), Codec::Json).await;
    client.send(&json!({"type": "panic", "ref": 1})).await;
    client.expect_close(1011).await;
}

#[tokio::test(start_paused = true)]
async fn what_the_server_is_asked_and_does_not_know_is_answered_where_that_was_asked_for() {
    let mut client = connected(&desk(|route| route), Codec::Json).await;
    client.send(&json!({"type": "narrows.dance"})).await;
    client.send(&json!({"type": "narrows.dance", "ref": 1})).await;
    assert_eq!(client.receive::<Value>().await["error"]["code"], "unknown");
    client.send(&json!({"type": "narrows.roster", "ref": 2})).await;
    assert_eq!(client.receive::<Value>().await["error"]["code"], "malformed");
    client.expect_nothing().await;
}

#[tokio::test(start_paused = true)]
async fn a_client_without_the_protocol_is_sent_no_replies() {
    let mut client = desk(|route| route).connect("/ws").await;
    client.expect(&json!({"type": "hello", "offered": []})).await;
    client.send(&json!({"type": "double", "number": 21})).await;
    client.send(&json!({"type": "now"})).await;
    client.send(&json!({"type": "later"})).await;
    client.expect_nothing().await;
}
