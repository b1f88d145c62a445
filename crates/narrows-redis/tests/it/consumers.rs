//! Consumers and their clients on one side, Django's on the other.

use narrows::testing::TestServer;
use narrows::{Channels, Close, Connection, Consumer, Group, NoEvent, Reject};
use narrows_redis::{Kind, RedisLayer};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::site::{PATIENCE, Setup, Site, group};

/// What Django sends as `{"type": "chat.message", "message": "hi"}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type")]
pub(crate) enum Chat {
    #[serde(rename = "chat.message")]
    Message { message: String },
}

#[derive(Serialize, Deserialize)]
pub(crate) struct Say {
    pub(crate) message: String,
}

/// The room of Django's tutorial.
pub(crate) struct Room(Group<Chat>);

impl Consumer for Room {
    type Scope = ();
    type In = Say;
    type Out = Chat;
    type Event = NoEvent;

    async fn connect((): (), conn: &mut Connection<Self>) -> Result<Self, Reject> {
        let lobby = Group::new("chat_lobby")?;
        conn.join(&lobby).await?;
        Ok(Self(lobby))
    }

    async fn receive(&mut self, Say { message }: Say, conn: &mut Connection<Self>) -> Result<(), Close> {
        conn.broadcast(&self.0, &Chat::Message { message }).await?;
        Ok(())
    }
}

/// A node of the site with a server, which is not on any port.
pub(crate) fn server(site: &Site) -> TestServer {
    let channels = Channels::with_layer(RedisLayer::new(site.setup.kind, site.options()).unwrap());
    let room = channels.consumer::<Room>().route();
    TestServer::new(axum::Router::new().route("/ws/chat/", room)).receive_timeout(PATIENCE)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_view_of_django_and_a_client_of_narrows_reach_each_other() {
    for kind in [Kind::PubSub, Kind::Core] {
        let Some(site) = Site::start(Setup { kind, ..Setup::PUBSUB }) else { return };
        let (server, django) = (server(&site), site.django().await);
        let (mut ada, mut bob) = (server.connect("/ws/chat/").await, server.connect("/ws/chat/").await);
        let consumer = django.consumer(&["chat_lobby"], &["chat.message"]).await.unwrap();
        site.wait_for_subscribers(&group("chat_lobby"), 2);

        let from_view = json!({"type": "chat.message", "message": "hi"});
        django.view_group_send("chat_lobby", from_view.clone()).await.unwrap();
        ada.expect(&from_view).await;
        bob.expect(&from_view).await;
        assert_eq!(consumer.handled(PATIENCE).await.unwrap(), Some(from_view));

        ada.send(&Say { message: "hello, Django ✓".into() }).await;
        let from_client = json!({"type": "chat.message", "message": "hello, Django ✓"});
        assert_eq!(consumer.handled(PATIENCE).await.unwrap(), Some(from_client.clone()));
        ada.expect(&from_client).await;
        bob.expect(&from_client).await;
        consumer.stop().await.unwrap();
    }
}
