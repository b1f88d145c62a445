use serde_json::json;

use crate::person::Person;
use crate::site::{Announce, Site};

#[tokio::test]
async fn the_first_message_welcomes_by_name_and_room() {
    let site = Site::start().await;
    let mut ada = Person::open(&site, "/ws/chat/lobby/?name=%20Ada%20").await;
    assert_eq!(ada.next().await, json!({"type": "welcome", "name": "Ada", "room": "lobby"}));
    ada.hears_only_itself().await;
}

#[tokio::test]
async fn what_one_says_reaches_everyone_in_the_room_and_no_other_room() {
    let site = Site::start().await;
    let mut ada = Person::enter(&site, "lobby", "Ada").await;
    let mut ben = Person::enter(&site, "lobby", "Ben").await;
    let mut eve = Person::enter(&site, "elsewhere", "Eve").await;
    ada.send(json!({"message": "hello"})).await;
    let hello = json!({"type": "message", "message": "hello", "from": "Ada"});
    assert_eq!(ada.next().await, hello);
    assert_eq!(ben.next().await, hello);
    eve.hears_only_itself().await;
}

#[tokio::test]
async fn a_room_may_have_any_name_in_any_script() {
    let site = Site::start().await;
    for (room, name) in
        [("%E5%A4%A7%E5%8E%85", "大厅"), ("a%20b%2Fc%3F%00", "a b/c?\0"), ("大厅%F0%9F%98%80", "大厅😀")]
    {
        let mut ada = Person::open(&site, &format!("/ws/chat/{room}/?name=Ada")).await;
        assert_eq!(ada.next().await, json!({"type": "welcome", "name": "Ada", "room": name}));
        ada.hears_only_itself().await;
    }
}

#[tokio::test]
async fn rooms_whose_names_differ_in_one_character_of_any_script_do_not_mix() {
    let site = Site::start().await;
    let mut hall = Person::enter(&site, "%E5%A4%A7%E5%8E%85", "Ada").await;
    let mut other = Person::enter(&site, "%E5%A4%A7%E5%8F%85", "Ben").await;
    hall.send(json!({"message": "hello"})).await;
    assert_eq!(hall.next().await["message"], "hello");
    other.hears_only_itself().await;
}

#[tokio::test]
async fn a_direct_message_reaches_all_devices_of_both_and_nobody_else() {
    let site = Site::start().await;
    let mut ada = [Person::enter(&site, "a", "Ada").await, Person::enter(&site, "b", "Ada").await];
    let mut ben = [Person::enter(&site, "c", "Ben").await, Person::enter(&site, "d", "Ben").await];
    let mut eve = Person::enter(&site, "e", "Eve").await;
    ada[0].send(json!({"type": "direct", "to": " Ben ", "message": "psst"})).await;
    let direct = json!({"type": "direct", "from": "Ada", "to": "Ben", "message": "psst"});
    for device in ada.iter_mut().chain(&mut ben) {
        assert_eq!(device.next().await, direct);
        device.hears_only_itself().await;
    }
    eve.hears_only_itself().await;
}

#[tokio::test]
async fn a_direct_message_to_oneself_arrives_once() {
    let site = Site::start().await;
    let mut ada = Person::enter(&site, "a", "Ada").await;
    ada.send(json!({"type": "direct", "to": "Ada", "message": "a note"})).await;
    assert_eq!(ada.next().await["message"], "a note");
    ada.hears_only_itself().await;
}

#[tokio::test]
async fn a_direct_message_between_guests_counts_once_when_it_is_sent_again_after_a_cut() {
    let site = Site::start().await;
    let mut ben = Person::enter(&site, "b", "Ben").await;
    let mut phone = Person::enter(&site, "c", "Ada").await;
    // The first reply is lost with the connection, so the message comes again on the next one.
    for messages in [vec![(1, "hi")], vec![(1, "hi"), (2, "there")]] {
        let client = "narrows.client.AAAAAAAAAAAAAAAAAAAAAA";
        let mut ada = Person::open_again(&site, "/ws/chat/a/?name=Ada", "", client).await;
        for (reference, message) in messages {
            let direct = json!({"type": "direct", "to": "Ben", "message": message, "ref": reference});
            ada.send(direct).await;
            ada.until(|frame| frame["type"] == "narrows.reply").await;
        }
    }
    for person in [&mut ben, &mut phone] {
        for text in ["hi", "there"] {
            assert_eq!(person.next().await["message"], text);
        }
        person.hears_only_itself().await;
    }
}

