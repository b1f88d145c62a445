//! The layer of a node that ends is told of every group that it left.

use std::time::Duration;

use futures_util::StreamExt;
use narrows::serve::Server;
use narrows::serve::settings::Settings;
use narrows::{Channels, Close, Connection, Consumer, Group, NoEvent, Reject};
use serde_json::Value;
use tokio::sync::oneshot;

use crate::gated_layer::GatedLayer;

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

#[tokio::test]
async fn a_server_returns_when_its_layer_knows_that_nothing_is_wanted_any_more() {
    let layer = GatedLayer::open();
    layer.way_out.forget_permits(usize::MAX);
    let channels = Channels::with_layer(layer.clone());
    let app = axum::Router::new().route("/ws/", channels.consumer::<Member>().route());
    let mut settings = Settings::default();
    settings.bind = vec!["127.0.0.1:0".to_owned()];
    settings.drain_window = Duration::ZERO;
    let server = Server::new(app, &channels, &settings).listen().await.unwrap();
    let url = server.addresses()[0].to_string().replace("http://", "ws://");
    let (end, ended) = oneshot::channel::<()>();
    let mut running = tokio::spawn(server.run_until(async move { drop(ended.await) }));
    let (mut client, _) = tokio_tungstenite::connect_async(format!("{url}ws/")).await.unwrap();
    drop(end);
    while let Some(Ok(_)) = client.next().await {}
    layer.called("unsubscribe from group lobby").await;
    // All connections have ended, and nothing else is left to wait for.
    let early = tokio::time::timeout(Duration::from_millis(300), &mut running).await;
    assert!(early.is_err(), "the layer has not unsubscribed yet");
    layer.way_out.add_permits(1);
    running.await.unwrap();
}
