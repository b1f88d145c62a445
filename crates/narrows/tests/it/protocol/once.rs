//! Messages that a client sends again, and what is broadcast for them.

use std::time::Duration;

use axum::Router;
use axum::extract::State;
use narrows::testing::{TestClient, TestServer};
use narrows::{
    Channels, Close, Connection, Consumer, Disconnect, Group, History, HistoryRange, NoEvent, Reject,
};
use serde_json::{Value, json};
use tokio::sync::mpsc;

/// Says what it is told to, and that its client left.
struct Teller(mpsc::UnboundedSender<&'static str>);

fn told() -> Group<Value> {
    Group::new("told").unwrap().with_history(History::new(100, Duration::from_secs(3600)))
}

impl Consumer for Teller {
    type Scope = State<mpsc::UnboundedSender<&'static str>>;
    type In = Value;
    type Out = Value;
    type Event = NoEvent;

    async fn connect(State(log): Self::Scope, _: &mut Connection<Self>) -> Result<Self, Reject> {
        Ok(Self(log))
    }

    async fn receive(&mut self, message: Value, conn: &mut Connection<Self>) -> Result<(), Close> {
        if message["waits"] == true {
            self.0.send("waits")?;
            std::future::pending::<()>().await;
        }
        for said in message["say"].as_array().unwrap() {
            conn.broadcast_once(&told(), &json!({"said": said})).await?;
        }
        Ok(())
    }

    async fn disconnect(self, _: Disconnect, conn: &mut Connection<Self>) {
        conn.broadcast_once(&told(), &json!({"said": "bye"})).await.unwrap();
        self.0.send("left").unwrap();
    }
}

struct Site {
    channels: Channels,
    server: TestServer,
    log: mpsc::UnboundedReceiver<&'static str>,
}

impl Site {
    fn new() -> Self {
        let (channels, (log, told)) =
            (Channels::builder().on_this_thread().build(), mpsc::unbounded_channel());
        let app = Router::new().route("/ws", channels.consumer::<Teller>().route()).with_state(log);
        Self { channels, server: TestServer::new(app), log: told }
    }

    async fn connect(&self) -> TestClient {
        let request = self.server.connect_request("/ws").subprotocol("narrows.v1");
        let mut client = request.subprotocol("narrows.client.AAAAAAAAAAAAAAAAAAAAAA").connect().await;
        assert_eq!(client.receive::<Value>().await["type"], "narrows.welcome");
        client
    }

    async fn said(&self) -> Vec<Value> {
        let page = self.channels.history(&told(), HistoryRange::newest(99)).await.unwrap();
        page.messages.into_iter().map(|(_, message)| message["said"].clone()).collect()
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_said_when_a_client_leaves_is_not_taken_for_its_message() {
    let mut site = Site::new();
    let mut client = site.connect().await;
    client.send(&json!({"waits": true, "say": ["a"], "ref": 5})).await;
    assert_eq!(site.log.recv().await, Some("waits"));
    client.abort();
    assert_eq!(site.log.recv().await, Some("left"));
    let mut again = site.connect().await;
    again.send(&json!({"say": ["a"], "ref": 5})).await;
    assert_eq!(again.receive::<Value>().await, json!({"type": "narrows.reply", "ref": 5}));
    assert_eq!(site.said().await, ["bye", "a"]);
}

#[tokio::test(start_paused = true)]
async fn each_broadcast_for_a_message_is_made_once() {
    let site = Site::new();
    for said in [json!(["a", "b", "b"]), json!(["a", "b", "b"]), json!(["a", "b", "b", "c"])] {
        let mut client = site.connect().await;
        client.send(&json!({"say": said, "ref": 6})).await;
        assert_eq!(client.receive::<Value>().await["type"], "narrows.reply");
    }
    assert_eq!(&site.said().await[..3], ["a", "b", "b"]);
    let said = site.said().await;
    assert_eq!(said.iter().filter(|said| *said != "bye").count(), 4, "{said:?}");
}
