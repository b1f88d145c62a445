//! Handlers that hold their shard up are counted and named; those that only wait are not.

use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::routing::get;
use axum::{Extension, Router};
use narrows::testing::TestServer;
use narrows::{
    Channels, Close, Codec, Connection, Consumer, Disconnect, Group, Limits, NoEvent, Reject, Text, codec,
};
use serde::{Deserialize, Serialize};

use crate::logged::Log;
use crate::real_site;

const LIMIT: Duration = Duration::from_millis(20);

/// Works for longer than the limit, whatever else the machine does.
fn work() {
    let start = Instant::now();
    while start.elapsed() < 4 * LIMIT {
        std::hint::spin_loop();
    }
}

fn node(limit: Duration) -> Channels {
    Channels::builder().limits(Limits::default().long_handler(limit)).on_this_thread().build()
}

/// Which part of the code below is to be slow.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Slow(&'static str);

impl Slow {
    fn at(self, method: &str) {
        if self.0 == method {
            work();
        }
    }
}

struct Scope(Slow);

impl<S: Sync> FromRequestParts<S> for Scope {
    type Rejection = ();

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ()> {
        let slow = *parts.extensions.get::<Slow>().unwrap();
        slow.at("scope");
        Ok(Self(slow))
    }
}

/// A message that takes as long to read as it says.
struct Said(String);

impl codec::Incoming for Said {
    fn decode(payload: codec::Payload<'_>, _: Codec) -> Result<Self, codec::DecodeError> {
        let text = Text::decode(payload, Codec::Json)?.0;
        Slow("decode").at(&text);
        Ok(Self(text))
    }
}

#[derive(Serialize, Deserialize)]
struct Told {
    text: String,
}

impl From<Told> for Text {
    fn from(Told { text }: Told) -> Self {
        Slow("encode").at(&text);
        Self(text)
    }
}

struct Busy(Slow);

impl Busy {
    fn group() -> Group<Told> {
        Group::new("busy").unwrap()
    }

    fn heard() -> Group<Told> {
        Group::new("heard").unwrap()
    }
}

impl Consumer for Busy {
    type Scope = Scope;
    type In = Said;
    type Out = Text;
    type Event = Told;

    async fn connect(Scope(slow): Scope, conn: &mut Connection<Self>) -> Result<Self, Reject> {
        conn.join(&Self::group()).await?;
        conn.listen(&Self::heard()).await?;
        slow.at("connect");
        Ok(Self(slow))
    }

    async fn receive(&mut self, Said(text): Said, conn: &mut Connection<Self>) -> Result<(), Close> {
        match text.as_str() {
            "event" => conn.broadcast(&Self::heard(), &Told { text }).await?,
            "encode" => conn.broadcast(&Self::group(), &Told { text }).await?,
            "timer" => drop(conn.after(Duration::ZERO, Told { text })),
            _ => {
                self.0.at("receive");
                conn.send(&Text(text))?;
            }
        }
        Ok(())
    }

    async fn event(&mut self, Told { text }: Told, conn: &mut Connection<Self>) -> Result<(), Close> {
        self.0.at(&text);
        Ok(conn.send(&Text(text))?)
    }

    async fn disconnect(self, _: Disconnect, _: &mut Connection<Self>) {
        self.0.at("disconnect");
    }
}

/// A connection that is begun, asked and ended, with one part of its code slow: how many long handlers that made.
async fn long_handlers(slow: &'static str, channels: &Channels) -> u64 {
    let app = Router::new().route("/ws", channels.consumer::<Busy>().route()).layer(Extension(Slow(slow)));
    let mut client = TestServer::new(app).connect("/ws").await;
    let ask = if ["event", "encode", "timer", "decode"].contains(&slow) { slow } else { "echo" };
    client.send_text(ask).await;
    client.expect_text(ask).await;
    client.close(1000, "").await;
    while channels.stats().connections > 0 {
        tokio::task::yield_now().await;
    }
    channels.stats().long_handlers
}

#[tokio::test]
async fn each_part_of_a_consumer_that_holds_its_shard_up_is_counted_and_named() {
    let log = Log::read();
    for method in ["connect", "decode", "receive", "event", "timer", "encode", "disconnect"] {
        // A node each, so that the log's quota is new.
        assert!(long_handlers(method, &node(LIMIT)).await >= 1, "{method}");
        let name = format!("consumer=\"{}\"", std::any::type_name::<Busy>());
        let line = log.line(&[&name, &format!("method=\"{method}\"")]).await;
        assert!(line.contains(" WARN ") && line.contains("took=") && line.contains("shard=0"), "{line}");
    }
}

#[tokio::test]
async fn without_a_limit_nothing_is_counted() {
    assert_eq!(long_handlers("receive", &node(Duration::ZERO)).await, 0);
}

#[tokio::test]
async fn within_the_limit_nothing_is_counted() {
    assert_eq!(long_handlers("receive", &node(Duration::from_secs(60))).await, 0);
}

