//! What staff see of the site.

use serde_json::json;

use crate::person::Person;
use crate::site::Site;
use crate::visitor::Visitor;

/// Somebody who may do everything.
async fn staff(site: &Site) -> Visitor<'_> {
    let visitor = Visitor::registered(site, "Grace").await;
    site.promote("Grace").await;
    visitor
}

#[tokio::test]
async fn staff_see_rooms_and_what_was_said_there_and_find_it() {
    let site = Site::start().await;
    let mut ada = Person::enter(&site, "lobby", "Ada").await;
    for text in ["tea is ready", "coffee is not"] {
        ada.send(json!({"message": text})).await;
        ada.next().await;
    }
    let mut grace = staff(&site).await;

    let rooms = grace.get("/admin/models/chat_room/").await;
    let messages = grace.get("/admin/models/chat_message/").await;
    let found = grace.get("/admin/models/chat_message/?q=coffee").await;

    assert!(rooms.status() == 200 && rooms.body.contains("lobby"), "{}", rooms.body);
    assert!(messages.body.contains("tea is ready") && messages.body.contains("Ada"), "{}", messages.body);
    assert!(found.body.contains("coffee is not") && !found.body.contains("tea is ready"), "{}", found.body);
}

#[tokio::test]
async fn the_way_to_the_admin_is_shown_to_staff_and_open_to_nobody_else() {
    let site = Site::start().await;
    let mut grace = staff(&site).await;
    let mut ben = Visitor::registered(&site, "Ben").await;
    let link = "href=\"/admin/\"";

    assert!(grace.get("/chat/lobby/").await.body.contains(link));
    assert!(!ben.get("/chat/lobby/").await.body.contains(link));
    assert_eq!(grace.get("/admin/").await.status(), 200);
    assert_ne!(ben.get("/admin/").await.status(), 200);
    assert_ne!(site.get("/admin/models/chat_message/").await.status(), 200);
}

#[tokio::test]
async fn an_announcement_of_the_staff_is_heard_in_all_chats_or_in_one_room() {
    let site = Site::start().await;
    let mut grace = staff(&site).await;
    let mut ada = Person::enter(&site, "lobby", "Ada").await;
    let mut ben = Person::enter(&site, "elsewhere", "Ben").await;
    let mut plain = Person::open(&site, "/room/1/").await;
    plain.say("hello").await;
    plain.text().await;

    let all = [("text", "the site ends at six"), ("to", "everyone")];
    assert_eq!(grace.submit("/admin/live/announcements/", &all).await.status(), 303);
    let one = [("text", "tea is ready"), ("to", "group"), ("group", "chat.lobby")];
    assert_eq!(grace.submit("/admin/live/announcements/", &one).await.status(), 303);

    let said = |text: &str| json!({"type": "announcement", "message": text, "from": "server"});
    assert_eq!(ada.next().await, said("the site ends at six"));
    assert_eq!(ada.next().await, said("tea is ready"));
    assert_eq!(ben.next().await, said("the site ends at six"));
    assert_eq!(plain.text().await, "announcement from server: the site ends at six");
    ben.hears_only_itself().await;
}

#[tokio::test]
async fn staff_see_who_is_connected_and_end_a_connection() {
    let site = Site::start().await;
    let mut grace = staff(&site).await;
    let mut ada = Person::enter(&site, "lobby", "Ada").await;
    ada.hears_only_itself().await;

    let list = grace.get("/admin/live/").await;
    assert!(list.status() == 200 && list.body.contains("/ws/chat/lobby/"), "{}", list.body);
    let (_, rest) = list.body.split_once("/admin/live/connections/").unwrap();
    let end = format!("/admin/live/connections/{}/end/", rest.split_once('/').unwrap().0);
    assert_eq!(grace.submit(&end, &[]).await.status(), 303);
    ada.closed().await;
}

#[tokio::test]
async fn a_room_that_staff_delete_goes_with_all_that_was_said_and_begins_anew() {
    let site = Site::start().await;
    let mut grace = staff(&site).await;
    let account = Visitor::registered(&site, "Ada").await;
    let mut ada = Person::enter_as(&site, "lobby", "Ada", &account.cookie).await;
    for text in ["one", "two"] {
        ada.send(json!({"message": text})).await;
        ada.next().await;
    }
    ada.send(json!({"type": "read", "id": 2})).await;
    ada.until(|frame| frame["type"] == "read").await;

    let delete = "/admin/models/chat_room/chat.lobby/delete/";
    let asked = grace.get(delete).await;
    assert!(asked.body.contains("2 chat messages") && asked.body.contains("1 chat mark"), "{}", asked.body);
    assert_eq!(grace.submit(delete, &[("_confirm", "1")]).await.status(), 303);

    ada.send(json!({"message": "anew"})).await;
    assert_eq!(ada.next().await["message"], "anew");
    let page = ada.ask(json!({"type": "history"})).await;
    assert_eq!((&page["messages"][0]["message"], &page["last"]), (&json!("anew"), &json!(1)), "{page}");
    assert_eq!(page.get("read"), None);
}

#[tokio::test]
async fn what_staff_mend_in_a_message_is_what_searches_find() {
    let site = Site::start().await;
    let mut grace = staff(&site).await;
    let mut ada = Person::enter(&site, "lobby", "Ada").await;
    ada.send(json!({"message": "the SECRET word"})).await;
    ada.next().await;

    let path = "/admin/models/chat_message/chat.lobby,1/";
    let form = grace.get(path).await.body;
    let (_, was) = form.split_once("name=\"_was\" value=\"").unwrap();
    let was = was.split_once('"').unwrap().0.replace("&quot;", "\"").replace("&amp;", "&");
    let mended = [("_was", was.as_str()), ("body", "the PUBLIC word")];
    assert_eq!(grace.submit(path, &mended).await.status(), 303);

    for (words, hits) in [("secret", 0), ("public", 1)] {
        let found = ada.ask(json!({"type": "search", "message": words})).await;
        assert_eq!(found["messages"].as_array().unwrap().len(), hits, "{found}");
    }
}

#[tokio::test]
async fn staff_add_neither_rooms_nor_messages_and_give_no_room_another_name() {
    let site = Site::start().await;
    let mut grace = staff(&site).await;
    let mut ada = Person::enter(&site, "lobby", "Ada").await;
    ada.send(json!({"message": "hello"})).await;
    ada.next().await;

    for table in ["chat_room", "chat_message"] {
        assert_eq!(grace.get(&format!("/admin/models/{table}/add/")).await.status(), 403);
    }
    let room = grace.get("/admin/models/chat_room/chat.lobby/").await;
    assert!(room.status() == 200 && !room.body.contains("name=\"title\""), "{}", room.body);
}
