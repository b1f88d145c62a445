//! Blocking consumers end with their session too.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};

use axum::{Extension, Router};
use narrows::testing::TestServer;
use narrows::{BlockingConnection, BlockingConsumer, Channels, Close, Identity, NoEvent, Reject, Text};

use super::kit::{forgotten, identity};

type Gate = Arc<Mutex<Receiver<()>>>;

struct Blocks(Gate);

impl BlockingConsumer for Blocks {
    type Scope = Extension<Gate>;
    type In = Text;
    type Out = Text;
    type Event = NoEvent;

    fn connect(Extension(gate): Self::Scope, _: &mut BlockingConnection<Self>) -> Result<Self, Reject> {
        Ok(Self(gate))
    }

    fn receive(&mut self, Text(said): Text, conn: &mut BlockingConnection<Self>) -> Result<(), Close> {
        if said == "wait" {
            conn.send(&Text("waiting".to_owned()))?;
            return Ok(self.0.lock().unwrap().recv()?);
        }
        conn.belongs_to(identity(&said, &said))?;
        let user = conn.identity().and_then(|identity| identity.user().map(str::to_owned));
        Ok(conn.send(&Text(user.unwrap_or_default()))?)
    }
}

fn site() -> (Channels, TestServer, Sender<()>) {
    let channels = Channels::builder().shards(1).build();
    let (open, gate) = channel();
    let gate: Gate = Arc::new(Mutex::new(gate));
    let app = Router::new().route("/", channels.blocking_consumer::<Blocks>().route()).layer(Extension(gate));
    (channels, TestServer::new(app), open)
}

#[tokio::test]
async fn a_client_is_closed_while_a_blocking_handler_blocks() {
    let (channels, server, open) = site();
    let mut client = server.connect_request("/").extension(identity("a", "1")).connect().await;
    client.send_text("wait").await;
    client.expect_text("waiting").await;
    channels.end_session("a").await.unwrap();
    client.expect_close(4401).await;
    assert_eq!(channels.stats().identities, 1, "its handler is not done");
    open.send(()).unwrap();
    forgotten(&channels).await;
}

#[tokio::test]
async fn a_blocking_consumer_can_find_out_later_whose_its_connection_is() {
    let (channels, server, _open) = site();
    let mut client = server.connect_request("/").extension(Identity::new().with_user("1")).connect().await;
    client.send_text("bob").await;
    client.expect_text("bob").await;
    channels.end_user("1").await.unwrap();
    channels.end_user("bob").await.unwrap();
    client.expect_close(4401).await;
    forgotten(&channels).await;
}
