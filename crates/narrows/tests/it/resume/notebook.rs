use axum::extract::{Path, State};
use axum::{Extension, Router};
use narrows::layer::MemoryLayer;
use narrows::testing::{ConnectRequest, TestServer};
use narrows::{
    Cause, Channels, ChannelsBuilder, Close, Connection, Consumer, ConsumerRoute, Disconnect, Group,
    Identity, NoEvent, Reject, Resume,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::mpsc;

/// A consumer that counts what its client notes, in a room.
pub(super) struct Notebook {
    room: String,
    notes: u32,
    log: Log,
}

/// What consumers tell of themselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Told {
    Connected,
    Resumed(u32),
    Ended(Cause),
}

pub(super) type Log = mpsc::UnboundedSender<Told>;

#[derive(Serialize, Deserialize)]
#[serde(try_from = "Written")]
pub(super) struct Notes {
    room: String,
    notes: u32,
    filling: String,
}

#[derive(Deserialize)]
struct Written {
    room: String,
    notes: u32,
}

impl TryFrom<Written> for Notes {
    type Error = &'static str;

    fn try_from(written: Written) -> Result<Self, Self::Error> {
        match written.notes {
            UNREADABLE => Err("of another version"),
            PANICS_WHEN_READ => panic!("on purpose"),
            notes => Ok(Self { room: written.room, notes, filling: String::new() }),
        }
    }
}

/// Numbers of notes with which something goes wrong.
pub(super) const UNREADABLE: u32 = 1000;
pub(super) const PANICS_WHEN_READ: u32 = 1001;
pub(super) const TOO_LARGE: u32 = 1002;
pub(super) const PANICS_WHEN_SAVED: u32 = 1003;
pub(super) const REFUSED: u32 = 1004;
pub(super) const PANICS_WHEN_RESUMED: u32 = 1005;

impl Consumer for Notebook {
    type Scope = (State<Log>, Path<String>, Option<Extension<Identity>>);
    type In = Value;
    type Out = Value;
    type Event = NoEvent;

    async fn connect(
        (State(log), Path(room), _): Self::Scope,
        conn: &mut Connection<Self>,
    ) -> Result<Self, Reject> {
        conn.join(&Group::<Value>::keyed("room", &room)?).await?;
        log.send(Told::Connected)?;
        Ok(Self { room, notes: 0, log })
    }

    async fn receive(&mut self, message: Value, conn: &mut Connection<Self>) -> Result<(), Close> {
        if let Some(notes) = message["set"].as_u64() {
            self.notes = notes as u32;
            conn.renew_token();
        } else if let Some(code) = message["close"].as_u64() {
            return Err(Close::with(code as u16, "as asked"));
        } else if message["type"] == "add" {
            self.notes += 1;
        }
        let user = conn.identity().and_then(|identity| identity.user().map(str::to_owned));
        Ok(conn.reply(&json!([self.notes, user]))?)
    }

    async fn disconnect(self, end: Disconnect, _: &mut Connection<Self>) {
        let _ = self.log.send(Told::Ended(end.cause));
    }
}

impl Resume for Notebook {
    type Saved = Notes;

    fn save(&self) -> Notes {
        assert!(self.notes != PANICS_WHEN_SAVED, "on purpose");
        let filling = if self.notes == TOO_LARGE { "x".repeat(2048) } else { String::new() };
        Notes { room: self.room.clone(), notes: self.notes, filling }
    }

    async fn resume(saved: Notes, conn: &mut Connection<Self>) -> Result<Self, Reject> {
        let log = conn.extension::<Log>().cloned().unwrap();
        if saved.notes == REFUSED {
            return Err(Reject::new(axum::http::StatusCode::GONE));
        }
        assert!(saved.notes != PANICS_WHEN_RESUMED, "on purpose");
        conn.join(&Group::<Value>::keyed("room", &saved.room)?).await?;
        log.send(Told::Resumed(saved.notes))?;
        Ok(Self { room: saved.room, notes: saved.notes, log })
    }
}

/// Nodes on one layer, with one secret.
pub(super) struct Nodes {
    pub(super) channels: Vec<Channels>,
    pub(super) servers: Vec<TestServer>,
    pub(super) told: mpsc::UnboundedReceiver<Told>,
}

impl Nodes {
    pub(super) fn new(count: usize) -> Self {
        Self::with(
            count,
            |builder, _| builder.secret_key("one secret of all nodes"),
            narrows::ConsumerRoute::resumable,
        )
    }

    pub(super) fn with(
        count: usize,
        build: impl Fn(ChannelsBuilder, usize) -> ChannelsBuilder,
        set: impl Fn(ConsumerRoute<Notebook>) -> ConsumerRoute<Notebook>,
    ) -> Self {
        let (layer, (log, told)) = (MemoryLayer::new(), mpsc::unbounded_channel());
        let node = |n| build(Channels::builder().layer(layer.another_node()).on_this_thread(), n).build();
        let channels: Vec<Channels> = (0..count).map(node).collect();
        let serve = |channels: &Channels| {
            let route = || set(channels.consumer::<Notebook>());
            let app =
                Router::new().route("/ws/{room}", route().route()).route("/other/{room}", route().route());
            TestServer::new(app.with_state(log.clone()))
        };
        let servers = channels.iter().map(serve).collect();
        Self { channels, servers, told }
    }

    pub(super) fn request(&self) -> ConnectRequest {
        self.servers[0].connect_request("/ws/lobby")
    }

    /// What a consumer tells next.
    pub(super) async fn next(&mut self) -> Told {
        let told = tokio::time::timeout(std::time::Duration::from_secs(10), self.told.recv()).await;
        told.expect("nobody told anything").unwrap()
    }
}

pub(super) fn add() -> Value {
    json!({"type": "add"})
}

pub(super) fn look() -> Value {
    json!({"type": "look"})
}
