//! A node that ends in the orderly way leaves nothing behind.

use std::time::Duration;

use futures_util::StreamExt;
use narrows::serve::Server;
use narrows::serve::settings::Settings;
use narrows::{Channels, Close, Connection, Consumer, Group, NoEvent, Reject};
use narrows_redis::{CoreLayer, RedisOptions};
use serde_json::Value;

struct Member;

impl Consumer for Member {
    type Scope = ();
    type In = Value;
    type Out = Value;
    type Event = NoEvent;

    async fn connect((): (), conn: &mut Connection<Self>) -> Result<Self, Reject> {
        for room in 0..50 {
            conn.join(&Group::<Value>::new(format!("room.{room}"))?).await?;
        }
        Ok(Self)
    }

    async fn receive(&mut self, _: Value, _: &mut Connection<Self>) -> Result<(), Close> {
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_has_drained_is_in_no_group_any_more() {
    let Some(redis) = rig::Redis::start() else { return };
    let layer = CoreLayer::new(RedisOptions::new(redis.url().parse().unwrap())).unwrap();
    let channels = Channels::with_layer(layer);
    let app = axum::Router::new().route("/ws/", channels.consumer::<Member>().route());
    let mut settings = Settings::default();
    settings.bind = vec!["127.0.0.1:0".parse().unwrap()];
    settings.drain_window = Duration::ZERO;
    let server = Server::new(app, &channels, &settings).listen().await.unwrap();
    let address = server.addresses()[0].to_string();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let running = tokio::spawn(server.run_until(async move { drop(stopped.await) }));
    let url = address.replace("http://", "ws://");
    let (mut client, _) = tokio_tungstenite::connect_async(format!("{url}ws/")).await.unwrap();
    // It answers the server's close, so that nothing is waited for.
    let client = tokio::spawn(async move { while let Some(Ok(_)) = client.next().await {} });
    let members = || (0..50).map(|room| redis.reply(&["ZCARD", &format!("asgi:group:room.{room}")]));
    assert!(members().all(|reply| format!("{reply:?}").contains('1')));
    drop(stop);
    running.await.unwrap();
    assert!(members().all(|reply| format!("{reply:?}").contains('0')), "at once, not some time later");
    client.await.unwrap();
}
