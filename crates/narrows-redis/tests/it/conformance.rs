use std::sync::OnceLock;
use narrows_core::conformance::Suite;
use narrows_redis::{CoreLayer, PubSubLayer, RedisOptions};

fn url() -> &'static str { static U: OnceLock<String> = OnceLock::new(); U.get_or_init(|| std::env::var("RURL").unwrap_or("redis://127.0.0.1:6390".into())) }

mod pubsub {
    use super::*;
    async fn nodes(count: usize) -> Vec<PubSubLayer> {
        (0..count).map(|_| PubSubLayer::new(RedisOptions::new(url().parse().unwrap())).unwrap()).collect()
    }
    narrows_core::conformance!(Suite::new(nodes));
}
mod core {
    use super::*;
    async fn nodes(count: usize) -> Vec<CoreLayer> {
        (0..count).map(|_| CoreLayer::new(RedisOptions::new(url().parse().unwrap())).unwrap()).collect()
    }
    narrows_core::conformance!(Suite::new(nodes));
}
