//! What the engine itself costs for one message to the members of a group: all but the kernel's part of a write.
//!
//! `cargo bench -p narrows --features internals --bench fanout`

mod common;

use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use narrows::{Overflow, PayloadFormat};

fn fanout(c: &mut Criterion) {
    let mut group = c.benchmark_group("fanout");
    let payload = common::payload(128);
    for members in [1, 10, 1000] {
        let shard = common::shard(members, Overflow::Close);
        for messages in [1u64, 8] {
            group.throughput(Throughput::Elements(members as u64 * messages));
            let name = format!("{messages} in a tick");
            group.bench_function(BenchmarkId::new(name, members), |b| {
                b.iter(|| {
                    for _ in 0..messages {
                        shard.deliver(&payload, PayloadFormat::default());
                    }
                    shard.end_tick();
                });
            });
        }
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1));
    targets = fanout
}
criterion_main!(benches);
