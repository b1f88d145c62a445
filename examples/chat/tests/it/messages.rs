//! What is kept of what was said, and how it is read again.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use narrows::layer::MemoryLayer;
use serde_json::{Value, json};

use crate::person::Person;
use crate::site::{Doors, Home, Site};
use crate::visitor::Visitor;

fn texts(page: &Value) -> Vec<&str> {
    page["messages"].as_array().unwrap().iter().map(|kept| kept["message"].as_str().unwrap()).collect()
}

async fn says_all(person: &mut Person, texts: impl IntoIterator<Item = String>) {
    for text in texts {
        person.send(json!({"message": text})).await;
        assert_eq!(person.next().await["message"], text);
    }
}

#[tokio::test]
async fn who_comes_later_reads_what_was_said_with_its_numbers_names_and_times() {
    let site = Site::start().await;
    let ada = Visitor::registered(&site, "Ada").await;
    let mut ada = Person::enter_as(&site, "lobby", "Ada", &ada.cookie).await;
    ada.send(json!({"message": "hello \u{0}\u{10fffe}0"})).await;
    let said = ada.frame_as_it_is().await;
    let mut ben = Person::enter(&site, "lobby", "Ben").await;
    says_all(&mut ben, ["hello Ada".to_owned()]).await;
    let page = ben.ask(json!({"type": "history"})).await;
    assert_eq!((&page["type"], &page["last"], &page["more"]), (&json!("history"), &json!(2), &json!(false)));
    assert_eq!(page["epoch"], said["epoch"]);
    let first = json!({
        "id": 1, "message": "hello \u{0}\u{10fffe}0", "from": "Ada", "account": true, "time": said["time"]
    });
    assert_eq!(page["messages"][0], first);
    assert_eq!(page["messages"][1]["from"], "Ben");
    let mut eve = Person::enter(&site, "elsewhere", "Eve").await;
    assert_eq!(eve.ask(json!({"type": "history"})).await["messages"], json!([]));
}

#[tokio::test]
async fn a_history_is_read_backwards_and_forwards_in_pages_without_a_hole_or_a_message_twice() {
    let site = Site::start().await;
    let mut ada = Person::enter(&site, "lobby", "Ada").await;
    let all: Vec<String> = (1..=120).map(|n| format!("message {n}")).collect();
    says_all(&mut ada, all.clone()).await;
    let mut read: Vec<String> = Vec::new();
    let mut page = ada.ask(json!({"type": "history"})).await;
    loop {
        let texts: Vec<String> = texts(&page).into_iter().map(str::to_owned).collect();
        read.splice(0..0, texts);
        if page["more"] == false {
            break;
        }
        page = ada.ask(json!({"type": "history", "before": page["messages"][0]["id"]})).await;
    }
    assert_eq!(read, all);
    let (mut after, mut forwards) = (7, Vec::new());
    loop {
        let page = ada.ask(json!({"type": "history", "after": after})).await;
        forwards.extend(texts(&page).into_iter().map(str::to_owned));
        if page["more"] == false {
            break;
        }
        after = page["messages"].as_array().unwrap().last().unwrap()["id"].as_u64().unwrap();
    }
    assert_eq!(forwards, all[7..]);
}

#[tokio::test]
async fn a_message_that_is_sent_again_with_its_id_is_kept_once_and_that_of_another_too() {
    let site = Site::start().await;
    let ada = "/ws/chat/lobby/?name=Ada&guest=adas-own-secret-0001";
    let (mut desk, mut phone) = (Person::open(&site, ada).await, Person::open(&site, ada).await);
    let mut other = Person::enter(&site, "lobby", "Ada").await;
    for device in [&mut desk, &mut phone] {
        device.next().await;
    }
    for device in [&mut desk, &mut phone, &mut other] {
        device.send(json!({"message": "once", "once": "a-1"})).await;
        // What comes behind it is handled after it.
        device.ask(json!({"type": "history"})).await;
    }
    assert_eq!(texts(&desk.ask(json!({"type": "history"})).await), ["once", "once"]);
}

