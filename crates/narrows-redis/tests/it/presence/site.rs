//! A site with presence: nodes as processes of their own, and one here that sees all that is told of it.

use std::net::Ipv4Addr;
use std::process::Command;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::extract::Path;
use axum::{Extension, Router};
use futures_util::StreamExt;
use narrows::testing::{TestClient, TestServer};
use narrows::{
    Channels, Close, Connection, Consumer, Group, NoEvent, Presence, PresenceDiff, Reject, Worker,
};
use narrows_redis::{Kind, RedisLayer, RedisOptions};
use programs::Child;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::nodes::{PATIENCE, options};

/// The group of a site, and its presence.
pub(crate) const ROOM: &str = "room";

fn present() -> Presence<Value> {
    Group::<()>::new(ROOM).expect("the name is legal").presence()
}

/// One who is there, and is told of the others.
pub(crate) struct Member;

impl Consumer for Member {
    type Scope = Path<String>;
    type In = Value;
    type Out = PresenceDiff<Value>;
    type Event = NoEvent;

    async fn connect(Path(key): Self::Scope, conn: &mut Connection<Self>) -> Result<Self, Reject> {
        conn.join(&present().diffs()).await?;
        conn.track(&present(), &key, json!({"name": key})).await?;
        Ok(Self)
    }

    async fn receive(&mut self, _: Value, _: &mut Connection<Self>) -> Result<(), Close> {
        Ok(())
    }
}

/// Code of the site that is told.
struct Listener(Arc<Seen>);

impl Consumer for Listener {
    type Scope = Extension<Arc<Seen>>;
    type In = Value;
    type Out = Value;
    type Event = PresenceDiff<Value>;

    async fn connect(Extension(seen): Self::Scope, conn: &mut Connection<Self>) -> Result<Self, Reject> {
        conn.listen(&present().diffs()).await?;
        Ok(Self(seen))
    }

    async fn receive(&mut self, _: Value, _: &mut Connection<Self>) -> Result<(), Close> {
        Ok(())
    }

    async fn event(&mut self, diff: Self::Event, _: &mut Connection<Self>) -> Result<(), Close> {
        self.0.note(Place::Consumer, diff);
        Ok(())
    }
}

/// Where a diff came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Client,
    Consumer,
    Worker,
}

impl Place {
    pub(crate) const ALL: [Self; 3] = [Self::Client, Self::Consumer, Self::Worker];
}

/// All diffs, in the order in which they came.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    diffs: Mutex<Vec<(Place, PresenceDiff<Value>)>>,
    more: Notify,
}

impl Seen {
    fn note(&self, place: Place, diff: PresenceDiff<Value>) {
        self.diffs().push((place, diff));
        self.more.notify_waiters();
    }

    fn diffs(&self) -> MutexGuard<'_, Vec<(Place, PresenceDiff<Value>)>> {
        self.diffs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Those that came to a place.
    pub(crate) fn at(&self, place: Place) -> Vec<PresenceDiff<Value>> {
        self.diffs().iter().filter(|(at, _)| *at == place).map(|(_, diff)| diff.clone()).collect()
    }

    /// Which diffs tell of a key's joins, updates and leaves.
    pub(crate) fn of(&self, place: Place, key: &str) -> Vec<&'static str> {
        let mut told = Vec::new();
        for diff in self.at(place) {
            let has = |people: &std::collections::BTreeMap<String, Vec<Value>>| people.contains_key(key);
            told.extend(has(&diff.joins).then_some("join"));
            told.extend(has(&diff.updates).then_some("update"));
            told.extend(diff.leaves.iter().any(|left| left == key).then_some("leave"));
        }
        told
    }

    async fn until(&self, what: &str, holds: impl Fn(&Self) -> bool) {
        let waited = timeout(PATIENCE, async {
            loop {
                let more = self.more.notified();
                if holds(self) {
                    break;
                }
                more.await;
            }
        });
        if waited.await.is_err() {
            panic!("{what}: not within {PATIENCE:?}, only {:#?}", self.diffs());
        }
    }
}

/// A node in this process, with a client that is there as `here`, a consumer and a worker.
pub(crate) struct Site {
    pub(crate) seen: Arc<Seen>,
    pub(crate) server: TestServer,
    channels: Channels,
    tasks: Vec<JoinHandle<()>>,
}

impl Site {
    pub(crate) async fn start(kind: Kind, options: RedisOptions, lease: Duration) -> Self {
        let (channels, seen) = (channels(kind, options, lease), Arc::<Seen>::default());
        let app = Router::new()
            .route("/ws/{key}", channels.consumer::<Member>().route())
            .route("/listen", channels.consumer::<Listener>().route())
            .layer(Extension(seen.clone()));
        let server = TestServer::new(app).receive_timeout(PATIENCE * 2);
        let (listener, noting) = (server.connect("/listen").await, seen.clone());
        let worker = Worker::new(&channels).listen(present().diffs(), move |diff| {
            noting.note(Place::Worker, diff);
            async { Ok::<(), std::io::Error>(()) }
        });
        let mut site = Self { seen, server, channels, tasks: Vec::new() };
        site.tasks.push(tokio::spawn(async move {
            let _listener = listener;
            if let Err(error) = worker.run_until(std::future::pending()).await {
                panic!("the worker ended: {error}");
            }
        }));
        let client = site.client("here").await;
        site.tasks.push(tokio::spawn(follow(client, site.seen.clone())));
        site.tells("here", "join").await;
        site
    }

