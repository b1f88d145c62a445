//! The same for consumers that block.

use axum::extract::Path;
use narrows::testing::TestServer;
use narrows::{
    BlockingConnection, BlockingConsumer, Channels, Close, Group, HistoryRange, NoEvent, Position, Recovery,
    Reject,
};
use serde_json::{Value, json};

use super::kit::{Said, all_said, joined, offer, room, welcomed};

struct Blocks(Group<Said>);

impl BlockingConsumer for Blocks {
    type Scope = Path<String>;
    type In = Value;
    type Out = Value;
    type Event = NoEvent;

    fn connect(Path(name): Path<String>, conn: &mut BlockingConnection<Self>) -> Result<Self, Reject> {
        let group = room(&name);
        match conn.position(&group) {
            // In its own way, as a site may do.
            Some(at) if name == "small-b" => {
                let recovery = conn.join_from(&group, at)?;
                conn.send(&json!({"type": "recovery", "lost": recovery == Recovery::Lost}))?;
            }
            _ => conn.join(&group)?,
        }
        Ok(Self(group))
    }

    fn receive(&mut self, said: Value, conn: &mut BlockingConnection<Self>) -> Result<(), Close> {
        let said = Said { n: said["n"].as_u64().unwrap_or_default() };
        let at = if said.n.is_multiple_of(2) { conn.broadcast_once(&self.0, &said)? } else { None };
        if at.is_none() {
            conn.broadcast(&self.0, &said)?;
        }
        let page = conn.history(&self.0, HistoryRange::newest(9))?;
        Ok(conn.send(&json!({"type": "page", "numbers": page.messages.len(), "top": page.top.offset}))?)
    }

    fn unrecovered(&mut self, group: &str, conn: &mut BlockingConnection<Self>) -> Result<(), Close> {
        Ok(conn.send(&json!({"type": "unrecovered", "group": group}))?)
    }
}

#[tokio::test]
async fn a_blocking_consumer_joins_reads_and_is_told_as_others_are() {
    let channels = Channels::builder().on_this_thread().build();
    let app = axum::Router::new().route("/ws/{room}", channels.blocking_consumer::<Blocks>().route());
    let server = TestServer::new(app);
    let request = |name: &str| server.connect_request(&format!("/ws/{name}")).subprotocol("narrows.v1");
    for name in ["small-a", "small-b"] {
        let mut client = welcomed(request(name)).await;
        let (start, _) = joined(&mut client).await;
        for n in 1..=6u64 {
            client.send(&json!({"n": n})).await;
            // What a group has and what is sent to one have no order between them.
            let both: [Value; 2] = [client.receive().await, client.receive().await];
            assert!(both.contains(&json!({"type": "page", "numbers": n.min(5), "top": n})), "{both:?}");
            assert!(both.iter().any(|said| said["n"] == n && said["@"].is_array()), "{both:?}");
        }
        let at = |offset| Position { offset, ..start };
        let mut back = welcomed(request(name).subprotocol(&offer(name, at(4)))).await;
        assert_eq!(joined(&mut back).await, (at(4), json!(true)));
        all_said(&mut back, 5..=6).await;
        let mut late = welcomed(request(name).subprotocol(&offer(name, at(0)))).await;
        assert_eq!(joined(&mut late).await, (at(6), json!(false)));
        match name {
            "small-a" => late.expect(&json!({"type": "unrecovered", "group": "room.small-a"})).await,
            _ => late.expect(&json!({"type": "recovery", "lost": true})).await,
        }
    }
}
