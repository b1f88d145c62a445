use axum::Router;
use http::{HeaderValue, StatusCode};
use narrows_django::KeyKind;
use narrows_django::ways::TokenWay;

use super::kit::{Site, ask, who};

fn app(site: &Site, way: TokenWay) -> Router {
    Site::views().layer(site.accounts.way_in(way)).layer(site.accounts.layer())
}

#[tokio::test]
async fn a_token_of_the_table_lets_its_user_in() {
    let site = Site::new().await;
    // As Django REST framework writes a row.
    let key = "9944b09199c62bcf9418ad846dd0e4bbdfc6ee4b";
    site.execute(&format!("INSERT INTO authtoken_token VALUES ('{key}', '2023-11-14 22:13:20.123456', 1)"))
        .await;
    let app = app(&site, TokenWay::new());
    for header in [format!("Token {key}"), format!("token {key}"), format!("TOKEN   {key} ")] {
        assert_eq!(who(&app, &header).await, "alice", "{header}");
    }
}

#[tokio::test]
async fn what_is_not_exactly_a_token_lets_nobody_in() {
    let site = Site::new().await;
    let key = site.accounts.make_token(&site.alice().await).await.unwrap();
    let app = app(&site, TokenWay::new());
    let other = format!("{}{}", &key[..39], if key.ends_with('0') { '1' } else { '0' });
    let long = "f".repeat(7000);
    for token in
        ["", &other, &key[..39], &format!("{key}0"), &key.to_uppercase(), "%", "' OR 1=1 --", &long, "\u{e9}"]
    {
        assert_eq!(who(&app, &format!("Token {token}")).await, "nobody", "{token}");
    }
    for header in [format!("Bearer {key}"), format!("Token {key} {key}"), key.clone(), "Token".to_owned()] {
        assert_eq!(who(&app, &header).await, "nobody", "{header}");
    }
    let twice = [("authorization", &*format!("Token {key}")), ("authorization", "Token x")];
    assert_eq!(ask(&app, "/maybe", &twice).await.text, "nobody");
}

#[tokio::test]
async fn a_refusal_says_what_would_do() {
    let site = Site::new().await;
    let answer = ask(&app(&site, TokenWay::new()), "/me", &[]).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert_eq!(answer.headers["www-authenticate"], HeaderValue::from_static("Token"));

    let answer =
        ask(&app(&site, TokenWay::new().keyword("Bearer")), "/me", &[("authorization", "Bearer x")]).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert_eq!(answer.headers["www-authenticate"], HeaderValue::from_static("Bearer"));
}

#[tokio::test]
async fn the_keyword_can_be_another() {
    let site = Site::new().await;
    let key = site.accounts.make_token(&site.alice().await).await.unwrap();
    let app = app(&site, TokenWay::new().keyword("Bearer"));
    assert_eq!(who(&app, &format!("Bearer {key}")).await, "alice");
    assert_eq!(who(&app, &format!("Token {key}")).await, "nobody");
}

#[tokio::test]
async fn a_user_who_is_not_active_does_not_come_in() {
    let site = Site::new().await;
    let key = site.accounts.make_token(&site.bob().await).await.unwrap();
    assert_eq!(who(&app(&site, TokenWay::new()), &format!("Token {key}")).await, "nobody");
}

#[tokio::test]
async fn a_user_has_one_token_until_it_is_deleted() {
    let site = Site::new().await;
    let alice = site.alice().await;
    let first = site.accounts.make_token(&alice).await.unwrap();
    assert_eq!(first.len(), 40);
    assert_eq!(site.accounts.make_token(&alice).await.unwrap(), first);

    assert_eq!(site.accounts.delete_tokens(&alice).await.unwrap(), 1);
    assert_eq!(site.accounts.delete_tokens(&alice).await.unwrap(), 0);
    assert_eq!(who(&app(&site, TokenWay::new()), &format!("Token {first}")).await, "nobody");
    assert_ne!(site.accounts.make_token(&alice).await.unwrap(), first);
}

#[tokio::test]
async fn many_who_make_a_users_token_at_once_make_one() {
    let site = Site::new().await;
    let alice = site.alice().await;
    let made = futures_util::future::join_all((0..20).map(|_| site.accounts.make_token(&alice))).await;
    let mut made: Vec<String> = made.into_iter().map(Result::unwrap).collect();
    made.dedup();
    assert_eq!(made.len(), 1);
}

#[tokio::test]
async fn users_may_have_keys_of_any_type() {
    for (kind, ids) in [
        (KeyKind::BigInteger, ["1099511627776", "2"]),
        (KeyKind::Uuid, ["01234567-89ab-cdef-0123-456789abcdef", "11234567-89ab-cdef-0123-456789abcdef"]),
        (KeyKind::Text, ["a", "b"]),
    ] {
        let site = Site::with_keys(kind, ids).await;
        let key = site.accounts.make_token(&site.user(ids[0]).await).await.unwrap();
        assert_eq!(who(&app(&site, TokenWay::new()), &format!("Token {key}")).await, "alice", "{kind:?}");
    }
}

#[tokio::test]
async fn a_database_that_is_away_is_nobodys_fault() {
    let site = Site::new().await;
    site.execute("DROP TABLE authtoken_token").await;
    let answer = ask(&app(&site, TokenWay::new()), "/maybe", &[("authorization", "Token x")]).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
}
