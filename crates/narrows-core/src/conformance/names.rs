use std::collections::HashSet;
use std::sync::Arc;

use super::suite::{Failure, Suite, ensure, own_channel};
use crate::ChannelLayer;

impl<L: ChannelLayer, F: AsyncFn(usize) -> Vec<L>> Suite<F> {
    /// `new_channel` gives legal names, and none twice, on whatever node and thread it is called.
    ///
    /// # Errors
    /// When a name is not legal, or came twice.
    pub async fn new_channels_are_legal_and_unique_over_nodes(&self) -> Result<(), Failure> {
        let nodes = self.start().await;
        let mut naming = tokio::task::JoinSet::new();
        for node in nodes.iter().chain(&nodes).map(Arc::clone) {
            naming.spawn(async move { (0..200).map(|_| own_channel(&node)).collect::<Vec<_>>() });
        }
        let mut all = HashSet::new();
        for topic in naming.join_all().await.into_iter().flatten() {
            let topic = topic?;
            ensure(all.insert(topic.clone()), || format!("new_channel gave {topic} twice"))?;
        }
        Ok(())
    }
}
