//! What is pushed to one user.

use narrows::layer::MemoryLayer;
use narrows::{Channels, Group};
use serde_json::{Value, json};

use crate::person::Person;
use crate::site::{Doors, Home, Site};
use crate::visitor::Visitor;

const SOCKET: &str = "/ws/notifications/";

#[tokio::test]
async fn the_form_pushes_to_all_devices_of_one_user_on_every_node_and_to_nobody_else() {
    let (home, layer) = (Home::new(), MemoryLayer::new());
    let other = layer.another_node();
    let (one, two) =
        (Site::node(&home, layer, Doors::Optional).await, Site::node(&home, other, Doors::Optional).await);
    let (mut ada, ben) = (Visitor::registered(&one, "Ada").await, Visitor::registered(&two, "Ben").await);
    let mut bens = [
        Person::open_as(&one, SOCKET, &ben.cookie).await,
        Person::open_as(&two, SOCKET, &ben.cookie).await,
        Person::enter_as(&two, "lobby", "Ben", &ben.cookie).await,
    ];
    let mut guest = Person::enter(&one, "elsewhere", "Eve").await;
    let answer =
        ada.submit("/notifications/", &[("to", "Ben"), ("message", "your post got a comment")]).await;
    assert_eq!((answer.status(), answer.header("location")), (303, "/notifications/"));
    assert!(ada.get("/notifications/").await.body.contains("Sent to Ben."));
    assert!(!ada.get("/notifications/").await.body.contains("Sent to Ben."), "it is said once");
    let pushed = json!({"type": "notification", "message": "your post got a comment", "from": "Ada"});
    for device in &mut bens {
        assert_eq!(device.next().await, pushed);
    }
    guest.hears_only_itself().await;
}

#[tokio::test]
async fn a_form_that_is_not_right_comes_back_with_what_was_typed() {
    let site = Site::start().await;
    let mut ada = Visitor::registered(&site, "Ada").await;
    let long = "x".repeat(2001);
    for (to, message, status, shown) in [
        ("nobody", "hello", 404, "There is no account of that name."),
        ("", "hello", 422, "There is no account of that name."),
        ("Ada", " ", 422, "There is nothing in this message."),
        ("Ada", &long, 422, "A message has at most 2000 characters."),
    ] {
        let answer = ada.submit("/notifications/", &[("to", to), ("message", message)]).await;
        assert_eq!(answer.status(), status, "{to}");
        assert!(answer.body.contains(shown), "{shown}\n{}", answer.body);
        assert!(answer.body.contains(&format!("value=\"{message}\"")), "{to}");
    }
}

#[tokio::test]
async fn a_program_pushes_with_json_and_is_told_what_is_wrong() {
    let site = Site::start().await;
    let mut ada = Visitor::registered(&site, "Ada").await;
    let mut inbox = Person::open_as(&site, SOCKET, &ada.cookie).await;
    let notify = r#"{"to": "Ada", "message": "a note"}"#;
    let sent = ada.post("/api/notify/", notify).await;
    assert_eq!((sent.status(), sent.json()), (200, json!({"sent": true, "to": "Ada"})));
    assert_eq!(inbox.next().await, json!({"type": "notification", "message": "a note", "from": "Ada"}));
    let nobody = Visitor::new(&site).post("/api/notify/", notify).await;
    assert_eq!((nobody.status(), &nobody.json()["error"]), (401, &json!("anonymous")));
    for (body, status, error) in [
        ("{", 400, "malformed"),
        (r#"{"to": 5, "message": "x"}"#, 422, "malformed"),
        (r#"{"to": "nobody", "message": "x"}"#, 404, "no_such_user"),
        (r#"{"to": "Ada"}"#, 422, "empty"),
    ] {
        let answer = ada.post("/api/notify/", body).await;
        assert_eq!((answer.status(), &answer.json()["error"]), (status, &json!(error)), "{body}");
    }
}

#[tokio::test]
async fn a_program_comes_in_with_the_token_of_the_account_page_until_that_is_deleted() {
    let site = Site::start().await;
    let (mut ada, mut ben) =
        (Visitor::registered(&site, "Ada").await, Visitor::registered(&site, "Ben").await);
    let page = ada.submit("/account/token/", &[]).await.body;
    let token =
        page.split_once("<code>").and_then(|(_, rest)| rest.split_once("</code>")).unwrap().0.to_owned();
    assert_eq!(token.len(), 40);
    let mut inbox = Person::open_as(&site, SOCKET, &ben.cookie).await;
    let by_token = async || {
        let body = r#"{"to": "Ben", "message": "built"}"#;
        let headers = format!(
            "content-type: application/json\r\ncontent-length: {}\r\nauthorization: Token {token}\r\n",
            body.len()
        );
        site.send("POST", "/api/notify/", &headers, body).await.status()
    };
    assert_eq!(by_token().await, 200);
    assert_eq!(inbox.next().await, json!({"type": "notification", "message": "built", "from": "Ada"}));
    assert!(!ben.submit("/account/token/", &[]).await.body.contains(&token));
    assert_eq!(ada.submit("/account/token/delete/", &[]).await.status(), 303);
    assert_eq!(by_token().await, 401);
}

#[tokio::test]
async fn another_program_on_the_layer_pushes_with_a_type_and_a_message_alone() {
    let (home, layer) = (Home::new(), MemoryLayer::new());
    let elsewhere = Channels::with_layer(layer.another_node());
    let site = Site::node(&home, layer, Doors::Optional).await;
    let ada = Visitor::registered(&site, "Ada").await;
    let mut inbox = Person::open_as(&site, SOCKET, &ada.cookie).await;
    let mut room = Person::enter_as(&site, "lobby", "Ada", &ada.cookie).await;
    let group = Group::<Value>::inbox("1");
    elsewhere.broadcast(&group, &json!({"type": "notification", "message": "from a view"})).await.unwrap();
    for device in [&mut inbox, &mut room] {
        let pushed = device.next().await;
        assert_eq!(pushed, json!({"type": "notification", "message": "from a view", "from": ""}));
    }
}

#[tokio::test]
async fn the_socket_takes_nothing_and_says_so() {
    let site = Site::start().await;
    let ada = Visitor::registered(&site, "Ada").await;
    let mut inbox = Person::open_as(&site, SOCKET, &ada.cookie).await;
    inbox.say("hello").await;
    assert_eq!(inbox.next().await["code"], "not_taken");
}

#[tokio::test]
async fn a_page_can_ask_who_is_logged_in() {
    let site = Site::start().await;
    let mut ada = Visitor::registered(&site, "Ada").await;
    assert_eq!(ada.get("/api/me/").await.json(), json!({"user": "Ada", "required": false}));
    ada.submit("/logout/", &[]).await;
    assert_eq!(ada.get("/api/me/").await.json(), json!({"user": null, "required": false}));
}
