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
