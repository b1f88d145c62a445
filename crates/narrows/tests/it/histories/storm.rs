//! Real shards, with members that come and go while others say what they can and the layer loses what it can.

use std::time::Duration;

use axum::Router;
use narrows::layer::MemoryLayer;
use narrows::testing::{FaultyLayer, TestClient, TestServer};
use narrows::{Channels, Position};
use serde_json::{Value, json};

use super::kit::{Room, Said, offer, room, welcomed};

/// Less than half of an outbox: who comes back late can have it all.
const SAID: u64 = 2000;

/// What one client has seen, over all its connections.
struct Seen {
    at: Position,
    gone: usize,
}

impl Seen {
    /// Takes the next message of the room: it must be the one after the last.
    fn take(&mut self, said: &Value) {
        let at: Position = said["@"][1].as_str().unwrap().parse().unwrap();
        assert_eq!(at, Position { offset: self.at.offset + 1, ..self.at }, "{said} came after {}", self.at);
        self.at = at;
    }

    /// Reads until so many messages came, or the last one did.
    async fn read(&mut self, client: &mut TestClient, messages: u64) {
        for _ in 0..messages {
            if self.at.offset == SAID {
                return;
            }
            let said: Value = client.receive().await;
            if said["type"] == "said" {
                self.take(&said);
            }
        }
    }
}

async fn connect(server: &TestServer, seen: &mut Option<Seen>) -> TestClient {
    let request = server.connect_request("/ws/storm").subprotocol("narrows.v1");
    let brought = seen.as_ref().map(|seen| seen.at);
    let mut client = match brought {
        Some(at) => welcomed(request.subprotocol(&offer("storm", at))).await,
        None => welcomed(request).await,
    };
    let joined: Value = client.receive().await;
    assert_eq!(joined["type"], "narrows.joined", "{joined}");
    let at = joined["at"].as_str().unwrap().parse().unwrap();
    match seen {
        Some(seen) => assert_eq!((&joined["recovered"], at), (&json!(true), seen.at), "{joined}"),
        None => *seen = Some(Seen { at, gone: 0 }),
    }
    client
}

/// Comes and goes until it has the last message.
async fn wander(server: TestServer, number: u64) -> Seen {
    let mut seen = None;
    loop {
        let mut client = connect(&server, &mut seen).await;
        let so_far = seen.as_mut().unwrap();
        so_far.read(&mut client, 20 + number * 13 % 90).await;
        so_far.gone += 1;
        if so_far.at.offset == SAID {
            client.expect_nothing().await;
            return seen.unwrap();
        }
    }
}

async fn storm(faulty: bool) {
    let layer = MemoryLayer::new();
    let others = [layer.another_node(), layer.another_node()].map(Channels::with_layer);
    let layer = FaultyLayer::new(layer);
    let faults = layer.faults();
    let channels = Channels::builder().layer(layer).shards(3).build();
    let app = Router::new().route("/ws/{room}", channels.consumer::<Room>().route());
    let server = TestServer::new(app);
    if faulty {
        faults.drop_at_random(0.05);
        faults.swap_at_random(0.05);
    }
    let clients: Vec<_> = (0..24).map(|n| tokio::spawn(wander(server.clone(), n))).collect();
    let saying = tokio::spawn(async move {
        for n in 1..=SAID {
            if n == SAID {
                faults.heal();
            }
            others[n as usize % 2].broadcast(&room("storm"), &Said { n }).await.unwrap();
            if n.is_multiple_of(4) {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }
    });
    saying.await.unwrap();
    let mut comings = 0;
    for client in clients {
        let seen = client.await.unwrap();
        assert_eq!(seen.at.offset, SAID);
        comings += seen.gone;
    }
    assert_eq!((channels.stats().refilled > 0, channels.stats().unrecovered), (faulty, 0));
    assert!(comings > 100, "{comings}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn who_comes_and_goes_in_a_storm_gets_each_message_once_and_in_order() {
    storm(false).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn who_comes_and_goes_in_a_storm_of_losses_gets_each_message_once_and_in_order() {
    storm(true).await;
}
