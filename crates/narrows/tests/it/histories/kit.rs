use std::time::Duration;

use axum::Router;
use axum::extract::Path;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use narrows::layer::MemoryLayer;
use narrows::testing::{ConnectRequest, Faults, FaultyLayer, TestClient, TestServer};
use narrows::{
    Channels, Close, Connection, Consumer, ConsumerRoute, Gap, Group, History, Position, Recovery, Reject,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// A number that was said in a room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename = "said")]
pub(super) struct Said {
    pub(super) n: u64,
}

/// The rooms whose names begin with `small` keep 5 messages, others more than any test says.
pub(super) fn room(name: &str) -> Group<Said> {
    let size = if name.starts_with("small") { 5 } else { 5000 };
    Group::keyed("room", name).unwrap().with_history(History::new(size, Duration::from_secs(3600)))
}

/// A text that was said in a room of texts, which is named as others are.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Text {
    pub(super) text: String,
}

pub(super) fn texts(name: &str) -> Group<Text> {
    let history = room(name).history().unwrap();
    Group::new(room(name).name()).unwrap().with_history(history)
}

/// Joins the room of its path, but for the room `none`; the two rooms `two-a` and `two-b` for `two`.
pub(super) struct Room(Group<Said>);

#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub(super) enum Do {
    Join,
    Try,
    From { at: Position },
    Leave,
    Listen,
    Once { n: u64 },
}

pub(super) enum Heard {
    Said(Said),
    Gap(Gap),
}

impl From<Said> for Heard {
    fn from(said: Said) -> Self {
        Self::Said(said)
    }
}

impl From<Gap> for Heard {
    fn from(gap: Gap) -> Self {
        Self::Gap(gap)
    }
}

impl From<Said> for Value {
    fn from(said: Said) -> Self {
        json!({"type": "said", "n": said.n})
    }
}

impl From<Text> for Value {
    fn from(Text { text }: Text) -> Self {
        json!({"text": text})
    }
}

impl Consumer for Room {
    type Scope = Path<String>;
    type In = Do;
    type Out = Value;
    type Event = Heard;

    async fn connect(Path(name): Path<String>, conn: &mut Connection<Self>) -> Result<Self, Reject> {
        let group = room(&name);
        if name == "two" {
            conn.join(&room("two-a")).await?;
            conn.join(&room("two-b")).await?;
        } else if name == "texts" {
            conn.join(&texts(&name)).await?;
        } else if !name.starts_with("none") {
            let brought = conn.position(&group);
            conn.join(&group).await?;
            if let Some(brought) = brought.filter(|_| name != "storm") {
                conn.send(&json!({"type": "brought", "at": brought, "left": conn.position(&group)}))?;
            }
        }
        Ok(Self(group))
    }

    async fn receive(&mut self, what: Do, conn: &mut Connection<Self>) -> Result<(), Close> {
        match what {
            Do::Join => conn.join(&self.0).await?,
            Do::Try => {
                let joined = conn.join(&self.0).await.is_ok();
                conn.send(&json!({"type": "tried", "joined": joined}))?;
            }
            Do::From { at } => {
                let recovery = match conn.join_from(&self.0, at).await? {
                    Recovery::Recovered { messages } => json!(messages),
                    other => json!(format!("{other:?}")),
                };
                conn.send(&json!({"type": "recovery", "recovery": recovery}))?;
            }
            Do::Leave => drop(conn.leave(&self.0).await),
            Do::Listen => {
                conn.listen(&self.0).await?;
                conn.listen_gaps().await;
                conn.send(&json!({"type": "listening"}))?;
            }
            Do::Once { n } => {
                let at = conn.broadcast_once(&self.0, &Said { n }).await?;
                conn.send(&json!({"type": "sent", "at": at}))?;
            }
        }
        Ok(())
    }

