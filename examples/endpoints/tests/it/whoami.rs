use std::time::SystemTime;

use futures_util::{SinkExt, StreamExt};
use narrows_django::sesame::{Sesame, SesameSettings};
use narrows_django::{Accounts, Database, NewUser, SecretKeys, User};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use crate::server::{Client, Server, within};

const KEY: &str = "the key of a site";

/// A site's database with one user, and the server beside it.
async fn site(folder: &TempDir) -> (Server, Accounts, User) {
    let url = format!("sqlite://{}/site.sqlite3?mode=rwc", folder.path().display());
    let database = Database::connect(&url).await.unwrap();
    database.create_tables().await.unwrap();
    let accounts = Accounts::builder(SecretKeys::new(KEY), database).build();
    let ada =
        NewUser { username: "ada".into(), email: String::new(), password: "a quiet green field".into() };
    let ada = accounts.register(&ada).await.unwrap();
    (Server::with(&["--database-url", &url, "--secret-key", KEY]), accounts, ada)
}

async fn next(client: &mut Client) -> Value {
    let message = within(client.next()).await.unwrap().unwrap();
    serde_json::from_str(message.to_text().unwrap()).unwrap()
}

async fn ask(server: &Server, query: &str, cookie: Option<&str>) -> Client {
    let mut request = format!("ws://{}/ws/whoami/{query}", server.address).into_client_request().unwrap();
    request.headers_mut().insert("origin", format!("http://{}", server.address).parse().unwrap());
    if let Some(cookie) = cookie {
        request.headers_mut().insert("cookie", cookie.parse().unwrap());
    }
    within(connect_async(request)).await.unwrap().0
}

#[tokio::test]
async fn without_a_database_everybody_is_nobody() {
    let server = Server::start();
    let mut client = ask(&server, "?sesame=AAAA", Some("sessionid=abcdefghijklmnopqrstuvwxyz012345")).await;
    assert_eq!(next(&mut client).await, json!({"user": null}));
    client.send(Message::text("who am I?")).await.unwrap();
    assert_eq!(next(&mut client).await, json!({"user": null}));
}

#[tokio::test]
async fn a_session_and_a_token_in_the_query_are_known_and_others_are_not() {
    let folder = tempfile::tempdir().unwrap();
    let (server, accounts, ada) = site(&folder).await;
    let session = accounts.session(None).await.unwrap();
    accounts.log_in(&session, &ada).await.unwrap();
    let cookie = format!("sessionid={}", session.key().unwrap());
    let sesame = Sesame::new(SesameSettings::default(), accounts.keys()).unwrap();
    let token = sesame.token(&(&ada).into(), "", SystemTime::now()).unwrap();
    let query = format!("?sesame={token}");
    let (start, end) = token.split_at(token.len() / 2);
    let other = if end.starts_with('x') { 'y' } else { 'x' };
    let forged = format!("?sesame={start}{other}{}", &end[1..]);
    for (query, cookie, user) in [
        ("", Some(cookie.as_str()), json!("ada")),
        (&query, None, json!("ada")),
        (&forged, None, Value::Null),
        ("", Some("sessionid=abcdefghijklmnopqrstuvwxyz012345"), Value::Null),
        ("", None, Value::Null),
    ] {
        let mut client = ask(&server, query, cookie).await;
        assert_eq!(next(&mut client).await, json!({ "user": user }), "{query} {cookie:?}");
        client.send(Message::text("and now?")).await.unwrap();
        assert_eq!(next(&mut client).await, json!({ "user": user }));
    }
}
