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
