//! A site with sockets: halls that anybody may enter, with announcements.

use axum::extract::Path;
use narrows_admin::{Admin, Target};
use narrows_web::narrows::testing::TestClient;
use narrows_web::narrows::{Channels, Close, Connection, Consumer, Group, NoEvent, Reject};
use narrows_web::narrows_django::{MaybeUser, User};
use narrows_web::testing::{Browser, TestResponse, TestSite};
use narrows_web::{App, Project, Routes};
use serde_json::{Value, json};

/// Echoes, and passes announcements on.
pub(crate) struct Hall;

impl Consumer for Hall {
    type Scope = (Path<String>, MaybeUser);
    type In = Value;
    type Out = Value;
    type Event = NoEvent;

    async fn connect((Path(name), _): Self::Scope, conn: &mut Connection<Self>) -> Result<Self, Reject> {
        conn.join(&Group::<Value>::everyone()).await?;
        conn.join(&Group::<Value>::new(format!("hall.{name}"))?).await?;
        Ok(Self)
    }

    async fn receive(&mut self, value: Value, conn: &mut Connection<Self>) -> Result<(), Close> {
        Ok(conn.send(&value)?)
    }
}

async fn announce(
    channels: Channels,
    text: String,
    target: Target,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    if text == "fail" {
        return Err("asked to fail".into());
    }
    let group = match target {
        Target::Everyone => Group::everyone(),
        Target::Group(name) => Group::new(name)?,
    };
    Ok(channels.broadcast(&group, &json!({"type": "notice", "text": text})).await?)
}

fn halls() -> App {
    App::new("halls")
        .routes(|site| Routes::new().route("hall", "/ws/{name}/", site.channels().consumer::<Hall>().route()))
}

pub(crate) fn project() -> Project {
    Project::new("halls", "1.0.0").app(Admin::new().announce(announce).app()).app(halls())
}

/// One where nobody can say anything to all.
pub(crate) fn quiet_project() -> Project {
    Project::new("halls", "1.0.0").app(Admin::new().app()).app(halls())
}

/// The site with a superuser at its admin, who has seen a page: the permissions are there.
pub(crate) async fn site() -> TestSite {
    let site = project().test().await;
    let ada = site.superuser("ada").await;
    site.log_in(&ada).await;
    assert_eq!(site.get("/admin/").await.status().as_u16(), 200);
    site
}

/// Somebody with a browser, and a socket in a hall.
pub(crate) async fn visitor(site: &TestSite, username: &str, hall: &str) -> (User, Browser, TestClient) {
    let (user, browser) = (site.user(username).await, site.another_browser());
    browser.log_in(&user).await;
    let socket = browser.socket(&format!("/ws/{hall}/")).await;
    (user, browser, socket)
}

/// A page as it stands, but for the slashes in it.
pub(crate) fn plain(page: &TestResponse) -> String {
    page.text().replace("&#x2f;", "/")
}

/// The page at this address.
pub(crate) async fn open(site: &TestSite, path: &str) -> String {
    plain(&site.get(path).await)
}

/// Makes sure that a socket is open.
pub(crate) async fn is_open(socket: &mut TestClient) {
    socket.send(&json!("still here")).await;
    socket.expect(&json!("still here")).await;
}
