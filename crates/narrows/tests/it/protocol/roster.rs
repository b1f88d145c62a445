use axum::Router;
use narrows::testing::TestServer;
use narrows::{Channels, Close, Connection, Consumer, Group, NoEvent, PresenceDiff, Reject};
use serde_json::{Value, json};

/// In `room.open` everybody is told who is there.
struct Guest;

impl Consumer for Guest {
    type Scope = ();
    type In = Value;
    type Out = PresenceDiff<Value>;
    type Event = NoEvent;

    async fn connect((): (), conn: &mut Connection<Self>) -> Result<Self, Reject> {
        let (open, closed) = (Group::<()>::new("room.open")?, Group::<()>::new("room.closed")?);
        conn.join(&open.presence().diffs()).await?;
        conn.track(&open.presence(), "ada", json!({"at": "home"})).await?;
        conn.track(&closed.presence(), "ada", json!({})).await?;
        Ok(Self)
    }

    async fn receive(&mut self, _: Value, _: &mut Connection<Self>) -> Result<(), Close> {
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn a_roster_is_for_those_who_are_told_of_its_changes() {
    let channels = Channels::builder().on_this_thread().build();
    let route = channels.consumer::<Guest>().route();
    let server = TestServer::new(Router::new().route("/ws", route));
    let mut ada = server.connect_request("/ws").narrows().connect().await;
    let roster = |group: &str| json!({"type": "narrows.roster", "group": group, "after": null});

    let open = ada.request(&roster("room.open")).await.unwrap();
    assert_eq!((&open["people"], &open["count"]), (&json!({"ada": [{"at": "home"}]}), &json!(1)));
    for group in ["room.closed", "room.unknown", ""] {
        let refused = ada.request(&roster(group)).await.unwrap_err();
        assert!(["forbidden", "malformed"].contains(&refused.code.as_str()), "{group}: {refused:?}");
    }
}
