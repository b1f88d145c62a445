use std::time::{Duration, SystemTime};

use axum::Router;
use http::StatusCode;
use narrows::scope::Subprotocols;
use narrows::testing::TestServer;
use narrows::{Close, Connection, Consumer, NoEvent, Raw, Reject};
use narrows_django::sesame::{Holder, Sesame, SesameSettings, TokenVersion};
use narrows_django::ways::{JwtKey, JwtWay, SesameWay, TokenWay, WayIn};
use narrows_django::{MaybeUser, User};
use serde_json::json;

use super::jwt::{SECRET, hs256};
use super::kit::Site;
use crate::vectors::keys;

/// Says who it is, and what was offered.
struct Who;

impl Consumer for Who {
    type Scope = (MaybeUser, Subprotocols);
    type In = Raw;
    type Out = String;
    type Event = NoEvent;

    async fn connect(
        (MaybeUser(user), offered): Self::Scope,
        conn: &mut Connection<Self>,
    ) -> Result<Self, Reject> {
        let name = user.map_or("nobody".to_owned(), |user| user.username);
        let offered: Vec<_> =
            offered.iter().chain(conn.offered_subprotocols().iter().map(String::as_str)).collect();
        let said = format!("{name}: {}", offered.join(" "));
        // As careless as can be: takes the client's last.
        if let Some(last) = conn.offered_subprotocols().last().cloned() {
            conn.select_subprotocol(&last);
        }
        conn.send(&said)?;
        Ok(Self)
    }

    async fn receive(&mut self, _: Raw, _: &mut Connection<Self>) -> Result<(), Close> {
        Ok(())
    }
}

/// Only for users.
struct Members;

impl Consumer for Members {
    type Scope = User;
    type In = Raw;
    type Out = String;
    type Event = NoEvent;

    async fn connect(user: User, conn: &mut Connection<Self>) -> Result<Self, Reject> {
        conn.send(&user.username)?;
        Ok(Self)
    }

    async fn receive(&mut self, _: Raw, _: &mut Connection<Self>) -> Result<(), Close> {
        Ok(())
    }
}

fn server(site: &Site, way: impl WayIn) -> TestServer {
    let routes = Router::new()
        .route("/who", site.channels.consumer::<Who>().subprotocols(["chat.v1"]).route())
        .route("/members", site.channels.consumer::<Members>().route());
    TestServer::new(routes.layer(site.accounts.way_in(way)).layer(site.accounts.layer()))
}

#[tokio::test]
async fn a_token_as_a_subprotocol_lets_in_and_is_seen_by_nobody() {
    let site = Site::new().await;
    let token = site.accounts.make_token(&site.alice().await).await.unwrap();
    let server = server(&site, TokenWay::new());
    let bearer = format!("bearer.{token}");
    for offered in [["chat.v1", &bearer], [&bearer, "chat.v1"]] {
        let request = server.connect_request("/who").subprotocol(offered[0]).subprotocol(offered[1]);
        let mut client = request.connect().await;
        client.expect(&json!("alice: chat.v1 chat.v1")).await;
        assert_eq!(client.subprotocol(), Some("chat.v1"));
    }
}

#[tokio::test]
async fn a_token_that_is_wrong_is_not_chosen_either() {
    let site = Site::new().await;
    let server = server(&site, TokenWay::new());
    let mut client = server.connect_request("/who").subprotocol("bearer.wrong").connect().await;
    client.expect(&json!("nobody: ")).await;
    assert_eq!(client.subprotocol(), None);
}

#[tokio::test]
async fn another_prefix_may_be_set_or_none() {
    let site = Site::new().await;
    let token = site.accounts.make_token(&site.alice().await).await.unwrap();
    let offered = format!("token!{token}");
    let set = server(&site, TokenWay::new().subprotocol_prefix(Some("token!")));
    set.connect_request("/who").subprotocol(&offered).connect().await.expect(&json!("alice: ")).await;
    let none = server(&site, TokenWay::new().subprotocol_prefix(None));
    let bearer = format!("bearer.{token}");
    let mut client = none.connect_request("/who").subprotocol(&bearer).connect().await;
    client.expect(&json!(format!("nobody: {bearer} {bearer}"))).await;
}

#[tokio::test]
async fn a_link_and_its_token_as_a_subprotocol_let_in() {
    for version in [TokenVersion::V1, TokenVersion::V2] {
        let site = Site::new().await;
        let mut settings = SesameSettings::default();
        settings.versions = vec![version];
        let sesame = Sesame::new(settings, &keys()).unwrap();
        let token = sesame.token(&Holder::from(&site.alice().await), "", SystemTime::now()).unwrap();
        let server = server(&site, SesameWay::new(sesame));
        server.connect(&format!("/who?sesame={token}")).await.expect(&json!("alice: ")).await;
        // A subprotocol has no colon.
        let bearer = format!("bearer.{}", token.replace(':', "%3A"));
        server.connect_request("/who").subprotocol(&bearer).connect().await.expect(&json!("alice: ")).await;
    }
}