    /// One more client of this node.
    pub(crate) async fn client(&self, key: &str) -> TestClient {
        self.server.connect(&format!("/ws/{key}")).await
    }

    /// Waits until the client, the consumer and the worker have been told something last of a key.
    pub(crate) async fn tells(&self, key: &str, last: &str) {
        for place in Place::ALL {
            let what = format!("{place:?} to be told of {key}'s {last}");
            self.seen.until(&what, |seen| seen.of(place, key).last() == Some(&last)).await;
        }
    }

    /// What all three places were told of a key, once all is told that has happened so far.
    pub(crate) async fn told(&self, key: &str) -> Vec<&'static str> {
        let told = Place::ALL.map(|place| self.seen.of(place, key));
        assert!(told.iter().all(|at| *at == told[0]), "{key}: {told:?}");
        told.into_iter().next().expect("there are three")
    }

    /// Has somebody come and go, so that whatever happened before has been told.
    pub(crate) async fn settle(&self, name: &str) {
        let client = self.client(name).await;
        self.tells(name, "join").await;
        drop(client);
        self.tells(name, "leave").await;
    }

    pub(crate) async fn roster(&self) -> Vec<String> {
        let roster = self.channels.roster(&present(), None).await.expect("redis is there");
        roster.people.into_keys().collect()
    }

    /// Waits until these are there, and nobody else.
    pub(crate) async fn until_roster(&self, keys: &[&str]) {
        let begun = std::time::Instant::now();
        loop {
            let roster = self.channels.roster(&present(), None).await;
            let roster: Vec<String> =
                roster.map(|roster| roster.people.into_keys().collect()).unwrap_or_default();
            if roster == keys {
                return;
            }
            assert!(begun.elapsed() < PATIENCE, "{roster:?} are there, and not {keys:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// The client leaves; the consumer and the worker still look.
    pub(crate) async fn leave(&self) {
        self.tasks[1].abort();
        self.until_roster(&[]).await;
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

async fn follow(mut client: TestClient, seen: Arc<Seen>) {
    loop {
        seen.note(Place::Client, client.receive().await);
    }
}

fn channels(kind: Kind, options: RedisOptions, lease: Duration) -> Channels {
    channels_with(kind, options, lease, Duration::from_millis(100))
}

pub(crate) fn channels_with(
    kind: Kind,
    options: RedisOptions,
    lease: Duration,
    period: Duration,
) -> Channels {
    let layer = RedisLayer::new(kind, options).expect("the options are right");
    let builder = Channels::builder().layer(layer).shards(1);
    builder.presence_lease(lease).presence_period(period).build()
}

/// A node as a process of its own.
pub(crate) struct Process {
    child: Child,
    port: u16,
    /// By how much its clock is ahead.
    pub(crate) skew: f64,
}

const NAME: &str = "presence::site::child_that_is_a_node";

impl Process {
    pub(crate) fn start(kind: Kind, url: &str, lease: Duration) -> Self {
        Self::start_by(Command::new(std::env::current_exe().expect("it runs")), kind, url, lease)
    }

    /// With a command that runs the node behind its own arguments.
    pub(crate) fn start_by(mut command: Command, kind: Kind, url: &str, lease: Duration) -> Self {
        command.args(["--exact", NAME, "--ignored", "--nocapture"]);
        command.env("NARROWS_NODE", format!("{kind:?} {} {url}", lease.as_millis()));
        let mut child = Child::start(&mut command);
        let skew = child.line("the time is").parse::<f64>().expect("it is a number") - now();
        let port = child.line("listening on").parse().expect("it is a port");
        Self { child, port, skew }
    }

    /// A client that stays for as long as what is returned.
    pub(crate) async fn client(&self, key: &str) -> WebSocketStream<MaybeTlsStream<TcpStream>> {
        let (mut client, _) =
            connect_async(format!("ws://127.0.0.1:{}/ws/{key}", self.port)).await.expect("it is a site");
        // It has come when it is told of itself.
        let told = timeout(PATIENCE, client.next()).await.expect("it is told").expect("it is open");
        assert!(told.expect("it is a message").is_text());
        client
    }

    pub(crate) fn kill(&mut self) {
        self.child.signal("KILL");
        self.child.end(PATIENCE);
    }

    pub(crate) fn freeze(&self) {
        self.child.signal("STOP");
    }

    pub(crate) fn thaw(&self) {
        self.child.signal("CONT");
    }
}

fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("it is after 1970").as_secs_f64()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "serves until it is killed; others run it in a process of its own"]
async fn child_that_is_a_node() {
    let Ok(settings) = std::env::var("NARROWS_NODE") else { return };
    let [kind, lease, url]: [&str; 3] = settings.splitn(3, ' ').collect::<Vec<_>>().try_into().unwrap();
    let kind = if kind == "Core" { Kind::Core } else { Kind::PubSub };
    let channels = channels(kind, options(url), Duration::from_millis(lease.parse().unwrap()));
    let app = Router::new().route("/ws/{key}", channels.consumer::<Member>().route());
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    println!("the time is {}", now());
    println!("listening on {}", listener.local_addr().unwrap().port());
    axum::serve(listener, app).await.unwrap();
}
