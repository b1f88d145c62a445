//! What a message costs on its way through Redis, for both layers: publishing it, from one task and from 64 at once, to
//! a group without a history and to one with it, and publishing it until another node has it.
//!
//! `cargo bench -p narrows-redis --bench layers`
//!
//! It starts a `redis-server` of its own, and leaves everything out where there is none.

use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use narrows_core::{ChannelLayer, Gap, Group, History, Inbound, PayloadFormat, Receive, Skipped, Topic};
use narrows_redis::{Kind, RedisLayer, RedisOptions};
use programs::Child;
use serde::{Deserialize, Serialize};
use tokio::runtime::Runtime;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;

const BYTES: [usize; 2] = [128, 16 * 1024];
const PUBLISHERS: [u64; 2] = [1, 64];

/// More than this may not wait for a node in the core layer, which would refuse it.
const NODE_CAPACITY: usize = 1 << 20;

#[derive(Serialize, Deserialize)]
#[serde(tag = "type")]
enum Event {
    #[serde(rename = "chat.message")]
    Message { message: String },
}

/// A node that takes note of what arrives: a message, or that one is missing.
struct Node {
    layer: Arc<RedisLayer>,
    arrived: UnboundedReceiver<Result<(), String>>,
}

struct Arrivals(UnboundedSender<Result<(), String>>);

impl Arrivals {
    fn tell(&self, arrived: Result<(), String>) {
        // The benchmark may be over.
        let _ = self.0.send(arrived);
    }
}

impl Receive for Arrivals {
    fn deliver(&self, _: &Topic, _: Bytes) {
        self.tell(Ok(()));
    }

    fn gap(&self, _: Option<&Topic>, gap: Gap) {
        self.tell(Err(format!("there is a gap: {gap}")));
    }

    fn skipped(&self, why: Skipped, count: usize) {
        self.tell(Err(format!("{count} skipped: {}", why.name())));
    }
}

fn layers(c: &mut Criterion) {
    let Some([program]) = programs::need(["redis-server"]) else { return };
    let port = programs::free_port();
    let mut command = Command::new(program);
    command.args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]);
    // Publishing is not to be stopped by a node that is behind.
    command.args(["--client-output-buffer-limit", "pubsub", "0", "0", "0"]);
    let mut redis = Child::start(&mut command);
    redis.line("Ready to accept connections");
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime starts");
    for (kind, name) in [(Kind::PubSub, "pubsub"), (Kind::Core, "core")] {
        for history in [None, Some(History::new(100, Duration::from_secs(3600)))] {
            publish(c, &runtime, kind, name, port, history);
        }
        publish_until_delivered(c, &runtime, kind, name, port);
    }
}

/// Until Redis has answered; one node is in the group, or there would be next to nothing to do. What it gets meanwhile
/// is taken off it when the time is over.
fn publish(
    c: &mut Criterion,
    runtime: &Runtime,
    kind: Kind,
    name: &str,
    port: u16,
    history: Option<History>,
) {
    let kept = if history.is_some() { " with a history" } else { "" };
    let mut group = c.benchmark_group(format!("publish/{name}{kept}"));
    let topic = topic();
    let mut node = node(runtime, kind, port);
    for bytes in BYTES {
        let payload = payload(bytes);
        for publishers in PUBLISHERS {
            group.throughput(Throughput::Elements(publishers));
            let id = BenchmarkId::new(format!("{publishers} at once"), format!("{bytes} bytes"));
            group.bench_function(id, |b| {
                b.iter_custom(|rounds| {
                    let start = Instant::now();
                    runtime.block_on(publish_from(
                        publishers,
                        rounds,
                        &node.layer,
                        &topic,
                        &payload,
                        history,
                    ));
                    let took = start.elapsed();
                    runtime.block_on(take(&mut node.arrived, rounds * publishers));
                    took
                });
            });
        }
    }
    group.finish();
}

/// From the call on one node to the call on another, one message on its way at a time.
fn publish_until_delivered(c: &mut Criterion, runtime: &Runtime, kind: Kind, name: &str, port: u16) {
    let mut group = c.benchmark_group(format!("publish until delivered/{name}"));
    let topic = topic();
    let mut receiver = node(runtime, kind, port);
    let sender = start(kind, port);
    for bytes in BYTES {
        let payload = payload(bytes);
        group.throughput(Throughput::Elements(1));
        group.bench_function(BenchmarkId::from_parameter(format!("{bytes} bytes")), |b| {
            b.iter(|| {
                runtime.block_on(async {
                    sender.layer.publish(&topic, payload.clone()).await.expect("redis is there");
                    take(&mut receiver.arrived, 1).await;
                });
            });
        });
    }
    group.finish();
}

/// Each of so many tasks publishes so often, one message after another.
async fn publish_from(
    publishers: u64,
    rounds: u64,
    layer: &Arc<RedisLayer>,
    topic: &Topic,
    payload: &Bytes,
    history: Option<History>,
) {
    let mut tasks = JoinSet::new();
    for _ in 0..publishers {
        let (layer, topic, payload) = (Arc::clone(layer), topic.clone(), payload.clone());
        tasks.spawn(async move {
            let store = layer.history().expect("it keeps histories");
            for _ in 0..rounds {
                let payload = payload.clone();
                match history {
                    None => layer.publish(&topic, payload).await.expect("redis is there"),
                    Some(history) => {
                        store.publish(&topic, payload, history, None).await.expect("redis is there");
                    }
                }
            }
        });
    }
    while let Some(ended) = tasks.join_next().await {
        ended.expect("publishing does not panic");
    }
}

async fn take(arrived: &mut UnboundedReceiver<Result<(), String>>, count: u64) {
    for _ in 0..count {
        arrived.recv().await.expect("the layer is there").expect("every message arrives");
    }
}

/// A node that wants the topic.
fn node(runtime: &Runtime, kind: Kind, port: u16) -> Node {
    let node = start(kind, port);
    runtime.block_on(node.layer.subscribe(&topic())).expect("redis is there");
    node
}

fn start(kind: Kind, port: u16) -> Node {
    let host = format!("redis://127.0.0.1:{port}").parse().expect("it is an address");
    let options = RedisOptions::new(host).node_capacity(NODE_CAPACITY);
    let layer = RedisLayer::new(kind, options).expect("the options make sense");
    let (tell, arrived) = unbounded_channel();
    layer.start(Inbound::new(Arrivals(tell)));
    Node { layer: Arc::new(layer), arrived }
}

fn topic() -> Topic {
    Group::<Event>::new("bench").expect("the name is legal").topic()
}

fn payload(bytes: usize) -> Bytes {
    let message = Event::Message { message: "x".repeat(bytes) };
    PayloadFormat::MsgPack.encode(&message).expect("it is a map")
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1));
    targets = layers
}
criterion_main!(benches);
