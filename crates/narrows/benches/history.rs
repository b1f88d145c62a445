//! What a publish costs with a history, beside one without: on the in-memory layer, from the broadcast to the hand-in on a node.
//!
//! `cargo bench -p narrows --bench history`; `docs/delivery.md` has figures.

use std::hint::black_box;
use std::time::Duration;

use bytes::Bytes;
use criterion::{Criterion, criterion_group, criterion_main};
use narrows::layer::MemoryLayer;
use narrows::{ChannelLayer, Channels, Gap, Group, History, Inbound, Topic};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
#[serde(tag = "type", rename = "chat.message")]
struct Said {
    message: String,
}

/// A node on which nobody does anything with what comes.
struct Node;

impl narrows_core::Receive for Node {
    fn deliver(&self, _: &Topic, payload: Bytes) {
        black_box(payload);
    }
    fn gap(&self, _: Option<&Topic>, _: Gap) {}
}

fn history(c: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let (layer, node) = {
        let layer = MemoryLayer::new();
        let node = layer.another_node();
        (layer, node)
    };
    node.start(Inbound::new(Node));
    let channels = Channels::with_layer(layer);
    let plain = Group::<Said>::new("room.lobby").expect("the name is legal");
    runtime.block_on(node.subscribe(&plain.topic())).expect("the layer takes all");
    let kept = plain.clone().with_history(History::new(100, Duration::from_secs(3600)));
    let said = Said { message: "x".repeat(128) };
    let mut group = c.benchmark_group("publish");
    for (name, to) in [("without a history", &plain), ("with a history of 100", &kept)] {
        group.bench_function(name, |b| {
            b.iter(|| runtime.block_on(channels.broadcast(to, &said)).expect("the layer takes all"));
        });
    }
    // Never one that was there before, in whichever round.
    let mut number = 0u64;
    group.bench_function("with a history and an id", |b| {
        b.iter(|| {
            number += 1;
            let id = number.to_string();
            runtime.block_on(channels.broadcast_once(&kept, &said, &id)).expect("the layer takes all")
        });
    });
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(30)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2));
    targets = history
}
criterion_main!(benches);
