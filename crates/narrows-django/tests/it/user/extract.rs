//! Users as extractors.

use axum::body::Body;
use axum::extract::{FromRequestParts, Request};
use axum::middleware::{Next, from_fn};
use axum::routing::get;
use axum::{Router, body};
use http::StatusCode;
use http::header::LOCATION;
use narrows_django::{MaybeUser, Session};
use sea_orm::ConnectionTrait;
use tower::ServiceExt;

use crate::site::Site;

/// Who a handler sees behind a layer that asks for the user first, and then does this.
async fn behind_a_layer<F: Future<Output = ()> + Send>(
    site: &Site,
    key: &str,
    then: impl FnOnce(Session) -> F + Clone + Send + Sync + 'static,
) -> String {
    let layer = from_fn(move |request: Request, next: Next| {
        let then = then.clone();
        async move {
            let (mut parts, body) = request.into_parts();
            MaybeUser::from_request_parts(&mut parts, &()).await.unwrap();
            then(Session::from_request_parts(&mut parts, &()).await.unwrap()).await;
            next.run(Request::from_parts(parts, body)).await
        }
    });
    let who = get(async |MaybeUser(user)| user.map_or("nobody".to_owned(), |user| user.username));
    let app = Router::new().route("/", who).layer(layer).layer(site.accounts.layer());
    let request = Request::get("/").header("cookie", format!("sessionid={key}"));
    let response = app.oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    String::from_utf8(body::to_bytes(response.into_body(), 100).await.unwrap().to_vec()).unwrap()
}

#[tokio::test]
async fn a_request_reads_its_user_once() {
    let site = Site::open().await;
    let (key, accounts) = (site.logged_in("alice").await, site.accounts.clone());
    let renamed = move |_| async move {
        let sql = "UPDATE auth_user SET username = 'renamed' WHERE username = 'alice'";
        let rename = async |pool: sea_orm::DatabaseConnection| pool.execute_unprepared(sql).await;
        accounts.database().run(rename).await.unwrap();
    };
    assert_eq!(behind_a_layer(&site, &key, renamed).await, "alice");
    assert_eq!(site.who(&key).await, "renamed");
}

#[tokio::test]
async fn a_user_who_is_logged_out_in_a_request_is_not_seen_by_what_comes_after() {
    let site = Site::open().await;
    let (key, accounts) = (site.logged_in("alice").await, site.accounts.clone());
    let out = move |session| async move { accounts.log_out(&session).await.unwrap() };
    assert_eq!(behind_a_layer(&site, &key, out).await, "nobody");
}

#[tokio::test]
async fn each_extractor_lets_in_whom_it_names() {
    let site = Site::open().await;
    let key = site.logged_in("alice").await;
    let pages = ["/who", "/user", "/staff", "/root"];
    let statuses = async |key: Option<&str>| {
        let mut statuses = Vec::new();
        for page in pages {
            statuses.push(site.get(key, page).await.status.as_u16());
        }
        statuses
    };
    assert_eq!(statuses(None).await, [200, 401, 401, 401]);
    assert_eq!(statuses(Some("no-such-session-key")).await, [200, 401, 401, 401]);
    assert_eq!(statuses(Some(&key)).await, [200, 200, 403, 403]);
    site.run("UPDATE auth_user SET is_staff = 1").await;
    assert_eq!(statuses(Some(&key)).await, [200, 200, 200, 403]);
    site.run("UPDATE auth_user SET is_superuser = 1").await;
    assert_eq!(statuses(Some(&key)).await, [200, 200, 200, 200]);
}

#[tokio::test]
async fn without_the_database_it_is_a_503_and_nobody_is_logged_out() {
    let site = Site::open().await;
    let key = site.logged_in("alice").await;
    site.run("ALTER TABLE auth_user RENAME TO away").await;
    for page in ["/who", "/user", "/only/x"] {
        let seen = site.get(Some(&key), page).await;
        assert_eq!((seen.status, seen.cookie), (StatusCode::SERVICE_UNAVAILABLE, None), "{page}");
    }
    site.run("ALTER TABLE away RENAME TO auth_user").await;
    assert_eq!(site.who(&key).await, "alice");
}

#[tokio::test]
async fn a_page_for_users_sends_others_to_log_in_and_back() {
    let site = Site::open().await;
    let response = site.response(None, "/only/rooms/?page=2&x=é%20", &[]).await;
    assert_eq!(response.status(), StatusCode::SEE_OTHER);
    let location = response.headers()[LOCATION].to_str().unwrap();
    assert_eq!(location, "/login/?next=/only/rooms/%3Fpage%3D2%26x%3D%C3%A9%2520");

    let key = site.logged_in("alice").await;
    assert_eq!(site.get(Some(&key), "/only/rooms/").await.who, "for users");
}

#[tokio::test]
async fn a_handshake_for_users_is_refused_and_sent_nowhere() {
    let headers = [("connection", "upgrade"), ("upgrade", "websocket")];
    let response = Site::open().await.response(None, "/only/ws/", &headers).await;
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
}
