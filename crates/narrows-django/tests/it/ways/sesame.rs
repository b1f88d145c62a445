use std::time::{Duration, SystemTime};

use axum::Router;
use narrows_django::KeyKind;
use narrows_django::sesame::{Holder, Packer, Sesame, SesameSettings, TokenVersion};
use narrows_django::ways::SesameWay;

use super::kit::{Site, ask};
use crate::vectors::keys;

fn sesame(change: impl FnOnce(&mut SesameSettings)) -> Sesame {
    let mut settings = SesameSettings::default();
    change(&mut settings);
    Sesame::new(settings, &keys()).unwrap()
}

fn app(site: &Site, way: SesameWay) -> Router {
    Site::views().layer(site.accounts.way_in(way)).layer(site.accounts.layer())
}

async fn link(site: &Site, sesame: &Sesame, scope: &str) -> String {
    sesame.token(&Holder::from(&site.alice().await), scope, SystemTime::now()).unwrap()
}

async fn who(app: &Router, query: &str) -> String {
    ask(app, &format!("/maybe?{query}"), &[]).await.text
}

#[tokio::test]
async fn a_link_lets_its_user_in() {
    let site = Site::new().await;
    let sesame = sesame(|_| ());
    let token = link(&site, &sesame, "").await;
    let app = app(&site, SesameWay::new(sesame));
    assert_eq!(who(&app, &format!("sesame={token}")).await, "alice");
    assert_eq!(who(&app, &format!("page=2&%73esame={token}&x")).await, "alice");
    // Django takes the last.
    assert_eq!(who(&app, &format!("sesame=x&sesame={token}")).await, "alice");
    assert_eq!(who(&app, &format!("sesame={token}&sesame=x")).await, "nobody");
}

#[tokio::test]
async fn a_link_of_the_first_version_lets_its_user_in() {
    let site = Site::new().await;
    let sesame = sesame(|settings| settings.versions = vec![TokenVersion::V1]);
    let token = link(&site, &sesame, "").await;
    let app = app(&site, SesameWay::new(sesame));
    assert_eq!(who(&app, &format!("sesame={token}")).await, "alice");
    assert_eq!(who(&app, &format!("sesame={}", token.replace(':', "%3A"))).await, "alice");
}

#[tokio::test]
async fn a_link_is_for_its_scope() {
    let site = Site::new().await;
    let sesame = sesame(|_| ());
    let [scoped, plain] = [link(&site, &sesame, "status").await, link(&site, &sesame, "").await];
    let app = app(&site, SesameWay::new(sesame).scope("status"));
    assert_eq!(who(&app, &format!("sesame={scoped}")).await, "alice");
    assert_eq!(who(&app, &format!("sesame={plain}")).await, "nobody");
}

#[tokio::test]
async fn a_link_ends_with_the_password_and_with_the_user() {
    let site = Site::new().await;
    let sesame = sesame(|_| ());
    let token = link(&site, &sesame, "").await;
    let app = app(&site, SesameWay::new(sesame));
    site.execute("UPDATE auth_user SET is_active = 0").await;
    assert_eq!(who(&app, &format!("sesame={token}")).await, "nobody");
    site.execute("UPDATE auth_user SET is_active = 1, password = 'argon2$another'").await;
    assert_eq!(who(&app, &format!("sesame={token}")).await, "nobody");
    site.execute("DELETE FROM auth_user").await;
    assert_eq!(who(&app, &format!("sesame={token}")).await, "nobody");
}

#[tokio::test]
async fn a_link_for_one_time_is_good_for_one_request() {
    for version in [TokenVersion::V1, TokenVersion::V2] {
        let site = Site::new().await;
        let sesame = sesame(|settings| {
            settings.one_time = true;
            settings.max_age = Some(Duration::from_secs(60));
            settings.versions = vec![version];
        });
        let app = app(&site, SesameWay::new(sesame.clone()));
        // For a user who was never here, and for one who was.
        for _ in 0..2 {
            let token = link(&site, &sesame, "").await;
            let target = format!("/twice?sesame={token}");
            assert_eq!(ask(&app, &target, &[]).await.text, "alice alice");
            assert_eq!(ask(&app, &target, &[]).await.text, "nobody nobody");
            let last_login = site.alice().await.last_login.expect("the log-in is recorded");
            assert!((chrono::Utc::now() - last_login).num_seconds().abs() < 60);
        }
    }
}

#[tokio::test]
async fn of_many_with_the_same_link_for_one_time_one_comes_in() {
    let site = Site::new().await;
    let sesame = sesame(|settings| settings.one_time = true);
    let token = link(&site, &sesame, "").await;
    let app = app(&site, SesameWay::new(sesame));
    let target = format!("/maybe?sesame={token}");
    let answers = futures_util::future::join_all((0..20).map(|_| ask(&app, &target, &[]))).await;
    assert_eq!(answers.iter().filter(|answer| answer.text == "alice").count(), 1);
}

#[tokio::test]
async fn what_is_no_link_lets_nobody_in() {
    let site = Site::new().await;
    let app = app(&site, SesameWay::new(sesame(|_| ())));
    let long = "A".repeat(60_000);
    for query in
        ["", "sesame", "sesame=", "sesame=%ff", "sesame=%zz", "=x", "sesame=AAAAAbTAShKSoGdkzI4", &long]
    {
        assert_eq!(who(&app, query).await, "nobody", "{query:.40}");
    }
    assert_eq!(who(&app, &format!("sesame={long}")).await, "nobody");
}

#[tokio::test]
async fn users_may_have_keys_of_any_type() {
    for (kind, ids) in [
        (KeyKind::BigInteger, ["1099511627776", "2"]),
        (KeyKind::Uuid, ["01234567-89ab-cdef-0123-456789abcdef", "11234567-89ab-cdef-0123-456789abcdef"]),
        (KeyKind::Text, ["a", "b"]),
    ] {
        let site = Site::with_keys(kind, ids).await;
        let sesame = sesame(|settings| settings.packer = Packer::from(kind));
        let token = link(&site, &sesame, "").await;
        assert_eq!(
            who(&app(&site, SesameWay::new(sesame)), &format!("sesame={token}")).await,
            "alice",
            "{kind:?}"
        );
    }
}

#[tokio::test]
async fn users_may_be_named_by_what_they_log_in_with() {
    let site = Site::new().await;
    let sesame = sesame(|settings| {
        settings.primary_key_field = "username".to_owned();
        settings.packer = Packer::Text;
    });
    let alice = site.alice().await;
    let holder = Holder { key: "alice", ..Holder::from(&alice) };
    let token = sesame.token(&holder, "", SystemTime::now()).unwrap();
    assert_eq!(who(&app(&site, SesameWay::new(sesame)), &format!("sesame={token}")).await, "alice");
}
