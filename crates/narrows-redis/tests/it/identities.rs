//! Sessions that end on Django's side.

use narrows::Identity;
use narrows::testing::TestClient;
use narrows_redis::Kind;
use serde_json::json;

use crate::consumers::{Say, server};
use crate::site::{Setup, Site};

/// What Python makes of `a-session-key`: `hashlib.sha256(key.encode()).hexdigest()`.
const DIGEST: &str = "049874913f0fec2a17ed3b1045e78517be3ad3115af5c40aed3f01a134ac5fad";

async fn connect(server: &narrows::testing::TestServer, key: &str) -> TestClient {
    let identity = Identity::new().with_session(key).with_user("42");
    server.connect_request("/ws/chat/").extension(identity).connect().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_group_send_of_django_ends_a_session_on_every_node() {
    for kind in [Kind::PubSub, Kind::Core] {
        let Some(site) = Site::start(Setup { kind, ..Setup::PUBSUB }) else { return };
        let (here, there, django) = (server(&site), server(&site), site.django().await);
        let (mut ada, mut tab) =
            (connect(&here, "a-session-key").await, connect(&there, "a-session-key").await);
        let mut phone = connect(&here, "another-key").await;

        django.group_send("narrows.ends", json!({"type": "session.end", "session": DIGEST})).await.unwrap();
        assert_eq!(ada.expect_close(4401).await, "session ended");
        assert_eq!(tab.expect_close(4401).await, "session ended");
        phone.send(&Say { message: "still here".to_owned() }).await;
        phone.expect(&json!({"type": "chat.message", "message": "still here"})).await;

        django.group_send("narrows.ends", json!({"type": "user.end", "user": 42})).await.unwrap();
        phone.expect_close(4401).await;
    }
}
