//! A layer that keeps no histories: groups with one are like others there.

use narrows::testing::TestServer;
use narrows::{Channels, HistoryError, HistoryRange, LayerError, Position};
use serde_json::json;

use super::kit::{Room, Said, offer, room, welcomed};
use crate::gated_layer::GatedLayer;

#[tokio::test(start_paused = true)]
async fn messages_come_without_positions_and_who_brought_one_is_told() {
    let channels = Channels::builder().layer(GatedLayer::open()).on_this_thread().build();
    let app = axum::Router::new().route("/ws/{room}", channels.consumer::<Room>().route());
    let server = TestServer::new(app);
    let request = server.connect_request("/ws/a").subprotocol("narrows.v1");
    let at = Position { epoch: 7, offset: 3 };
    let mut client = welcomed(request.subprotocol(&offer("a", at))).await;
    client.expect(&json!({"type": "brought", "at": at, "left": null})).await;
    client.expect(&json!({"type": "unrecovered", "group": "room.a"})).await;
    let position = channels.broadcast_once(&room("a"), &Said { n: 1 }, "x").await.unwrap();
    assert_eq!(position, None);
    client.expect(&json!({"type": "said", "n": 1})).await;
    let read = channels.history(&room("a"), HistoryRange::newest(1)).await;
    assert!(matches!(read, Err(HistoryError::Layer(LayerError::Unsupported { power: "history" }))));
}
