use std::sync::LazyLock;
use std::time::Duration;

use narrows_core::{KeepClaims, Kept, LayerError};
use redis::{Script, Value};

use crate::stores::{Home, Stores, millis, unexpected};

static CLAIM: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("claim.lua")));
static REVOKE: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("revoke.lua")));

/// So many ids are revoked in one step: few enough that Redis' other clients do not notice.
const BATCH: usize = 512;

/// Claims in Redis: a key for each that was claimed, and for each that was revoked, which ends by itself.
///
/// All have one home, so that a look at what was revoked and the claim are one step.
#[derive(Debug)]
pub(crate) struct Claims {
    stores: Stores,
    home: Home,
}

impl Claims {
    pub(crate) fn new(stores: Stores) -> Self {
        Self { home: stores.of("claims"), stores }
    }

    fn claimed(&self, id: &str) -> String {
        format!("{}:{id}", self.home.key("claimed"))
    }

    fn revoked(&self, id: &str) -> String {
        format!("{}:{id}", self.home.key("revoked"))
    }
}

impl KeepClaims for Claims {
    fn claim<'a>(&'a self, id: &'a str, unless: &'a [String], ttl: Duration) -> Kept<'a, bool> {
        let mut claim = CLAIM.key(self.claimed(id));
        for id in unless {
            claim.key(self.revoked(id));
        }
        claim.arg(millis(ttl));
        let (stores, home) = (self.stores.clone(), self.home.clone());
        Box::pin(async move {
            let claimed = self.stores.run(async move { stores.call(&home, &claim).await }).await?;
            match claimed {
                Value::Int(claimed) => Ok(claimed == 1),
                other => Err(unexpected(&other)),
            }
        })
    }

    fn revoke<'a>(&'a self, ids: &'a [String], ttl: Duration) -> Kept<'a, ()> {
        let batches = ids.chunks(BATCH).map(|ids| {
            let mut revoke = REVOKE.arg(millis(ttl));
            for id in ids {
                revoke.key(self.revoked(id));
            }
            revoke
        });
        let batches: Vec<_> = batches.collect();
        let (stores, home) = (self.stores.clone(), self.home.clone());
        Box::pin(self.stores.run(async move {
            for revoke in &batches {
                stores.call(&home, revoke).await?;
            }
            Ok::<(), LayerError>(())
        }))
    }
}
