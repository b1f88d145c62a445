use std::net::SocketAddr;
use std::sync::mpsc;

use narrows::serve::settings::Settings;
use narrows::serve::{Address, Server};
use narrows::{Channels, Close, Connection, Consumer, Group, NoEvent, Reject};
use serde_json::Value;

/// Everyone gets what anyone says, as it is.
struct Room(Group<Value>);

impl Consumer for Room {
    type Scope = ();
    type In = Value;
    type Out = Value;
    type Event = NoEvent;

    async fn connect((): (), conn: &mut Connection<Self>) -> Result<Self, Reject> {
        let room = Group::new("room")?;
        conn.join(&room).await?;
        Ok(Self(room))
    }

    async fn receive(&mut self, message: Value, conn: &mut Connection<Self>) -> Result<(), Close> {
        Ok(conn.broadcast(&self.0, &message).await?)
    }
}

/// Starts a server with a room at `/ws/room/`, for as long as the test runs.
pub(crate) fn start() -> SocketAddr {
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let channels = Channels::builder().shards(1).build();
            let app = axum::Router::new().route("/ws/room/", channels.consumer::<Room>().route());
            let mut settings = Settings::default();
            settings.bind = vec!["127.0.0.1:0".to_owned()];
            let server = Server::new(app, &channels, &settings).listen().await.unwrap();
            let Address::Tcp(address) = server.addresses()[0] else { unreachable!("TCP was asked for") };
            tell.send(address).unwrap();
            server.run_until(std::future::pending()).await;
        });
    });
    told.recv().unwrap()
}
