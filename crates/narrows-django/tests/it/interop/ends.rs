//! Sockets that end with what Django does: a message of its signals, or the next check, closes them with 4401.

use std::time::Duration;

use narrows::Channels;
use narrows_django::SecretKeys;
use narrows_redis::{CoreLayer, Host, RedisOptions};
use rig::{Django, Redis};
use serde_json::json;

use super::PASSWORD;
use super::ground::Ground;
use super::narrows_site::NarrowsSite;
use super::socket::Socket;

/// What the documentation tells a Django site to add, so that sockets of Narrows end with its sessions.
fn signals() -> &'static str {
    let page = include_str!("../../../../../docs/identity.md");
    let (_, from) = page.split_once("```python\n# sockets.py\n").expect("the page has it");
    from.split_once("\n```").expect("the code ends").0
}

const LOGGED_OUT: u16 = 4401;
const NEVER: Duration = Duration::ZERO;

/// A Django site and two nodes of Narrows with one database and one Redis.
struct System {
    django: Django,
    nodes: [NarrowsSite; 2],
    _redis: Redis,
    _ground: Ground,
}

impl System {
    /// Identities are checked so often without being asked to be.
    async fn start(ground: Ground, check_period: Duration) -> Option<Self> {
        let (redis, url) = (Redis::start()?, ground.fresh_database());
        let django = Django::on(&url).quick_hashers().channel_layer(&redis.url()).migrated()?;
        let node = async || {
            let host: Host = redis.url().parse().unwrap();
            let layer = CoreLayer::new(RedisOptions::new(host)).unwrap();
            let channels =
                Channels::builder().layer(layer).identity_check_period(check_period).shards(1).build();
            NarrowsSite::in_node(&channels, SecretKeys::new(Django::SECRET_KEY), &url, |accounts| accounts)
                .await
        };
        let nodes = [node().await, node().await];
        Some(Self { django, nodes, _redis: redis, _ground: ground })
    }

    /// A socket on each node.
    async fn sockets(&self, cookie: &str) -> [Socket; 2] {
        let cookie = format!("sessionid={cookie}");
        let connect = async |node: &NarrowsSite| {
            let mut socket =
                Socket::connect(node.address, "/ws/user/", &[("cookie", &cookie)]).await.unwrap();
            socket.receive().await;
            socket
        };
        [connect(&self.nodes[0]).await, connect(&self.nodes[1]).await]
    }

    /// A user with a socket on each node.
    async fn user(&self, name: &str) -> (String, [Socket; 2]) {
        self.django.create_user(name, PASSWORD).await.unwrap();
        let cookie = self.django.login(name, PASSWORD).await.unwrap().unwrap();
        let sockets = self.sockets(&cookie).await;
        (cookie, sockets)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_logout_in_django_closes_the_sockets_of_the_session_on_all_nodes() {
    let Some(system) = System::start(Ground::sqlite(), NEVER).await else { return };
    system.django.run(signals(), json!({})).await.unwrap();
    let (cookie, mut sockets) = system.user("zoë").await;
    let other = system.django.login("zoë", PASSWORD).await.unwrap().unwrap();
    let [mut stays, _] = system.sockets(&other).await;
    system.django.logout(&cookie).await.unwrap();
    for socket in &mut sockets {
        assert_eq!(socket.closed().await, LOGGED_OUT);
    }
    stays.is_open().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_djangos_signals_say_of_a_user_closes_the_sockets_that_must_end() {
    let Some(system) = System::start(Ground::sqlite(), NEVER).await else { return };
    system.django.run(signals(), json!({})).await.unwrap();
    let (_, mut stays) = system.user("ann").await;
    let changes: [(&str, &str); 3] = [
        ("zoë", "set_password(name, 'another, 馬')"),
        ("bob", "set_fields(name, {'is_active': False})"),
        ("eve", "delete_user(name)"),
    ];
    for (name, change) in changes {
        let (_, mut sockets) = system.user(name).await;
        // What changes nothing of it ends nothing.
        system.django.set_fields(name, json!({"is_staff": true})).await.unwrap();
        sockets[0].is_open().await;
        system.django.run(change, json!({"name": name})).await.unwrap();
        for socket in &mut sockets {
            assert_eq!(socket.closed().await, LOGGED_OUT, "{change}");
        }
    }
    for socket in &mut stays {
        socket.is_open().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_nobody_tells_of_is_found_by_the_next_check() {
    let Some(system) = System::start(Ground::sqlite(), Duration::from_millis(200)).await else { return };
    let (_, mut stays) = system.user("ann").await;
    let changes: [(&str, &str); 4] = [
        ("zoë", "set_password(name, 'another, 馬')"),
        ("bob", "set_fields(name, {'is_active': False})"),
        ("eve", "delete_user(name)"),
        ("kim", "browse('POST', '/logout/', cookie)"),
    ];
    for (name, change) in changes {
        let (cookie, mut sockets) = system.user(name).await;
        system.django.run(change, json!({"name": name, "cookie": cookie})).await.unwrap();
        for socket in &mut sockets {
            assert_eq!(socket.closed().await, LOGGED_OUT, "{change}");
        }
    }
    for socket in &mut stays {
        socket.is_open().await;
    }
}