fn jwt_way() -> JwtWay {
    JwtWay::builder().key(JwtKey::hs256(SECRET).unwrap()).leeway(Duration::ZERO).build().unwrap()
}

fn after(time: Duration) -> u64 {
    let end = SystemTime::now() + time;
    end.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs()
}

#[tokio::test]
async fn a_web_token_as_a_subprotocol_lets_in() {
    let site = Site::new().await;
    let token = hs256(&json!({"sub": "1", "exp": after(Duration::from_secs(60))}));
    let request = server(&site, jwt_way()).connect_request("/who").subprotocol(&format!("bearer.{token}"));
    request.subprotocol("chat.v1").connect().await.expect(&json!("alice: chat.v1 chat.v1")).await;
}

#[tokio::test]
async fn a_socket_ends_when_its_web_token_does() {
    let site = Site::new().await;
    let token = hs256(&json!({"sub": "1", "exp": after(Duration::from_secs(2))}));
    let server = server(&site, jwt_way());
    let request = server.connect_request("/members").header("authorization", &format!("Bearer {token}"));
    let mut client = request.connect().await;
    client.expect(&json!("alice")).await;
    client.receive_timeout(Duration::from_secs(60));
    client.expect_close(4401).await;
}

#[tokio::test]
async fn a_socket_ends_when_its_token_is_deleted() {
    let site = Site::new().await;
    let alice = site.alice().await;
    let token = site.accounts.make_token(&alice).await.unwrap();
    let server = server(&site, TokenWay::new());
    let request = server.connect_request("/members").header("authorization", &format!("Token {token}"));
    let mut client = request.connect().await;
    client.expect(&json!("alice")).await;
    client.receive_timeout(Duration::from_secs(60));
    site.accounts.delete_tokens(&alice).await.unwrap();
    client.expect_close(4401).await;
}

#[tokio::test]
async fn sockets_of_all_ways_end_when_the_user_is_not_active_any_more() {
    let site = Site::new().await;
    let token = site.accounts.make_token(&site.alice().await).await.unwrap();
    let sesame = Sesame::new(SesameSettings::default(), &keys()).unwrap();
    let link = sesame.token(&Holder::from(&site.alice().await), "", SystemTime::now()).unwrap();
    let claims = hs256(&json!({"sub": "1", "exp": after(Duration::from_secs(600))}));
    let servers =
        [server(&site, TokenWay::new()), server(&site, SesameWay::new(sesame)), server(&site, jwt_way())];
    let mut clients = Vec::new();
    for (server, token) in servers.iter().zip([token, link, claims]) {
        let mut client =
            server.connect_request("/members").subprotocol(&format!("bearer.{token}")).connect().await;
        client.expect(&json!("alice")).await;
        client.receive_timeout(Duration::from_secs(60));
        clients.push(client);
    }
    site.execute("UPDATE auth_user SET is_active = 0").await;
    site.channels.check_user("1").await.unwrap();
    for mut client in clients {
        client.expect_close(4401).await;
    }
}

#[tokio::test]
async fn a_socket_of_a_link_ends_with_the_password_and_stays_when_nothing_changed() {
    let site = Site::new().await;
    let sesame = Sesame::new(SesameSettings::default(), &keys()).unwrap();
    let link = sesame.token(&Holder::from(&site.alice().await), "", SystemTime::now()).unwrap();
    let server = server(&site, SesameWay::new(sesame));
    let mut client = server.connect(&format!("/members?sesame={link}")).await;
    client.expect(&json!("alice")).await;
    site.channels.check_user("1").await.unwrap();
    client.expect_nothing().await;
    client.receive_timeout(Duration::from_secs(60));
    site.execute("UPDATE auth_user SET password = 'another'").await;
    site.channels.check_user("1").await.unwrap();
    client.expect_close(4401).await;
}

#[tokio::test]
async fn a_handshake_without_a_token_is_refused_where_a_user_is_needed() {
    let site = Site::new().await;
    let server = server(&site, TokenWay::new());
    let refusal = server.connect_request("/members").subprotocol("bearer.x").try_connect().await.unwrap_err();
    assert_eq!(refusal.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(refusal.header("www-authenticate"), Some("Token"));
    assert!(refusal.header("sec-websocket-protocol").is_none());
}
