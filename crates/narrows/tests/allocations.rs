//! What a message to a group allocates, counted: it does not depend on how many members the group has.

#[path = "../benches/common/mod.rs"]
mod common;

use narrows::{Overflow, PayloadFormat};

#[global_allocator]
static ALLOCATOR: dhat::Alloc = dhat::Alloc;

/// The least that is counted in a few runs: the test's own harness, on another thread, may allocate beside one of them.
fn least_blocks(members: usize, messages: usize, ticks: u64) -> u64 {
    (0..5).map(|_| blocks(members, messages, ticks)).min().expect("there are runs")
}

/// Blocks that so many ticks allocate, each with so many messages to a group of so many members.
fn blocks(members: usize, messages: usize, ticks: u64) -> u64 {
    let shard = common::shard(members, Overflow::Close);
    let payload = common::payload(128);
    let tick = || {
        for _ in 0..messages {
            shard.deliver(&payload, PayloadFormat::default());
        }
        shard.end_tick();
    };
    // What a shard keeps from one tick to the next is made in the first ones.
    for _ in 0..10 {
        tick();
    }
    let before = dhat::HeapStats::get().total_blocks;
    for _ in 0..ticks {
        tick();
    }
    dhat::HeapStats::get().total_blocks - before
}

#[test]
fn a_delivery_allocates_nothing() {
    let _counting = dhat::Profiler::builder().testing().build();
    for messages in [1, 8] {
        let (one, thousand) = (least_blocks(1, messages, 100), least_blocks(1000, messages, 100));
        assert_eq!(one, thousand, "{messages} messages a tick");
        // The delivery, what the message's own type holds, and its frame.
        assert!(one / 100 <= 8 * messages as u64, "{one} blocks in 100 ticks of {messages} messages");
    }
}
