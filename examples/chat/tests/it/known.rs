//! Chat rooms for people who are logged in.

use narrows::layer::MemoryLayer;
use serde_json::json;

use crate::person::Person;
use crate::site::{Doors, Home, Site};
use crate::visitor::{PASSWORD, Visitor};

#[tokio::test]
async fn who_is_logged_in_has_the_name_of_the_account_and_a_mark_whatever_the_query_says() {
    let site = Site::start().await;
    let ada = Visitor::registered(&site, "Ada").await;
    let mut person = Person::open_as(&site, "/ws/chat/lobby/?name=Ben", &ada.cookie).await;
    assert_eq!(
        person.next().await,
        json!({"type": "welcome", "name": "Ada", "account": true, "room": "lobby"})
    );
    person.send(json!({"message": "hello"})).await;
    let hello = json!({"type": "message", "message": "hello", "from": "Ada", "account": true});
    assert_eq!(person.next().await, hello);
    person.send(json!({"type": "announce", "message": "tea"})).await;
    let tea = json!({"type": "announcement", "message": "tea", "from": "Ada", "account": true});
    assert_eq!(person.next().await, tea);
}

#[tokio::test]
async fn a_guest_who_asks_for_the_name_of_an_account_is_a_guest_with_a_number_and_told_why() {
    let site = Site::start().await;
    Visitor::registered(&site, "Ada").await;
    let mut guest = Person::open(&site, "/ws/chat/lobby/?name=%20Ada").await;
    let welcome = guest.next().await;
    assert!(welcome["name"].as_str().unwrap().starts_with("guest-"), "{welcome}");
    assert_eq!(guest.next().await["code"], "name_taken");
    guest.send(json!({"message": "I am Ada"})).await;
    let said = guest.next().await;
    assert_eq!((&said["from"], said.get("account")), (&welcome["name"], None));
}

#[tokio::test]
async fn a_cookie_without_an_origin_or_of_another_site_opens_no_room_as_its_user() {
    let site = Site::start().await;
    let ada = Visitor::registered(&site, "Ada").await;
    let cookie = Some(("cookie", ada.cookie.as_str()));
    assert_eq!(Person::refused(&site, "/ws/notifications/", cookie).await, 403);
    assert_eq!(Person::refused(&site, "/ws/notifications/", None).await, 401);
    assert_eq!(
        Person::refused(&site, "/ws/notifications/", Some(("origin", "http://evil.example"))).await,
        403
    );
}

#[tokio::test]
async fn a_direct_message_reaches_all_devices_of_the_account_and_no_guest_of_that_name_or_id() {
    let site = Site::start().await;
    // They have the name before it is an account's, and a name that is the account's id.
    let mut namesake = Person::enter(&site, "a", "Ada").await;
    let mut numbers = Vec::new();
    for number in ["1", "2", "3"] {
        numbers.push(Person::enter(&site, "b", number).await);
    }
    let ada = Visitor::registered(&site, "Ada").await;
    let phone = Visitor::logged_in(&site, "Ada").await;
    let ben = Visitor::registered(&site, "Ben").await;
    let mut devices = [
        Person::enter_as(&site, "c", "Ada", &ada.cookie).await,
        Person::enter_as(&site, "d", "Ada", &phone.cookie).await,
    ];
    let mut sender = Person::enter_as(&site, "e", "Ben", &ben.cookie).await;
    sender.send(json!({"type": "direct", "to": "Ada", "message": "psst"})).await;
    let direct = json!({"type": "direct", "from": "Ben", "account": true, "to": "Ada", "message": "psst"});
    for device in devices.iter_mut().chain([&mut sender]) {
        assert_eq!(device.next().await, direct);
        device.hears_only_itself().await;
    }
    namesake.hears_only_itself().await;
    numbers[0].hears_only_itself().await;
}