/// Waits for a second with each message.
struct Idler;

impl Consumer for Idler {
    type Scope = ();
    type In = Text;
    type Out = Text;
    type Event = NoEvent;

    async fn connect((): (), _: &mut Connection<Self>) -> Result<Self, Reject> {
        Ok(Self)
    }

    async fn receive(&mut self, text: Text, conn: &mut Connection<Self>) -> Result<(), Close> {
        tokio::time::sleep(Duration::from_secs(1)).await;
        Ok(conn.send(&text)?)
    }
}

#[tokio::test]
async fn a_handler_that_only_waits_holds_nothing_up() {
    let channels = node(Duration::from_millis(500));
    let app = Router::new().route("/ws", channels.consumer::<Idler>().route());
    let mut client = TestServer::new(app).receive_timeout(Duration::from_secs(60)).connect("/ws").await;
    client.send_text("wait").await;
    client.expect_text("wait").await;
    assert_eq!(channels.stats().long_handlers, 0);
}

/// Works with each message, under a name that no other test logs.
struct Repeated;

impl Consumer for Repeated {
    type Scope = ();
    type In = Text;
    type Out = Text;
    type Event = NoEvent;

    async fn connect((): (), _: &mut Connection<Self>) -> Result<Self, Reject> {
        Ok(Self)
    }

    async fn receive(&mut self, text: Text, conn: &mut Connection<Self>) -> Result<(), Close> {
        work();
        Ok(conn.send(&text)?)
    }
}

#[tokio::test]
async fn the_log_is_not_flooded() {
    let (log, channels) = (Log::read(), node(LIMIT));
    let app = Router::new().route("/ws", channels.consumer::<Repeated>().route());
    let mut client = TestServer::new(app).connect("/ws").await;
    let start = Instant::now();
    for _ in 0..10 {
        client.send_text("again").await;
        client.expect_text("again").await;
    }
    assert!(channels.stats().long_handlers >= 10);
    let allowed = 1 + start.elapsed().as_secs() / 10;
    let lines = log.lines(std::any::type_name::<Repeated>()).len() as u64;
    assert!((1..=allowed).contains(&lines), "{lines} lines");
}

/// Blocks its shard until the test lets go.
struct Stuck(LetGo);

type LetGo = Arc<Mutex<Receiver<()>>>;

impl Consumer for Stuck {
    type Scope = Extension<LetGo>;
    type In = Text;
    type Out = Text;
    type Event = NoEvent;

    async fn connect(Extension(let_go): Self::Scope, _: &mut Connection<Self>) -> Result<Self, Reject> {
        Ok(Self(let_go))
    }

    async fn receive(&mut self, text: Text, conn: &mut Connection<Self>) -> Result<(), Close> {
        // A test that failed lets go by ending.
        let _ = self.0.lock().unwrap().recv();
        Ok(conn.send(&text)?)
    }
}

#[tokio::test]
async fn a_handler_that_does_not_return_is_named_while_it_blocks() {
    let log = Log::read();
    let channels = Channels::builder().shards(1).build();
    let (let_go, stuck) = channel();
    let stuck: LetGo = Arc::new(Mutex::new(stuck));
    let app = Router::new().route("/ws", channels.consumer::<Stuck>().route()).layer(Extension(stuck));
    let mut client = TestServer::new(app).receive_timeout(Duration::from_secs(60)).connect("/ws").await;
    client.send_text("block").await;
    let line = log.line(&[std::any::type_name::<Stuck>(), "holds up its shard"]).await;
    assert!(line.contains("ERROR") && line.contains("method=\"receive\""), "{line}");
    let stats = channels.stats();
    assert_eq!((stats.stalls, stats.stalled_shards), (1, 1));

    let_go.send(()).unwrap();
    client.expect_text("block").await;
    let line = log.line(&[std::any::type_name::<Stuck>(), "held up its shard"]).await;
    assert!(line.contains("took="), "{line}");
    // The watchdog looks a few times a second.
    while channels.stats().stalled_shards > 0 {
        tokio::task::yield_now().await;
    }
    assert!(channels.stats().stalls == 1 && channels.stats().long_handlers >= 1);
}

#[tokio::test]
async fn a_view_that_blocks_is_named_too_and_an_extractor_by_its_consumer() {
    let log = Log::read();
    let channels = Channels::builder().limits(Limits::default().long_handler(LIMIT)).shards(1).build();
    let app = Router::new()
        .route("/slow", get(|| async { work() }))
        .route("/ws", channels.consumer::<Busy>().route())
        .layer(Extension(Slow("scope")));
    let site = real_site::Site::start(app, &channels).await;
    real_site::get(site.tcp().await, "/slow", &[]).await;
    let line = log.line(&["consumer=\"http\"", "method=\"request\""]).await;
    assert!(line.contains("held up its shard"), "{line}");
    drop(site.connect("/ws", &[]).await);
    log.line(&[std::any::type_name::<Busy>(), "method=\"scope\""]).await;
    site.stop().await;
}
