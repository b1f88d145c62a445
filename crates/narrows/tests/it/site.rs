//! A small chat to try things on: a consumer that does what its client asks, and tells the test how it ended.

use std::time::Duration;

use axum::extract::Path;
use axum::{Extension, Router};
use narrows::testing::{TestClient, TestServer};
use narrows::{
    Channels, ChannelsBuilder, Close, Connection, Consumer, ConsumerRoute, Disconnect, Group, Reject,
};
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// What a client asks the [`Bot`] to do.
#[derive(Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub(crate) enum Ask {
    Echo { text: String },
    Say { text: String },
    Close { code: u16, reason: String },
    Fail,
    Panic,
    Sleep { millis: u64 },
    Send { count: u64, bytes: usize },
    After { millis: u64 },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub(crate) enum Msg {
    Said { text: String },
    Number { n: u64, pad: String },
}

pub(crate) fn said(text: &str) -> Msg {
    Msg::Said { text: text.to_owned() }
}

pub(crate) fn number(n: u64, bytes: usize) -> Msg {
    Msg::Number { n, pad: "x".repeat(bytes) }
}

pub(crate) fn room(name: &str) -> Group<Msg> {
    Group::keyed("room", name).unwrap()
}

pub(crate) struct Bot {
    room: Group<Msg>,
    ends: Ends,
}

#[derive(Clone)]
pub(crate) struct Ends(pub(crate) UnboundedSender<Disconnect>);

impl Consumer for Bot {
    type Scope = (Path<String>, Extension<Ends>);
    type In = Ask;
    type Out = Msg;
    type Event = Msg;

    async fn connect((Path(name), ends): Self::Scope, conn: &mut Connection<Self>) -> Result<Self, Reject> {
        let room = room(&name);
        conn.join(&room).await?;
        Ok(Self { room, ends: ends.0 })
    }

    async fn receive(&mut self, ask: Ask, conn: &mut Connection<Self>) -> Result<(), Close> {
        match ask {
            Ask::Echo { text } => conn.send(&said(&text))?,
            Ask::Say { text } => conn.broadcast(&self.room, &said(&text)).await?,
            Ask::Close { code, reason } => return Err(Close::with(code, reason)),
            Ask::Fail => return Err(std::io::Error::other("the disk is full").into()),
            Ask::Panic => panic!("asked to panic"),
            Ask::Sleep { millis } => tokio::time::sleep(Duration::from_millis(millis)).await,
            Ask::Send { count, bytes } => (1..=count).try_for_each(|n| conn.send(&number(n, bytes)))?,
            Ask::After { millis } => drop(conn.after(Duration::from_millis(millis), said("after"))),
        }
        Ok(())
    }

    async fn event(&mut self, msg: Msg, conn: &mut Connection<Self>) -> Result<(), Close> {
        Ok(conn.send(&msg)?)
    }

    async fn disconnect(self, end: Disconnect, _: &mut Connection<Self>) {
        let panics = end.reason == "panic in disconnect";
        // A test that is over does not listen any more.
        drop(self.ends.0.send(end));
        assert!(!panics, "asked to panic");
    }

    fn overflow_key(msg: &Msg) -> Option<u64> {
        match msg {
            // Two prices that change: the odd and the even numbers.
            Msg::Number { n, .. } => Some(1 + n % 2),
            Msg::Said { .. } => None,
        }
    }
}

/// Sees what a room gets, and tells nobody of its end.
pub(crate) struct Watcher;

impl Consumer for Watcher {
    type Scope = Path<String>;
    type In = Ask;
    type Out = Msg;
    type Event = narrows::NoEvent;

    async fn connect(Path(name): Path<String>, conn: &mut Connection<Self>) -> Result<Self, Reject> {
        conn.join(&room(&name)).await?;
        Ok(Self)
    }

    async fn receive(&mut self, _: Ask, _: &mut Connection<Self>) -> Result<(), Close> {
        Ok(())
    }
}

/// Bots at `/ws/{room}` on the test's own runtime.
pub(crate) struct Site {
    pub(crate) channels: Channels,
    pub(crate) server: TestServer,
    ends: UnboundedReceiver<Disconnect>,
}

impl Site {
    pub(crate) fn new() -> Self {
        Self::with(|node| node, |bots| bots)
    }

    pub(crate) fn with(
        node: impl FnOnce(ChannelsBuilder) -> ChannelsBuilder,
        bots: impl FnOnce(ConsumerRoute<Bot>) -> ConsumerRoute<Bot>,
    ) -> Self {
        let channels = node(Channels::builder().on_this_thread()).build();
        let (app, ends) = app(&channels, bots);
        Self { channels, server: TestServer::new(app), ends }
    }

    /// How the next connection ended, as its consumer was told.
    pub(crate) async fn end(&mut self) -> Disconnect {
        tokio::time::timeout(Duration::from_secs(120), self.ends.recv()).await.expect("an end").unwrap()
    }

    /// Makes sure that no consumer is told of an end (any more).
    pub(crate) async fn no_further_end(&mut self) {
        let told = tokio::time::timeout(Duration::from_secs(120), self.ends.recv()).await;
        assert!(told.is_err(), "a second end: {told:?}");
    }

    /// How many connections get what is broadcast to a room: a broadcast is counted once for each.
    pub(crate) async fn members(&self, name: &str) -> u64 {
        let mut watcher = self.server.connect(&format!("/watch/{name}")).await;
        let before = self.channels.stats().delivered;
        self.channels.broadcast(&room(name), &said("who is there?")).await.unwrap();
        watcher.expect(&said("who is there?")).await;
        self.channels.stats().delivered - before - 1
    }

    pub(crate) async fn connect(&self) -> TestClient {
        self.server.connect("/ws/lobby").await
    }
}

pub(crate) fn app(
    channels: &Channels,
    bots: impl FnOnce(ConsumerRoute<Bot>) -> ConsumerRoute<Bot>,
) -> (Router, UnboundedReceiver<Disconnect>) {
    let (tell, ends) = unbounded_channel();
    let app = Router::new()
        .route("/ws/{room}", bots(channels.consumer::<Bot>()).route())
        .route("/watch/{room}", channels.consumer::<Watcher>().route())
        .layer(Extension(Ends(tell)));
    (app, ends)
}

pub(crate) fn ask_echo(text: &str) -> Ask {
    Ask::Echo { text: text.to_owned() }
}

pub(crate) fn ask_say(text: &str) -> Ask {
    Ask::Say { text: text.to_owned() }
}
