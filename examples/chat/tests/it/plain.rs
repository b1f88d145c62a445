use serde_json::json;

use crate::person::Person;
use crate::site::Site;

#[tokio::test]
async fn every_text_to_the_single_chat_comes_back_with_the_prefix_of_the_server() {
    let site = Site::start().await;
    let mut person = Person::open(&site, "/room/any%20id%2F%E8%81%8A/").await;
    for text in ["hello", "exit?", "<b>你好</b>\n\u{1f600}", ""] {
        person.say(text).await;
        assert_eq!(person.text().await, format!("server: {text}"));
    }
}

#[tokio::test]
async fn saying_exit_makes_the_server_close_normally_and_say_why() {
    let site = Site::start().await;
    for (word, reason) in [("exit", "you said exit"), ("关闭", "你说了“关闭”")] {
        let mut person = Person::open(&site, "/room/1/").await;
        person.say(word).await;
        assert_eq!(person.closed().await, (1000, reason.to_owned()));
    }
}

#[tokio::test]
async fn two_single_chats_with_the_same_id_do_not_hear_each_other() {
    let site = Site::start().await;
    let mut ada = Person::open(&site, "/room/1/").await;
    let mut ben = Person::open(&site, "/room/1/").await;
    ada.say("from Ada").await;
    assert_eq!(ada.text().await, "server: from Ada");
    ben.say("from Ben").await;
    assert_eq!(ben.text().await, "server: from Ben");
}

#[tokio::test]
async fn a_text_to_a_group_reaches_all_of_it_and_no_other_group() {
    let site = Site::start().await;
    let mut ada = Person::open(&site, "/group/42/").await;
    let mut ben = Person::open(&site, "/group/42/").await;
    let mut eve = Person::open(&site, "/group/4%202/").await;
    ada.say("<b>hello</b>").await;
    assert_eq!(ada.text().await, "<b>hello</b>");
    assert_eq!(ben.text().await, "<b>hello</b>");
    eve.say("only me").await;
    assert_eq!(eve.text().await, "only me");
}

#[tokio::test]
async fn a_text_that_is_too_long_for_a_group_is_answered_to_its_sender_alone() {
    let site = Site::start().await;
    let mut ada = Person::open(&site, "/group/42/").await;
    let mut ben = Person::open(&site, "/group/42/").await;
    ada.say("x".repeat(2001)).await;
    assert_eq!(ada.text().await, "server: a message has at most 2000 characters, this one has 2001");
    ada.say("short").await;
    assert_eq!(ben.text().await, "short");
}

#[tokio::test]
async fn an_announcement_reaches_the_plain_chats_too() {
    let site = Site::start().await;
    let mut one = Person::open(&site, "/room/1/").await;
    let mut group = Person::open(&site, "/group/1/").await;
    let mut ada = Person::enter(&site, "lobby", "Ada").await;
    ada.send(json!({"type": "announce", "message": "tea"})).await;
    assert_eq!(one.text().await, "announcement from Ada: tea");
    assert_eq!(group.text().await, "announcement from Ada: tea");
}

#[tokio::test]
async fn a_bare_socket_in_a_room_gets_its_messages_and_no_word_of_a_protocol_that_it_does_not_speak() {
    let site = Site::start().await;
    // What the page of Django's tutorial does: `new WebSocket(…)`, and `{"message": …}`.
    let mut bare = Person::open(&site, "/ws/chat/lobby/").await;
    assert_eq!(bare.next().await["type"], "welcome");
    let mut page = Person::open_page(&site.address.to_string(), "/ws/chat/lobby/?name=Ada").await;
    page.until(|frame| frame["type"] == "presence").await;
    page.send(json!({"type": "typing"})).await;
    page.send(json!({"message": "hello", "ref": 1})).await;
    let said = bare.frame_as_it_is().await;
    assert_eq!((&said["type"], &said["message"], said.get("@")), (&json!("message"), &json!("hello"), None));
    bare.send(json!({"message": "hello Ada"})).await;
    assert_eq!(bare.frame_as_it_is().await["message"], "hello Ada");
    let heard = page.until(|frame| frame["message"] == "hello Ada").await;
    assert_eq!(heard["@"][0], "chat.lobby");
}

#[tokio::test]
async fn a_reply_has_the_number_of_the_message_or_what_is_wrong_with_it() {
    let site = Site::start().await;
    let mut ada = Person::open_page(&site.address.to_string(), "/ws/chat/lobby/?name=Ada").await;
    ada.send(json!({"message": "hello", "once": "a", "ref": 1})).await;
    ada.send(json!({"message": "hello", "once": "a", "ref": 2})).await;
    let mut first = ada.until(|frame| frame["ref"] == 1).await;
    let again = ada.until(|frame| frame["ref"] == 2).await;
    assert_eq!((&first["type"], &first["value"]["id"]), (&json!("narrows.reply"), &json!(1)));
    first["ref"] = json!(2);
    assert_eq!(again, first);
    ada.send(json!({"message": " ", "ref": 3})).await;
    assert_eq!(ada.until(|frame| frame["ref"] == 3).await["error"]["code"], "empty");
}