#[tokio::test]
async fn all_that_two_nodes_write_at_once_has_one_order_without_a_hole() {
    let (home, layer) = (Home::new(), MemoryLayer::new());
    let other = layer.another_node();
    let one = Site::node(&home, layer, Doors::Off).await;
    let two = Site::node(&home, other, Doors::Off).await;
    let mut ada = Person::enter(&one, "lobby", "Ada").await;
    let mut ben = Person::enter(&two, "lobby", "Ben").await;
    for n in 0..20 {
        ada.send(json!({"message": format!("Ada {n}")})).await;
        ben.send(json!({"message": format!("Ben {n}")})).await;
    }
    let mut heard = Vec::new();
    while heard.len() < 40 {
        heard.push(ada.frame_as_it_is().await);
    }
    heard.sort_by_key(|message| message["id"].as_u64());
    let page = ada.ask(json!({"type": "history"})).await;
    let live: Vec<&str> = heard.iter().map(|message| message["message"].as_str().unwrap()).collect();
    assert_eq!(texts(&page), live);
    let ids: Vec<u64> = heard.iter().map(|message| message["id"].as_u64().unwrap()).collect();
    assert_eq!(ids, (1..=40).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_search_finds_words_of_any_script_in_its_room_alone_and_no_character_means_something() {
    let site = Site::start().await;
    let mut ada = Person::enter(&site, "lobby", "Ada").await;
    let mut eve = Person::enter(&site, "elsewhere", "Eve").await;
    says_all(&mut eve, ["Привет, 100% of Eve's".to_owned()]).await;
    let said =
        ["ПРИВЕТ, мир", "今天天气很好", "100% \"sure\" it's a_b \\ C:\\x", "ＷＩＤＥ letters", "a\u{0}b"];
    says_all(&mut ada, said.map(str::to_owned)).await;
    for (words, found) in [
        ("привет", vec![said[0]]),
        ("天气", vec![said[1]]),
        ("100%", vec![said[2]]),
        ("a_b it's", vec![said[2]]),
        ("\"SURE\" \\", vec![said[2]]),
        ("wide", vec![said[3]]),
        ("a\u{0}b", vec![said[4]]),
        ("%", vec![said[2]]),
        ("_", vec![said[2]]),
        ("sure nowhere", vec![]),
    ] {
        let answer = ada.ask(json!({"type": "search", "message": words})).await;
        assert_eq!((&answer["type"], texts(&answer)), (&json!("found"), found), "{words}");
    }
}

#[tokio::test]
async fn a_search_gives_the_newest_first_and_goes_on_where_it_ended() {
    let site = Site::start().await;
    let mut ada = Person::enter(&site, "lobby", "Ada").await;
    says_all(&mut ada, (1..=70).map(|n| format!("message {n}"))).await;
    let (mut found, mut before) = (Vec::new(), Value::Null);
    loop {
        let answer = ada.ask(json!({"type": "search", "message": "MESSAGE", "before": before})).await;
        found.extend(texts(&answer).into_iter().map(str::to_owned));
        before = answer["before"].clone();
        if before.is_null() {
            break;
        }
    }
    assert_eq!(found, (1..=70).rev().map(|n| format!("message {n}")).collect::<Vec<_>>());
}

#[tokio::test]
async fn how_far_an_account_has_read_is_known_on_its_other_device_and_never_goes_back() {
    let site = Site::start().await;
    let ada = Visitor::registered(&site, "Ada").await;
    let mut desk = Person::enter_as(&site, "lobby", "Ada", &ada.cookie).await;
    let mut phone = Person::enter_as(&site, "elsewhere", "Ada", &ada.cookie).await;
    says_all(&mut desk, (1..=5).map(|n| format!("message {n}"))).await;
    // One that is behind says nothing new, and is passed over.
    for (read, holds) in [(3, Some(3)), (2, None), (5000, Some(5)), (5, None)] {
        desk.send(json!({"type": "read", "id": read})).await;
        for device in [&mut desk, &mut phone] {
            match holds {
                Some(id) => {
                    let mark = json!({"type": "read", "room": "lobby", "id": id});
                    assert_eq!(device.frame_as_it_is().await, mark);
                }
                None => {
                    device.send(json!({"type": "history"})).await;
                    assert_eq!(device.frame_as_it_is().await["type"], "history");
                }
            }
        }
    }
}

#[tokio::test]
async fn marks_push_no_direct_message_out_of_what_a_device_finds_when_it_comes_back() {
    let site = Site::start().await;
    let (ada, ben) = (Visitor::registered(&site, "Ada").await, Visitor::registered(&site, "Ben").await);
    let client = "narrows.client.AAAAAAAAAAAAAAAAAAAAAA";
    let mut phone = Person::open_again(&site, "/ws/chat/b/", &ada.cookie, client).await;
    let is_inbox = |frame: &Value| {
        frame["type"] == "narrows.joined" && frame["group"].as_str().unwrap().starts_with("user.")
    };
    let joined = phone.until(is_inbox).await;
    drop(phone);
    let mut desk = Person::enter_as(&site, "lobby", "Ada", &ada.cookie).await;
    let mut ben = Person::enter_as(&site, "c", "Ben", &ben.cookie).await;
    ben.send(json!({"type": "direct", "to": "Ada", "message": "psst"})).await;
    assert_eq!(desk.next().await["message"], "psst");
    for id in 1..=150 {
        says_all(&mut desk, [format!("message {id}")]).await;
        desk.send(json!({"type": "read", "id": id})).await;
        assert_eq!(desk.frame_as_it_is().await["id"], id);
    }
    let at = json!({joined["group"].as_str().unwrap(): joined["at"]}).to_string();
    let offers = format!("{client}, narrows.at.{}", URL_SAFE_NO_PAD.encode(at));
    let mut phone = Person::open_again(&site, "/ws/chat/b/", &ada.cookie, &offers).await;
    assert_eq!(phone.until(is_inbox).await["recovered"], true);
    assert_eq!(phone.until(|frame| frame["type"] == "direct").await["message"], "psst");
}

#[tokio::test]
async fn what_is_too_old_is_deleted_and_the_rest_keeps_its_numbers() {
    let home = Home::new();
    let site = Site::node(&home, MemoryLayer::new(), Doors::Off).await;
    let mut ada = Person::enter(&site, "lobby", "Ada").await;
    says_all(&mut ada, (1..=3).map(|n| format!("message {n}"))).await;
    let messages = site.messages();
    assert_eq!(messages.delete_older_than(Duration::from_secs(3600)).await.unwrap(), 0);
    // Until the clock has gone on by one more millisecond nothing is older than none at all.
    while messages.delete_older_than(Duration::ZERO).await.unwrap() < 3 {}
    says_all(&mut ada, ["message 4".to_owned()]).await;
    let page = ada.ask(json!({"type": "history"})).await;
    assert_eq!((texts(&page), &page["last"]), (vec!["message 4"], &json!(4)));
}

#[tokio::test]
async fn the_list_of_rooms_says_who_is_there_and_what_an_account_has_not_read() {
    let site = Site::start().await;
    let mut ada = Visitor::registered(&site, "Ada").await;
    let mut desk = Person::enter_as(&site, "lobby", "Ada", &ada.cookie).await;
    let _ben = Person::enter(&site, "lobby", "Ben").await;
    says_all(&mut desk, (1..=5).map(|n| format!("message {n}"))).await;
    desk.send(json!({"type": "read", "id": 3})).await;
    assert_eq!(desk.frame_as_it_is().await["id"], 3);
    let rooms = ada.get("/api/rooms/?room=nowhere").await.json();
    let epoch = &rooms[0]["epoch"];
    assert_eq!(rooms[0], json!({"room": "lobby", "here": 2, "epoch": epoch, "last": 5, "read": 3}));
    assert_eq!(rooms[1], json!({"room": "nowhere", "here": 0, "epoch": 0, "last": 0, "read": null}));
    let guest = site.get("/api/rooms/?room=lobby").await.json();
    assert_eq!(guest, json!([{"room": "lobby", "here": 2, "epoch": epoch, "last": 5, "read": null}]));
}

#[tokio::test]
async fn the_list_has_the_rooms_in_which_something_was_said_last_and_the_marks_of_those_that_are_named() {
    let site = Site::start().await;
    let mut ada = Visitor::registered(&site, "Ada").await;
    // By their names the last room said to is the first one, and the first one said to the last.
    let rooms: Vec<String> = (0..=50).map(|n| format!("room-{:02}", 50 - n)).collect();
    for room in &rooms {
        let mut desk = Person::enter_as(&site, room, "Ada", &ada.cookie).await;
        says_all(&mut desk, ["hello".to_owned()]).await;
        desk.send(json!({"type": "read", "id": 1})).await;
        assert_eq!(desk.frame_as_it_is().await["id"], 1);
    }
    let names = |list: Value| -> Vec<String> {
        list.as_array().unwrap().iter().map(|room| room["room"].as_str().unwrap().to_owned()).collect()
    };
    let mut listed = names(ada.get("/api/rooms/").await.json());
    listed.sort();
    let mut newest = rooms[1..].to_vec();
    newest.sort();
    assert_eq!(listed, newest, "all but the one said to first");
    let list = ada.get("/api/rooms/?room=room-50").await.json();
    let named = list.as_array().unwrap().iter().find(|room| room["room"] == "room-50").unwrap();
    assert_eq!((list.as_array().unwrap().len(), &named["read"]), (51, &json!(1)));
    let mut eve = Person::enter(&site, "room-50", "Eve").await;
    says_all(&mut eve, ["news".to_owned()]).await;
    assert!(names(ada.get("/api/rooms/").await.json()).contains(&rooms[0]));
}
