//! The channel layers that come with the framework keep their promises.

mod memory {
    use narrows::layer::MemoryLayer;
    use narrows_core::conformance::Suite;

    async fn nodes(count: usize) -> Vec<MemoryLayer> {
        let first = MemoryLayer::new();
        let others = std::iter::repeat_with(|| first.another_node()).take(count - 1);
        others.chain([first.clone()]).collect()
    }

    narrows_core::conformance!(Suite::new(nodes));
}

mod faulty_without_faults {
    use narrows::layer::MemoryLayer;
    use narrows::testing::FaultyLayer;
    use narrows_core::conformance::Suite;

    async fn nodes(count: usize) -> Vec<FaultyLayer<MemoryLayer>> {
        let first = MemoryLayer::new();
        (0..count).map(|_| FaultyLayer::new(first.another_node())).collect()
    }

    narrows_core::conformance!(Suite::new(nodes));
}

#[test]
fn what_a_layer_says_that_it_skipped_or_lost_is_counted() {
    use narrows::{Channels, DropReason, Gap, Group, Skipped};

    let layer = crate::gated_layer::GatedLayer::open();
    let channels = Channels::with_layer(layer.clone());
    let inbound = layer.inbound.get().unwrap();
    inbound.skipped(Skipped::Malformed, 3);
    inbound.skipped(Skipped::Malformed, 1);
    inbound.skipped(Skipped::Expired, 2);
    inbound.gap(None, Gap::Reconnected);
    inbound.gap(Some(&Group::<()>::everyone().topic()), Gap::Overflow);
    let stats = channels.stats();
    assert_eq!(stats.dropped(DropReason::LayerMalformed), 4);
    assert_eq!(stats.dropped(DropReason::LayerExpired), 2);
    assert_eq!((stats.drops().map(|(_, count)| count).sum::<u64>(), stats.gaps), (6, 2));
}
