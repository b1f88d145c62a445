//! Live connections of several nodes on Redis.

use narrows::live::{LiveFilter, LivePage};
use narrows::testing::{TestClient, TestServer};
use narrows::{Channels, Identity};
use narrows_core::PayloadFormat;
use narrows_redis::{Kind, RedisLayer};
use serde_json::json;

use crate::consumers::{Room, Say};
use crate::site::{PATIENCE, Setup, Site};

struct Node {
    channels: Channels,
    server: TestServer,
}

impl Node {
    fn start(site: &Site) -> Self {
        let channels = Channels::with_layer(RedisLayer::new(site.setup.kind, site.options()).unwrap());
        channels.live();
        let room = channels.consumer::<Room>().route();
        let server = TestServer::new(axum::Router::new().route("/ws/chat/", room)).receive_timeout(PATIENCE);
        Self { channels, server }
    }

    async fn connect(&self, user: &str) -> TestClient {
        let identity = Identity::new().with_session(format!("key of {user}")).with_user(user);
        self.server.connect_request("/ws/chat/").extension(identity).connect().await
    }

    /// Waits until so many connections are listed.
    async fn listed(&self, count: usize) -> LivePage {
        let listed = async {
            loop {
                let page = self.channels.live().connections(&LiveFilter::new()).await.unwrap();
                if page.connections.len() == count {
                    return page;
                }
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, listed).await.expect("the connections are listed")
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_are_listed_and_ended_across_nodes_on_every_layer() {
    let setups = [
        Setup::PUBSUB,
        Setup::CORE,
        Setup { encrypted: true, format: PayloadFormat::Json, hosts: 2, ..Setup::PUBSUB },
        Setup { encrypted: true, hosts: 2, ..Setup::CORE },
    ];
    for setup in setups {
        let Some(site) = Site::start(setup) else { return };
        let (here, there) = (Node::start(&site), Node::start(&site));
        let (mut ada, mut bob) = (there.connect("ada").await, there.connect("bob").await);
        let _eve = here.connect("eve").await;
        let page = here.listed(3).await;
        assert_eq!(page.nodes.answered, 2, "{setup:?}");
        let id = page.connections.iter().find(|one| one.user.as_deref() == Some("ada")).unwrap().id;

        let live = here.channels.live();
        assert_eq!(live.connection(id).await.unwrap().unwrap().groups, ["chat_lobby"]);
        assert_eq!(live.totals().await.unwrap().connections, 3);
        assert_eq!(live.groups("chat_", 5).await.unwrap().groups[0].members, 3);
        let notice = json!({"type": "notice", "text": "soon, ✓"});
        assert!(live.send(id, &notice).await.unwrap());
        ada.expect(&notice).await;
        assert!(live.end(id, "from afar").await.unwrap());
        assert_eq!(ada.expect_close(4403).await, "from afar");
        assert!(!live.end(id, "again").await.unwrap());
        bob.send(&Say { message: "still here".to_owned() }).await;
        bob.expect(&json!({"type": "chat.message", "message": "still here"})).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn django_processes_in_the_same_groups_see_none_of_the_questions() {
    for kind in [Kind::PubSub, Kind::Core] {
        let Some(site) = Site::start(Setup { kind, ..Setup::PUBSUB }) else { return };
        let (here, there, django) = (Node::start(&site), Node::start(&site), site.django().await);
        let consumer = django.consumer(&["chat_lobby"], &["chat.message"]).await.unwrap();
        let mut ada = there.connect("ada").await;
        site.wait_for_subscribers(&crate::site::group("chat_lobby"), 2);
        let page = here.listed(1).await;
        assert!(here.channels.live().end(page.connections[0].id, "").await.unwrap());
        ada.expect_close(4403).await;
        let mut bob = there.connect("bob").await;
        bob.send(&Say { message: "hi".to_owned() }).await;
        let said = json!({"type": "chat.message", "message": "hi"});
        assert_eq!(consumer.handled(PATIENCE).await.unwrap(), Some(said), "it is the first that came");
        consumer.stop().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_redis_is_away_a_node_speaks_for_itself_and_afterwards_for_all() {
    for kind in [Kind::PubSub, Kind::Core] {
        let Some(site) = Site::start(Setup { kind, ..Setup::PUBSUB }) else { return };
        let (here, there) = (Node::start(&site), Node::start(&site));
        let (_ada, _bob) = (here.connect("ada").await, there.connect("bob").await);
        here.listed(2).await;
        site.servers[0].stop();
        let alone = here.listed(1).await;
        assert_eq!((alone.nodes.answered, alone.connections[0].user.as_deref()), (1, Some("ada")));
        site.servers[0].restart();
        here.listed(2).await;
    }
}