    async fn event(&mut self, heard: Heard, conn: &mut Connection<Self>) -> Result<(), Close> {
        conn.send(&match heard {
            Heard::Said(said) => json!({"type": "heard", "n": said.n}),
            Heard::Gap(gap) => json!({"type": "gap", "gap": format!("{gap:?}")}),
        })?;
        Ok(())
    }

    async fn unrecovered(&mut self, group: &str, conn: &mut Connection<Self>) -> Result<(), Close> {
        Ok(conn.send(&json!({"type": "unrecovered", "group": group}))?)
    }
}

/// One node of two on one bus, with a layer that fails on command; the other node only publishes.
pub(super) struct Site {
    pub(super) server: TestServer,
    pub(super) channels: Channels,
    pub(super) faults: Faults,
    pub(super) other: Channels,
}

pub(super) fn site() -> Site {
    site_with(|route| route)
}

pub(super) fn site_with(set: impl FnOnce(ConsumerRoute<Room>) -> ConsumerRoute<Room>) -> Site {
    let layer = MemoryLayer::new();
    let other = Channels::with_layer(layer.another_node());
    let layer = FaultyLayer::new(layer);
    let faults = layer.faults();
    let channels = Channels::builder().layer(layer).on_this_thread().build();
    let server = TestServer::new(Router::new().route("/ws/{room}", set(channels.consumer::<Room>()).route()));
    Site { server, channels, faults, other }
}

impl Site {
    pub(super) fn request(&self, name: &str) -> ConnectRequest {
        self.server.connect_request(&format!("/ws/{name}")).subprotocol("narrows.v1")
    }

    /// A client that speaks `narrows.v1`, past the welcome.
    pub(super) async fn speaking(&self, name: &str) -> TestClient {
        welcomed(self.request(name)).await
    }

    /// The same, which says what it had last.
    pub(super) async fn back(&self, name: &str, at: Position) -> TestClient {
        welcomed(self.request(name).subprotocol(&offer(name, at))).await
    }

    /// Says numbers in a room, from the other node.
    pub(super) async fn say(&self, name: &str, numbers: impl IntoIterator<Item = u64>) {
        for n in numbers {
            self.other.broadcast(&room(name), &Said { n }).await.unwrap();
        }
    }

    /// The newest position of a room.
    pub(super) async fn top(&self, name: &str) -> Position {
        self.other.history(&room(name), narrows::HistoryRange::newest(0)).await.unwrap().top
    }
}

pub(super) fn offer(name: &str, at: Position) -> String {
    offers(&[(name, at)])
}

pub(super) fn offers(positions: &[(&str, Position)]) -> String {
    let by_group = positions.iter().map(|(name, at)| (room(name).name().to_owned(), json!(at)));
    let positions = Value::Object(by_group.collect()).to_string();
    format!("narrows.at.{}", URL_SAFE_NO_PAD.encode(positions))
}

pub(super) async fn welcomed(request: ConnectRequest) -> TestClient {
    let mut client = request.connect().await;
    client.receive_timeout(Duration::from_secs(120));
    assert_eq!(client.receive::<Value>().await["type"], "narrows.welcome");
    client
}

/// The position at which a client is told that it joined, and whether what it missed comes.
pub(super) async fn joined(client: &mut TestClient) -> (Position, Value) {
    let joined: Value = client.receive().await;
    assert_eq!(joined["type"], "narrows.joined", "{joined}");
    (joined["at"].as_str().unwrap().parse().unwrap(), joined["recovered"].clone())
}

/// The next message of the room, which must be this number, and its offset.
pub(super) async fn said(client: &mut TestClient, n: u64) -> u64 {
    let said: Value = client.receive().await;
    assert_eq!((&said["type"], &said["n"]), (&json!("said"), &json!(n)), "{said}");
    let at: Position = said["@"][1].as_str().unwrap().parse().unwrap();
    at.offset
}

/// The next messages of the room, which must be these numbers, each at the offset of its own number.
pub(super) async fn all_said(client: &mut TestClient, numbers: impl IntoIterator<Item = u64>) {
    for n in numbers {
        assert_eq!(said(client, n).await, n);
    }
}
