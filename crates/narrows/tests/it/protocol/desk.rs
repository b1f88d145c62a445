use std::time::Duration;

use axum::Router;
use narrows::testing::{ConnectRequest, TestClient, TestServer};
use narrows::{Channels, Close, Codec, Connection, Consumer, ConsumerRoute, Reject, Reply};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// A consumer that answers in each way there is.
pub(super) struct Desk {
    later: Option<Reply>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase", deny_unknown_fields)]
pub(super) enum Ask {
    Note { text: String },
    Double { number: i64 },
    Refuse,
    Later,
    Now,
    Problem,
    Leave,
    Panic,
}

impl Consumer for Desk {
    type Scope = ();
    type In = Ask;
    type Out = Value;
    type Event = Reply;

    async fn connect((): (), conn: &mut Connection<Self>) -> Result<Self, Reject> {
        conn.send(&json!({"type": "hello", "offered": conn.offered_subprotocols()}))?;
        Ok(Self { later: None })
    }

    async fn receive(&mut self, ask: Ask, conn: &mut Connection<Self>) -> Result<(), Close> {
        match ask {
            Ask::Note { text } => conn.send(&json!({"type": "noted", "text": text}))?,
            Ask::Double { number } => conn.reply(&(number * 2))?,
            Ask::Refuse => conn.reply_error("busy", "come back later")?,
            Ask::Later => {
                if let Some(reply) = conn.take_reply() {
                    conn.after(Duration::from_secs(1), reply);
                }
            }
            Ask::Now => {
                self.later = conn.take_reply();
                if let Some(reply) = self.later.take() {
                    conn.send_reply(reply, &"now")?;
                }
                conn.reply(&"twice")?;
            }
            Ask::Problem => conn.send_error("odd", "this was odd")?,
            Ask::Leave => {
                conn.reply(&"bye")?;
                return Err(Close::with(4000, "left"));
            }
            Ask::Panic => panic!("on purpose"),
        }
        Ok(())
    }

    async fn event(&mut self, reply: Reply, conn: &mut Connection<Self>) -> Result<(), Close> {
        Ok(conn.send_reply(reply, &"later")?)
    }
}

pub(super) fn desk(set: impl FnOnce(ConsumerRoute<Desk>) -> ConsumerRoute<Desk>) -> TestServer {
    let channels = Channels::builder().on_this_thread().build();
    TestServer::new(Router::new().route("/ws", set(channels.consumer::<Desk>()).route()))
}

pub(super) fn speaking(server: &TestServer) -> ConnectRequest {
    server.connect_request("/ws").subprotocol("narrows.v1")
}

/// A client that speaks the protocol, past the welcome and the consumer's own first message.
pub(super) async fn connected(server: &TestServer, codec: Codec) -> TestClient {
    let mut client = speaking(server).codec(codec).connect().await;
    client.receive_timeout(Duration::from_secs(60));
    assert_eq!(client.receive::<Value>().await["type"], "narrows.welcome");
    assert_eq!(client.receive::<Value>().await["type"], "hello");
    client
}
