use std::sync::atomic::{AtomicBool, Ordering};

use narrows_core::{ChannelLayer, Group};

use super::*;

/// Its first subscription does not come to an end by itself.
struct Stubborn {
    panics: bool,
    tried: AtomicBool,
}

impl ChannelLayer for Stubborn {
    fn start(&self, _: Inbound) {}
    async fn subscribe(&self, _: &Topic) -> Result<(), LayerError> {
        if !self.tried.swap(true, Ordering::SeqCst) {
            assert!(!self.panics, "as the test wants");
            std::future::pending::<()>().await;
        }
        Ok(())
    }
    async fn unsubscribe(&self, _: &Topic) -> Result<(), LayerError> {
        Ok(())
    }
    async fn publish(&self, _: &Topic, _: Bytes) -> Result<(), LayerError> {
        Ok(())
    }
    fn new_channel(&self) -> String {
        "unused".into()
    }
}

fn hub(panics: bool) -> (Arc<Hub>, Topic) {
    let hub = Hub::start(Box::new(Stubborn { panics, tried: AtomicBool::new(false) }), Arc::default());
    (hub, Group::<()>::new("room").expect("the name is legal").topic())
}

#[tokio::test]
async fn a_topic_can_be_joined_after_the_layer_panicked_over_it() {
    let (hub, topic) = hub(true);
    let join = std::panic::AssertUnwindSafe(|| drop(hub.acquire(&topic, 0)));
    assert!(std::panic::catch_unwind(join).is_err());
    let (_, subscribed) = hub.acquire(&topic, 0);
    assert!(subscribed.wait().await.is_ok());
}

#[test]
fn who_waits_for_a_subscription_is_told_when_its_runtime_ends() {
    let (hub, topic) = hub(false);
    let runtime = || tokio::runtime::Builder::new_current_thread().build().unwrap();
    let first = runtime();
    let (_, subscribed) = first.block_on(async { hub.acquire(&topic, 0) });
    drop(first);
    let told = runtime().block_on(subscribed.wait());
    assert!(matches!(told.unwrap_err().as_ref(), LayerError::Closed));
    let (_, subscribed) = hub.acquire(&topic, 0);
    assert!(runtime().block_on(subscribed.wait()).is_ok());
}
