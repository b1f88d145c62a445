//! Presence in Redis: what is left of it, what it needs, and what becomes of it when nodes, networks and Redis fail.

mod clocks;
mod crashes;
mod crowd;
mod expiry;
mod held;
mod junk;
mod large;
mod outages;
mod rights;
mod site;

use std::time::Duration;

use narrows_core::{Absence, ChannelLayer, PresenceEntry, PresenceStore, Renewed, RosterPage, Taken};
use narrows_redis::{Kind, RedisLayer, RedisOptions};
use rig::Redis;
use serde_json::json;

use crate::nodes::{IN_TIME, PATIENCE, fresh_name};

/// What presence needs of Redis, as docs/deploying.md lists it.
pub(crate) const RIGHTS: &[&str] = &[
    "evalsha",
    "script|load",
    "info",
    "time",
    "exists",
    "pexpire",
    "hget",
    "hset",
    "hsetnx",
    "hdel",
    "hlen",
    "hexists",
    "hscan",
    "zadd",
    "zrem",
    "zrange",
    "zcard",
    "zcount",
    "zscore",
    "zrangebylex",
    "zrangebyscore",
    "sadd",
    "srem",
    "spop",
    "scard",
    "srandmember",
    "sscan",
];

/// A lease that a test waits for.
pub(crate) const SHORT: Duration = Duration::from_millis(300);

pub(crate) const LONG: Duration = Duration::from_secs(60);

/// A node that has presence and nothing else.
pub(crate) struct Present {
    /// It lives as long as this.
    _layer: RedisLayer,
    store: PresenceStore,
    name: String,
}

impl Present {
    pub(crate) fn at(kind: Kind, url: &str) -> Self {
        Self::new(kind, crate::nodes::options(url))
    }

    pub(crate) fn new(kind: Kind, options: RedisOptions) -> Self {
        let layer = RedisLayer::new(kind, options).expect("the options are right");
        let store = layer.presence().expect("it knows presence");
        Self { _layer: layer, store, name: fresh_name() }
    }

    pub(crate) async fn track(&self, group: &str, connection: u128, key: &str) {
        self.try_track(group, connection, key).await.expect("redis is there");
    }

    pub(crate) async fn track_at(&self, group: &str, connection: u128, key: String) {
        self.track(group, connection, &key).await;
    }

    pub(crate) async fn try_track(
        &self,
        group: &str,
        connection: u128,
        key: &str,
    ) -> Result<(), narrows_core::LayerError> {
        let entry = PresenceEntry { connection, key: key.to_owned(), meta: json!({"name": key}) };
        in_time(self.store.track(group, &self.name, &entry)).await
    }

    pub(crate) async fn retrack(&self, group: &str, connection: u128, key: &str) -> bool {
        let entry = PresenceEntry { connection, key: key.to_owned(), meta: json!({"name": key}) };
        in_time(self.store.retrack(group, &self.name, &entry)).await.expect("redis is there")
    }

    pub(crate) async fn untrack(&self, group: &str, connection: u128) {
        self.let_go(group, connection, Absence::Left).await;
    }

    pub(crate) async fn let_go(&self, group: &str, connection: u128, absence: Absence) {
        in_time(self.store.untrack(group, &self.name, connection, absence)).await.expect("redis is there");
    }

    pub(crate) async fn renew(&self, lease: Duration) -> Renewed {
        self.try_renew(lease).await.expect("redis is there")
    }

    pub(crate) async fn try_renew(&self, lease: Duration) -> Result<Renewed, narrows_core::LayerError> {
        in_time(self.store.renew(&self.name, lease)).await
    }

    pub(crate) async fn renew_at_last(&self, lease: Duration) -> Renewed {
        let mut renewed = None;
        crate::nodes::at_last("renewing", async || {
            renewed = Some(self.try_renew(lease).await?);
            Ok::<(), narrows_core::LayerError>(())
        })
        .await;
        renewed.expect("it was renewed")
    }

    pub(crate) async fn take(&self, group: &str) -> Taken {
        in_time(self.store.take_changes(group, Duration::ZERO)).await.expect("redis is there")
    }

    /// Who left, according to what is there to be taken.
    pub(crate) async fn leaves(&self, group: &str) -> Vec<String> {
        match self.take(group).await {
            Taken::Changes(changes) => changes.leaves,
            _ => Vec::new(),
        }
    }

    pub(crate) async fn page(&self, group: &str) -> RosterPage {
        in_time(self.store.roster(group, None, 1000)).await.expect("redis is there")
    }

    pub(crate) async fn keys(&self, group: &str) -> Vec<String> {
        self.page(group).await.people.into_keys().collect()
    }

    /// Renews until so many are in the group.
    pub(crate) async fn until_count(&self, group: &str, count: u64) {
        let begun = std::time::Instant::now();
        loop {
            self.renew(LONG).await;
            let there = in_time(self.store.count(group)).await.expect("redis is there").0;
            if there == count {
                return;
            }
            assert!(begun.elapsed() < PATIENCE, "{there} people are there, and not {count}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// All keys in which presence is kept.
pub(crate) fn keys_of_presence(redis: &Redis) -> Vec<String> {
    redis.reply(&["KEYS", "asgi*presence-*presence.*"]).items().iter().map(ToString::to_string).collect()
}

async fn in_time<T>(call: impl Future<Output = T>) -> T {
    tokio::time::timeout(IN_TIME * 2, call).await.expect("a call ends in time, whatever becomes of redis")
}