#[tokio::test]
async fn an_announcement_reaches_every_room() {
    let site = Site::start().await;
    let mut ada = Person::enter(&site, "a", "Ada").await;
    let mut ben = Person::enter(&site, "b", "Ben").await;
    ada.send(json!({"type": "announce", "message": "tea is ready"})).await;
    let announcement = json!({"type": "announcement", "message": "tea is ready", "from": "Ada"});
    assert_eq!(ada.next().await, announcement);
    assert_eq!(ben.next().await, announcement);
}

#[tokio::test]
async fn announcements_can_be_switched_off() {
    let site = Site::start_on("127.0.0.1:0", Announce::Nobody).await;
    let mut ada = Person::enter(&site, "a", "Ada").await;
    ada.send(json!({"type": "announce", "message": "tea is ready"})).await;
    let error = ada.next().await;
    assert_eq!((&error["type"], &error["code"]), (&json!("error"), &json!("forbidden")));
    ada.hears_only_itself().await;
}

#[tokio::test]
async fn a_message_that_is_none_is_answered_with_an_error_and_the_socket_stays() {
    let site = Site::start().await;
    let mut ada = Person::enter(&site, "a", "Ada").await;
    for (bad, why) in [
        ("no json", "expected ident"),
        ("5", "expected an object with a message"),
        (r#"{"message": 5}"#, "invalid type: integer `5`, expected a string"),
        ("{}", "missing field `message`"),
        ("[]", "an object with a message"),
        (r#"{"type": "shout", "message": "x"}"#, "unknown variant `shout`"),
        (r#"{"type": "welcome", "message": "x"}"#, "unknown variant `welcome`"),
        (r#"{"type": "direct", "message": "x"}"#, "missing field `to`"),
        (r#"{"type": "direct", "to": 7, "message": "x"}"#, "invalid type: integer `7`"),
    ] {
        ada.say(bad).await;
        let error = ada.next().await;
        assert_eq!((&error["type"], &error["code"]), (&json!("error"), &json!("malformed")), "{bad}");
        assert!(error["detail"].as_str().unwrap().contains(why), "{bad}: {error}");
    }
    ada.hears_only_itself().await;
}

#[tokio::test]
async fn what_breaks_a_limit_is_answered_with_its_code_and_the_socket_stays() {
    let site = Site::start().await;
    let mut ada = Person::enter(&site, "a", "Ada").await;
    for (bad, code) in [
        (json!({"message": " \n"}), "empty"),
        (json!({"type": "announce", "message": ""}), "empty"),
        (json!({"message": "聊".repeat(2001)}), "too_long"),
        (json!({"type": "direct", "to": "", "message": "x"}), "bad_name"),
        (json!({"type": "direct", "to": "B\u{7}n", "message": "x"}), "bad_name"),
    ] {
        ada.send(bad).await;
        assert_eq!(ada.next().await["code"], code);
    }
    ada.send(json!({"message": "聊".repeat(2000)})).await;
    assert_eq!(ada.next().await["message"], "聊".repeat(2000));
}

#[tokio::test]
async fn text_that_looks_like_markup_arrives_unchanged() {
    let site = Site::start().await;
    let mut ada = Person::enter(&site, "a", "Ada").await;
    let text = "<img src=x onerror=alert(1)> &lt; \"'\\ \u{0}\u{2028}\u{202e} {{7*7}} ${x} %s \r\n";
    ada.send(json!({"message": text})).await;
    assert_eq!(ada.next().await["message"], text);
}

#[tokio::test]
async fn who_gives_no_name_is_a_guest_with_a_number() {
    let site = Site::start().await;
    for query in ["", "?name=", "?name=%20"] {
        let mut guest = Person::open(&site, &format!("/ws/chat/a/{query}")).await;
        let welcome = guest.next().await;
        let number = welcome["name"].as_str().unwrap().strip_prefix("guest-").unwrap();
        assert!(number.len() == 4 && number.bytes().all(|b| b.is_ascii_hexdigit()), "{number}");
    }
}

#[tokio::test]
async fn a_name_that_cannot_be_one_refuses_the_handshake() {
    let site = Site::start().await;
    for name in ["a%07b".to_owned(), "x".repeat(41)] {
        assert_eq!(Person::refused(&site, &format!("/ws/chat/a/?name={name}"), None).await, 400);
    }
}

#[tokio::test]
async fn a_page_of_another_site_cannot_connect() {
    let site = Site::start().await;
    for path in ["/ws/chat/a/", "/group/1/", "/room/1/"] {
        assert_eq!(Person::refused(&site, path, Some(("origin", "http://evil.example"))).await, 403);
    }
}
