//! What a client that does not read costs: its frames move to its outbox, and go out when it reads again.
//!
//! `cargo bench -p narrows --features internals --bench outbox`

mod common;

use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use narrows::{Overflow, PayloadFormat};

fn outbox(c: &mut Criterion) {
    let mut group = c.benchmark_group("outbox");
    let payload = common::payload(128);
    let members = 100;
    for (name, overflow) in [("spill and drain", Overflow::Close), ("keep the latest", Overflow::KeepLatest)]
    {
        let shard = common::shard(members, overflow);
        for messages in [1u64, 64] {
            group.throughput(Throughput::Elements(members as u64 * messages));
            group.bench_function(BenchmarkId::new(name, messages), |b| {
                b.iter(|| {
                    shard.fill(true);
                    for _ in 0..messages {
                        shard.deliver(&payload, PayloadFormat::default());
                        shard.end_tick();
                    }
                    shard.fill(false);
                    shard.drain();
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
    targets = outbox
}
criterion_main!(benches);
