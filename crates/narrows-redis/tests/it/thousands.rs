//! Two nodes with many members each.

use narrows::testing::{TestClient, TestServer};
use narrows_redis::Kind;

use crate::consumers::{Chat, Say, server};
use crate::site::{Setup, Site, group};

const EACH: usize = 1000;
const MESSAGES: usize = 10;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_of_2000_members_on_two_nodes_gets_each_message_once_and_in_one_order_on_pubsub() {
    all_see_one_order(Kind::PubSub).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_of_2000_members_on_two_nodes_gets_each_message_once_and_in_one_order_on_core() {
    all_see_one_order(Kind::Core).await;
}

async fn all_see_one_order(kind: Kind) {
    let Some(site) = Site::start(Setup { kind, ..Setup::PUBSUB }) else { return };
    let (mut here, mut there) = tokio::join!(members(server(&site)), members(server(&site)));
    site.wait_for_subscribers(&group("chat_lobby"), 2);
    for n in 0..MESSAGES {
        // At the same time, so that there is something to put in order.
        let say = |from: &str| Say { message: format!("{n} from {from}") };
        let (here, there) = (here[n].send(&say("here")), there[n].send(&say("there")));
        tokio::join!(here, there);
    }
    let mut first: Option<Vec<String>> = None;
    for member in here.iter_mut().chain(&mut there) {
        let mut messages = Vec::with_capacity(2 * MESSAGES);
        for _ in 0..2 * MESSAGES {
            let Chat::Message { message } = member.receive().await;
            messages.push(message);
        }
        assert_eq!(&messages, first.get_or_insert_with(|| messages.clone()));
    }
    let mut each = first.unwrap();
    each.sort();
    each.dedup();
    assert_eq!(each.len(), 2 * MESSAGES, "each of them once");
    // Nothing is behind them either.
    for member in [&mut here[0], &mut there[0]] {
        member.send(&Say { message: "last".into() }).await;
    }
    for member in here.iter_mut().chain(&mut there) {
        for _ in 0..2 {
            member.expect(&Chat::Message { message: "last".into() }).await;
        }
    }
}

async fn members(server: TestServer) -> Vec<TestClient> {
    let mut members = Vec::with_capacity(EACH);
    for _ in 0..EACH {
        members.push(server.connect("/ws/chat/").await);
    }
    members
}
