//! Messages to one connection by its id.

use narrows::Codec;
use narrows::live::LiveFilter;
use serde_json::json;

use super::listing::{list, listed};
use crate::site::{Site, said};

#[tokio::test(start_paused = true)]
async fn a_message_reaches_the_connection_that_is_named_alone() {
    let site = Site::new();
    let (mut ada, mut bob) = (site.connect_as("a", "1").await, site.connect_as("b", "2").await);
    listed(&site.channels, 2).await;
    let id = list(&site.channels, LiveFilter::new().user("1")).await.connections[0].id;
    assert!(site.channels.live().send(id, &said("just you")).await.unwrap());
    ada.expect(&said("just you")).await;
    bob.expect_nothing().await;
    ada.abort();
    listed(&site.channels, 1).await;
    assert!(!site.channels.live().send(id, &said("gone")).await.unwrap());
}

#[tokio::test(start_paused = true)]
async fn it_is_written_in_the_connections_codec() {
    let site = Site::with(|node| node, |bots| bots.codec(Codec::MsgPack));
    let mut ada = site.server.connect_request("/ws/lobby").codec(Codec::MsgPack).connect().await;
    let id = listed(&site.channels, 1).await.connections[0].id;
    assert!(site.channels.live().send(id, &json!({"type": "said", "text": "packed"})).await.unwrap());
    ada.expect(&said("packed")).await;
}