#[tokio::test]
async fn what_one_says_shows_up_as_ones_own_on_the_other_device_and_not_for_a_guest_of_the_name() {
    let site = Site::start().await;
    let mut namesake = Person::enter(&site, "lobby", "Ada").await;
    let ada = Visitor::registered(&site, "Ada").await;
    let phone = Visitor::logged_in(&site, "Ada").await;
    let mut desk = Person::enter_as(&site, "lobby", "Ada", &ada.cookie).await;
    let mut phone = Person::enter_as(&site, "lobby", "Ada", &phone.cookie).await;
    desk.send(json!({"message": "it is me"})).await;
    namesake.send(json!({"message": "no, me"})).await;
    for person in [&mut desk, &mut phone, &mut namesake] {
        let mut both = [person.next().await, person.next().await];
        both.sort_by_key(|message| message["message"].as_str().unwrap().to_owned());
        assert_eq!(
            both[0],
            json!({"type": "message", "message": "it is me", "from": "Ada", "account": true})
        );
        assert_eq!(both[1], json!({"type": "message", "message": "no, me", "from": "Ada"}));
    }
}

#[tokio::test]
async fn a_direct_message_to_nobody_is_an_error() {
    let site = Site::start_with_doors(Doors::Required).await;
    let ada = Visitor::registered(&site, "Ada").await;
    let mut ada = Person::enter_as(&site, "a", "Ada", &ada.cookie).await;
    ada.send(json!({"type": "direct", "to": "nobody", "message": "psst"})).await;
    assert_eq!(ada.next().await["code"], "no_such_user");
    // Where guests chat too, that goes for whoever says that an account is meant.
    let site = Site::start().await;
    let (mut eve, mut ben) = (Person::enter(&site, "a", "Eve").await, Person::enter(&site, "b", "Ben").await);
    eve.send(json!({"type": "direct", "to": "Ben", "account": true, "message": "psst"})).await;
    assert_eq!(eve.next().await["code"], "no_such_user");
    ben.hears_only_itself().await;
    eve.send(json!({"type": "direct", "to": "Ben", "message": "psst"})).await;
    assert_eq!(ben.next().await["message"], "psst");
}

#[tokio::test]
async fn a_log_out_closes_the_sockets_of_the_session_on_all_nodes_and_no_others() {
    let (home, layer) = (Home::new(), MemoryLayer::new());
    let other = layer.another_node();
    let (one, two) =
        (Site::node(&home, layer, Doors::Optional).await, Site::node(&home, other, Doors::Optional).await);
    let mut ada = Visitor::registered(&one, "Ada").await;
    let phone = Visitor::logged_in(&two, "Ada").await;
    let mut ending = [
        Person::enter_as(&one, "a", "Ada", &ada.cookie).await,
        Person::enter_as(&two, "b", "Ada", &ada.cookie).await,
        Person::open_as(&two, "/ws/notifications/", &ada.cookie).await,
    ];
    let mut staying =
        [Person::enter_as(&two, "c", "Ada", &phone.cookie).await, Person::enter(&one, "d", "Guest").await];
    assert_eq!(ada.submit("/logout/", &[]).await.status(), 303);
    for socket in &mut ending {
        assert_eq!(socket.closed().await.0, 4401);
    }
    for socket in &mut staying {
        socket.hears_only_itself().await;
    }
}

#[tokio::test]
async fn a_changed_password_closes_the_sockets_of_the_other_sessions() {
    let site = Site::start().await;
    let mut ada = Visitor::registered(&site, "Ada").await;
    let phone = Visitor::logged_in(&site, "Ada").await;
    let ben = Visitor::registered(&site, "Ben").await;
    let mut lost = Person::enter_as(&site, "a", "Ada", &phone.cookie).await;
    let mut ben = Person::enter_as(&site, "b", "Ben", &ben.cookie).await;
    let new = "a quiet blue field";
    let fields = [("old_password", PASSWORD), ("password", new), ("password_again", new)];
    assert_eq!(ada.submit("/account/", &fields).await.status(), 303);
    assert_eq!(lost.closed().await.0, 4401);
    ben.hears_only_itself().await;
    Person::enter_as(&site, "c", "Ada", &ada.cookie).await;
}

#[tokio::test]
async fn a_page_of_an_account_is_nobody_else_when_its_session_is_over_or_anothers() {
    let site = Site::start().await;
    let ada = Visitor::registered(&site, "Ada").await;
    let mut page = Person::open_as(&site, "/ws/chat/lobby/?as=Ada", &ada.cookie).await;
    assert_eq!(page.next().await["account"], true);
    for (cookie, path) in [("", "?as=Ada"), (&ada.cookie, "?as=Ben"), (&ada.cookie, "?as=")] {
        let path = format!("/ws/chat/lobby/{path}");
        assert_eq!(Person::refused_as(&site, &path, cookie).await, 401, "{path}");
    }
}
