//! Who comes back has never left.

use std::time::Duration;

use axum::Router;
use narrows::layer::MemoryLayer;
use narrows::testing::{Faults, FaultyLayer, NarrowsRequest, TestServer};
use narrows::{
    Channels, Close, Connection, Consumer, Group, NoEvent, Presence, PresenceDiff, Reject, Resume,
};
use serde_json::{Value, json};

/// Somebody in a room, who is told who else is there.
struct Guest(String);

fn present() -> Presence<Value> {
    Group::<()>::new("room.lobby").unwrap().presence()
}

impl Consumer for Guest {
    type Scope = axum::extract::Path<String>;
    type In = Value;
    type Out = PresenceDiff<Value>;
    type Event = NoEvent;

    async fn connect(name: Self::Scope, conn: &mut Connection<Self>) -> Result<Self, Reject> {
        Self::resume(name.0, conn).await
    }

    async fn receive(&mut self, _: Value, _: &mut Connection<Self>) -> Result<(), Close> {
        Ok(())
    }
}

impl Resume for Guest {
    type Saved = String;

    fn save(&self) -> String {
        self.0.clone()
    }

    async fn resume(name: String, conn: &mut Connection<Self>) -> Result<Self, Reject> {
        conn.join(&present().diffs()).await?;
        if let Some(faults) = conn.extension::<Faults>() {
            faults.disconnect();
            conn.track(&present(), &name, json!({})).await.unwrap_err();
            return Ok(Self(name));
        }
        conn.track(&present(), &name, json!({})).await?;
        Ok(Self(name))
    }
}

fn nodes(resumable: bool) -> [TestServer; 2] {
    let layer = MemoryLayer::new();
    [layer.another_node(), layer].map(|layer| {
        let channels = Channels::builder().layer(layer).secret_key("of both").on_this_thread().build();
        let route = channels.consumer::<Guest>();
        let route = if resumable { route.resumable() } else { route };
        TestServer::new(Router::new().route("/ws/{name}", route.route()))
    })
}

/// What eve, who stays, sees of ada, who comes and then does something.
async fn seen<F: Future<Output = ()>>(
    resumable: bool,
    happens: impl FnOnce(NarrowsRequest, [TestServer; 2]) -> F,
) {
    let nodes = nodes(resumable);
    let mut eve = nodes[0].connect("/ws/eve").await;
    assert_eq!(eve.receive::<Value>().await["joins"], json!({"eve": [{}]}));
    let ada = nodes[0].connect_request("/ws/ada").narrows();
    eve.receive_timeout(Duration::from_secs(30));
    let ((), joined) = tokio::join!(happens(ada, nodes.clone()), eve.receive::<Value>());
    assert_eq!(joined["joins"], json!({"ada": [{}]}));
    eve.receive_timeout(Duration::from_secs(600));
    let left = eve.next().await;
    assert!(left.is_none(), "{left:?}");
}

#[tokio::test(start_paused = true)]
async fn who_goes_on_on_any_node_is_not_seen_to_leave_or_to_come() {
    for (resumable, to) in [(true, 0), (true, 1), (false, 0), (false, 1)] {
        let happens = async |ada: NarrowsRequest, nodes: [TestServer; 2]| {
            let away = ada.connect().await.cut();
            tokio::time::sleep(Duration::from_secs(20)).await;
            let back = away.to(&nodes[to]).connect().await;
            assert_eq!(back.is_resumed(), resumable);
            tokio::spawn(async move {
                tokio::time::sleep(Duration::from_secs(3600)).await;
                drop(back);
            });
        };
        seen(resumable, happens).await;
    }
}

#[tokio::test(start_paused = true)]
async fn who_comes_back_before_the_old_connection_is_found_dead_is_not_seen_to_leave() {
    for to in [0, 1] {
        let happens = async |ada: NarrowsRequest, nodes: [TestServer; 2]| {
            let old = ada.clone().connect().await;
            let back = ada.with_token(old.token()).to(&nodes[to]).connect().await;
            assert!(back.is_resumed());
            tokio::spawn(async move {
                tokio::time::sleep(Duration::from_secs(3600)).await;
                drop((old, back));
            });
        };
        seen(true, happens).await;
    }
}

#[tokio::test(start_paused = true)]
async fn who_comes_back_and_cannot_be_tracked_is_there_as_before_and_leaves_with_the_last() {
    let layer = FaultyLayer::new(MemoryLayer::new());
    let faults = layer.faults();
    let channels = Channels::builder().layer(layer).secret_key("of one").on_this_thread().build();
    let route = channels.consumer::<Guest>().resumable().route();
    let server = TestServer::new(Router::new().route("/ws/{name}", route));
    let ada = server.connect_request("/ws/ada").narrows();
    let old = ada.clone().connect().await;
    let back = ada.with_token(old.token()).with(|request| request.extension(faults.clone())).connect().await;
    assert!(back.is_resumed());
    faults.reconnect();
    drop(old);
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!((channels.count(&present()).await.unwrap(), channels.stats().tracked), (1, 1));
    drop(back);
    tokio::time::sleep(Duration::from_secs(300)).await;
    assert_eq!((channels.count(&present()).await.unwrap(), channels.stats().tracked), (0, 0));
}
