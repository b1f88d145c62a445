//! The layer of a node that ends is told of every group that it left.

use bytes::Bytes;
use futures_util::StreamExt;
use narrows::layer::MemoryLayer;
use narrows::serve::Server;
use narrows::serve::settings::Settings;
use narrows::{
    ChannelLayer, Channels, Close, Connection, Consumer, Group, Inbound, LayerError, NoEvent, Reject, Topic,
};
use serde_json::Value;
use tokio::sync::{oneshot, watch};

struct Member;

impl Consumer for Member {
    type Scope = ();
    type In = Value;
    type Out = Value;
    type Event = NoEvent;

    async fn connect((): (), conn: &mut Connection<Self>) -> Result<Self, Reject> {
        conn.join(&Group::<Value>::new("lobby")?).await?;
        Ok(Self)
    }

    async fn receive(&mut self, _: Value, _: &mut Connection<Self>) -> Result<(), Close> {
        Ok(())
    }
}

/// A layer that unsubscribes when it is allowed to.
struct Hesitant {
    layer: MemoryLayer,
    asked: watch::Sender<bool>,
    allowed: watch::Receiver<bool>,
}

impl ChannelLayer for Hesitant {
    fn start(&self, inbound: Inbound) {
        self.layer.start(inbound);
    }
    async fn subscribe(&self, topic: &Topic) -> Result<(), LayerError> {
        self.layer.subscribe(topic).await
    }
    async fn unsubscribe(&self, topic: &Topic) -> Result<(), LayerError> {
        self.asked.send_replace(true);
        self.allowed.clone().wait_for(|allowed| *allowed).await.unwrap();
        self.layer.unsubscribe(topic).await
    }
    async fn publish(&self, topic: &Topic, payload: Bytes) -> Result<(), LayerError> {
        self.layer.publish(topic, payload).await
    }
    fn new_channel(&self) -> String {
        self.layer.new_channel()
    }
}

#[tokio::test]
async fn a_server_returns_when_its_layer_knows_that_nothing_is_wanted_any_more() {
    let (allow, allowed) = watch::channel(false);
    let (asked, mut was_asked) = watch::channel(false);
    let channels = Channels::with_layer(Hesitant { layer: MemoryLayer::new(), asked, allowed });
    let app = axum::Router::new().route("/ws/", channels.consumer::<Member>().route());
    let mut settings = Settings::default();
    settings.bind = vec!["127.0.0.1:0".to_owned()];
    settings.drain_window = std::time::Duration::ZERO;
    let server = Server::new(app, &channels, &settings).listen().await.unwrap();
    let url = server.addresses()[0].to_string().replace("http://", "ws://");
    let (end, ended) = oneshot::channel::<()>();
    let mut running = tokio::spawn(server.run_until(async move { drop(ended.await) }));
    let (mut client, _) = tokio_tungstenite::connect_async(format!("{url}ws/")).await.unwrap();
    drop(end);
    while let Some(Ok(_)) = client.next().await {}
    was_asked.wait_for(|asked| *asked).await.unwrap();
    // All connections have ended, and nothing else is left to wait for.
    let early = tokio::time::timeout(std::time::Duration::from_millis(300), &mut running).await;
    assert!(early.is_err(), "the layer has not unsubscribed yet");
    allow.send_replace(true);
    running.await.unwrap();
}
