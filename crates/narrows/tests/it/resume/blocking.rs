use axum::Router;
use axum::extract::State;
use narrows::testing::TestServer;
use narrows::{BlockingConnection, BlockingConsumer, BlockingResume, Channels, Close, NoEvent, Reject};
use serde_json::{Value, json};

/// Counts, and adds what the site says.
struct Counter {
    step: u64,
    count: u64,
}

impl BlockingConsumer for Counter {
    type Scope = State<u64>;
    type In = Value;
    type Out = Value;
    type Event = NoEvent;

    fn connect(State(step): State<u64>, _: &mut BlockingConnection<Self>) -> Result<Self, Reject> {
        Ok(Self { step, count: 0 })
    }

    fn receive(&mut self, message: Value, conn: &mut BlockingConnection<Self>) -> Result<(), Close> {
        if message["type"] == "refuse" {
            return Ok(conn.reply_error("no", "not today")?);
        }
        self.count += self.step;
        conn.renew_token();
        let reply = conn.take_reply().ok_or_else(|| Close::with(4000, "no reply is due"))?;
        let counted = json!([self.count, conn.is_resumed()]);
        Ok(conn.send_reply(reply, &counted)?)
    }
}

impl BlockingResume for Counter {
    type Saved = u64;

    fn save(&self) -> u64 {
        self.count
    }

    fn resume(count: u64, conn: &mut BlockingConnection<Self>) -> Result<Self, Reject> {
        let step = conn.extension::<u64>().ok_or_else(|| Reject::new(axum::http::StatusCode::GONE))?;
        Ok(Self { step, count })
    }
}

#[tokio::test]
async fn a_blocking_consumer_replies_and_goes_on() {
    let channels = Channels::builder().shards(1).build();
    let route = channels.blocking_consumer::<Counter>().resumable().route();
    let server = TestServer::new(Router::new().route("/ws", route).with_state(5_u64));
    let mut ada = server.connect_request("/ws").narrows().connect().await;
    assert_eq!(ada.request(&json!({"type": "count"})).await, Ok(json!([5, false])));
    let refused = ada.request(&json!({"type": "refuse"})).await.unwrap_err();
    assert_eq!((refused.code.as_str(), refused.detail.as_str()), ("no", "not today"));
    ada.settle().await;
    let mut ada = ada.cut().connect().await;
    assert_eq!(ada.request(&json!({"type": "count"})).await, Ok(json!([10, true])));
}

/// Nothing of it goes on but itself.
struct Bare;

impl BlockingConsumer for Bare {
    type Scope = ();
    type In = Value;
    type Out = Value;
    type Event = NoEvent;

    fn connect((): (), _: &mut BlockingConnection<Self>) -> Result<Self, Reject> {
        Ok(Self)
    }

    fn receive(&mut self, _: Value, _: &mut BlockingConnection<Self>) -> Result<(), Close> {
        Ok(())
    }
}

impl BlockingResume for Bare {
    type Saved = ();

    fn save(&self) {}

    fn resume((): (), _: &mut BlockingConnection<Self>) -> Result<Self, Reject> {
        Ok(Self)
    }
}

#[tokio::test]
async fn a_blocking_consumer_that_saves_nothing_goes_on() {
    let channels = Channels::builder().shards(1).build();
    let route = channels.blocking_consumer::<Bare>().resumable().route();
    let server = TestServer::new(Router::new().route("/ws", route));
    let away = server.connect_request("/ws").narrows().connect().await.cut();
    assert!(away.connect().await.is_resumed());
}
