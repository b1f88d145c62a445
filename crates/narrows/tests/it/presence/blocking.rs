use axum::Router;
use narrows::testing::TestServer;
use narrows::{BlockingConnection, BlockingConsumer, Channels, Close, NoEvent, PresenceError, Reject};
use serde_json::{Value, json};

use super::kit::{Diff, present};

struct Clerk;

impl BlockingConsumer for Clerk {
    type Scope = ();
    type In = Value;
    type Out = Diff;
    type Event = NoEvent;

    fn connect((): (), conn: &mut BlockingConnection<Self>) -> Result<Self, Reject> {
        conn.join(&present("lobby").diffs())?;
        assert!(matches!(conn.update(&present("lobby"), json!(1)), Err(PresenceError::NotTracked { .. })));
        conn.track(&present("lobby"), "clerk", json!(1))?;
        conn.update(&present("lobby"), json!(2))?;
        assert_eq!(conn.count(&present("lobby"))?, 1);
        assert_eq!(conn.roster(&present("lobby"), None)?.people["clerk"], [json!(2)]);
        Ok(Self)
    }

    fn receive(&mut self, _: Value, conn: &mut BlockingConnection<Self>) -> Result<(), Close> {
        assert!(conn.untrack(&present("lobby")));
        assert!(!conn.untrack(&present("lobby")));
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_blocking_consumer_is_tracked_as_well() {
    let channels = Channels::builder().shards(1).build();
    let app = Router::new().route("/ws", channels.blocking_consumer::<Clerk>().route());
    let server = TestServer::new(app).receive_timeout(std::time::Duration::from_secs(10));
    let mut client = server.connect("/ws").await;
    let joined: Diff = client.receive().await;
    assert_eq!(joined.joins["clerk"], [json!(2)]);
    client.send(&json!({})).await;
    assert_eq!(client.receive::<Diff>().await.leaves, ["clerk"]);
}
