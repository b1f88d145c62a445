//! What the tests of presence share: a site whose clients say where to go and what to say of themselves.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::Router;
use axum::extract::Path;
use narrows::layer::MemoryLayer;
use narrows::testing::{TestClient, TestServer};
use narrows::{
    ChannelLayer, Channels, ChannelsBuilder, Close, Connection, Consumer, Group, Presence, PresenceCount,
    PresenceDiff, Reject,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

pub(crate) type Diff = PresenceDiff<Value>;

pub(crate) fn present(room: &str) -> Presence<Value> {
    Group::<()>::new(room).unwrap().presence()
}

pub(crate) struct Guest;

#[derive(Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
enum Do {
    Track {
        room: String,
        key: String,
        meta: Value,
    },
    /// Gives up when it takes longer.
    TrackWithin {
        ms: u64,
        room: String,
        key: String,
        meta: Value,
    },
    Update {
        room: String,
        meta: Value,
    },
    Untrack {
        room: String,
    },
    Join {
        room: String,
    },
    Listen {
        room: String,
    },
    JoinCounts {
        room: String,
    },
    Roster {
        room: String,
        after: Option<String>,
    },
    Panic,
    Leave,
}

#[derive(Serialize)]
#[serde(untagged)]
pub(crate) enum Out {
    Diff(Diff),
    Count(PresenceCount),
    Answer(Value),
}

impl From<Diff> for Out {
    fn from(diff: Diff) -> Self {
        Self::Diff(diff)
    }
}

impl From<PresenceCount> for Out {
    fn from(count: PresenceCount) -> Self {
        Self::Count(count)
    }
}

pub(crate) struct Heard(Diff);

impl From<Diff> for Heard {
    fn from(diff: Diff) -> Self {
        Self(diff)
    }
}

impl Consumer for Guest {
    type Scope = Path<String>;
    type In = Value;
    type Out = Out;
    type Event = Heard;

    async fn connect(Path(way): Path<String>, conn: &mut Connection<Self>) -> Result<Self, Reject> {
        if way == "refused" {
            conn.track(&present("lobby"), "refused", json!(null)).await?;
            return Err(Reject::new(axum::http::StatusCode::FORBIDDEN));
        }
        Ok(Self)
    }

    async fn receive(&mut self, wish: Value, conn: &mut Connection<Self>) -> Result<(), Close> {
        let said = |done: Result<(), String>| done.map_or_else(|error| json!(error), |()| json!("ok"));
        let answer = match serde_json::from_value(wish).unwrap() {
            Do::Track { room, key, meta } => {
                said(conn.track(&present(&room), key, meta).await.map_err(|e| e.to_string()))
            }
            Do::TrackWithin { ms, room, key, meta } => {
                let (room, time) = (present(&room), Duration::from_millis(ms));
                let tracked = tokio::time::timeout(time, conn.track(&room, key, meta)).await;
                tracked.map_or(json!("late"), |tracked| said(tracked.map_err(|e| e.to_string())))
            }
            Do::Update { room, meta } => {
                said(conn.update(&present(&room), meta).await.map_err(|e| e.to_string()))
            }
            Do::Untrack { room } => json!(conn.untrack(&present(&room)).await),
            Do::Join { room } => said(conn.join(&present(&room).diffs()).await.map_err(|e| e.to_string())),
            Do::Listen { room } => {
                said(conn.listen(&present(&room).diffs()).await.map_err(|e| e.to_string()))
            }
            Do::JoinCounts { room } => {
                said(conn.join(&present(&room).counts()).await.map_err(|e| e.to_string()))
            }
            Do::Roster { room, after } => {
                json!(conn.roster(&present(&room), after.as_deref()).await.unwrap())
            }
            Do::Panic => panic!("as it was told"),
            Do::Leave => return Err(Close::with(4000, "as it was told")),
        };
        Ok(conn.send(&Out::Answer(answer))?)
    }

    async fn event(&mut self, Heard(diff): Heard, conn: &mut Connection<Self>) -> Result<(), Close> {
        Ok(conn.send(&Out::Answer(json!({ "heard": diff.leaves })))?)
    }
}

/// A node with guests.
pub(crate) struct House {
    pub(crate) channels: Channels,
    pub(crate) server: TestServer,
}

impl House {
    pub(crate) fn new() -> Self {
        Self::on(MemoryLayer::new())
    }

    pub(crate) fn on(layer: impl ChannelLayer) -> Self {
        Self::with(Channels::builder().layer(layer))
    }

    pub(crate) fn with(builder: ChannelsBuilder) -> Self {
        let channels = builder.on_this_thread().build();
        let route = channels.consumer::<Guest>().route();
        let server = TestServer::new(Router::new().route("/ws/{way}", route));
        // Most of these tests run on a paused clock, where time is nothing.
        let server = server.receive_timeout(Duration::from_secs(300)).quiet_time(Duration::from_secs(5));
        Self { channels, server }
    }

    pub(crate) async fn guest(&self) -> TestClient {
        self.server.connect("/ws/guest").await
    }

    /// A guest who is tracked in the lobby under this key.
    pub(crate) async fn tracked(&self, key: &str) -> TestClient {
        let mut guest = self.guest().await;
        track(&mut guest, "lobby", key, json!({ "name": key })).await;
        guest
    }

    /// A guest who sees the diffs of the lobby.
    pub(crate) async fn watching(&self) -> TestClient {
        let mut guest = self.guest().await;
        ask(&mut guest, json!({ "do": "join", "room": "lobby" })).await;
        guest
    }

    pub(crate) async fn keys(&self) -> Vec<String> {
        self.channels.roster(&present("lobby"), None).await.unwrap().people.into_keys().collect()
    }
}

/// Asks for something that is to work.
pub(crate) async fn ask(guest: &mut TestClient, wish: Value) {
    guest.send(&wish).await;
    guest.expect(&json!("ok")).await;
}

pub(crate) async fn track(guest: &mut TestClient, room: &str, key: &str, meta: Value) {
    ask(guest, json!({ "do": "track", "room": room, "key": key, "meta": meta })).await;
}

/// What one asks for is refused with.
pub(crate) async fn refusal(guest: &mut TestClient, wish: Value) -> String {
    guest.send(&wish).await;
    guest.receive::<String>().await
}

/// One who keeps a roster from what a client gets.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Keeper {
    pub(crate) people: BTreeMap<String, Vec<Value>>,
    pub(crate) version: u64,
    pub(crate) count: u64,
}

impl Keeper {
    pub(crate) fn take_in(&mut self, diff: Diff) {
        assert!(self.version == 0 || diff.version == self.version + 1, "{} then {diff:?}", self.version);
        (self.version, self.count) = (diff.version, diff.count);
        self.people.extend(diff.joins);
        self.people.extend(diff.updates);
        self.people.retain(|key, _| !diff.leaves.contains(key));
    }
}
