//! Django's server comes to its end, and the sockets stay.

use std::process::Command;

use crate::site::Site;
use crate::visitor::Visitor;

#[tokio::test]
async fn while_django_is_away_pages_are_a_502_and_sockets_stay_and_it_is_started_again() {
    let Some(mut site) = Site::start() else { return };
    let (ada, ben) = (Visitor::log_in(&site, "ada").await, Visitor::log_in(&site, "ben").await);
    let (mut hers, mut his) = (ada.live().await, ben.live().await);
    for server in site.servers() {
        assert!(Command::new("kill").args(["-KILL", &server.to_string()]).status().unwrap().success());
    }
    site.child.line("Django's server ended with");
    let away = Visitor::new(&site).get("/accounts/login/").await;
    assert_eq!((away.status, away.header("retry-after")), (502, "5"), "{}", away.body);
    hers.say("is it down for you, too?").await;
    while his.next().await["text"] != "is it down for you, too?" {}
    site.child.line("Django's server is back");
    assert_eq!(Visitor::new(&site).get("/accounts/login/").await.status, 200);
    his.say("not any more").await;
    while hers.next().await["text"] != "not any more" {}
}
