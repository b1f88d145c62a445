//! Claims, for the layers that have them: one of all nodes gets each, and none once it may not be had any more.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

use super::node::Node;
use super::suite::{Failure, NODES, Suite, ensure, fail, fresh_name};
use crate::{ChannelLayer, ClaimStore};

/// Longer than any check takes.
const LONG: Duration = Duration::from_secs(600);
/// As short as a check can wait for, and longer than one call takes.
const SHORT: Duration = Duration::from_millis(1500);

impl<L: ChannelLayer, F: AsyncFn(usize) -> Vec<L>> Suite<F> {
    /// Of all who claim an id at once, on any node, one gets it.
    ///
    /// # Errors
    /// When several got it, or nobody.
    pub async fn an_id_is_claimed_once_over_all_nodes(&self) -> Result<(), Failure> {
        let nodes = self.start().await;
        let Some(stores) = stores(&nodes) else { return Ok(()) };
        let ids: Vec<String> = (0..20).map(|_| fresh_name()).collect();
        let mut claiming = JoinSet::new();
        for (n, id) in ids.iter().enumerate() {
            // Each of them first once, and twice on one node.
            for turn in 0..=NODES {
                let (claims, id) = (self.claims(&stores[(n + turn) % NODES]), id.clone());
                claiming.spawn(async move { Ok((claims.claim(&id, &[]).await?, id)) });
            }
        }
        let mut winners = Vec::new();
        while let Some(claimed) = claiming.join_next().await {
            let (won, id) = claimed.expect("a claim does not panic")?;
            if won {
                winners.push(id);
            }
        }
        winners.sort_unstable();
        let mut wanted = ids.clone();
        wanted.sort_unstable();
        ensure(winners == wanted, || {
            let count = |id: &String| winners.iter().filter(|winner| *winner == id).count();
            let wrong = ids.iter().find(|id| count(id) != 1).expect("the lists differ");
            format!("{} of {} who claimed an id at once got it", count(wrong), NODES + 1)
        })?;
        for (id, n) in ids.iter().zip(0..) {
            let again = self.claims(&stores[n % NODES]).claim(id, &[]).await?;
            ensure(!again, || "an id was claimed a second time".to_owned())?;
        }
        Ok(())
    }

    /// Once an id is revoked, on any node, nobody claims one that depends on it, and what was refused is not claimed.
    ///
    /// # Errors
    /// When it was claimed all the same, or cannot be claimed on its own any more.
    pub async fn nothing_is_claimed_that_depends_on_what_was_revoked(&self) -> Result<(), Failure> {
        let nodes = self.start().await;
        let Some(stores) = stores(&nodes) else { return Ok(()) };
        let (gone, also_gone, good) = (fresh_name(), fresh_name(), fresh_name());
        let all = [gone.clone(), also_gone.clone()];
        self.claims(&stores[0]).revoke(&all, LONG).await?;
        for (store, node) in stores.iter().zip(0..) {
            let claims = self.claims(store);
            for unless in [vec![gone.clone()], vec![good.clone(), also_gone.clone()]] {
                let id = fresh_name();
                let claimed = claims.claim(&id, &unless).await?;
                ensure(!claimed, || format!("node {node}: an id was claimed that depends on a revoked one"))?;
                let claimed = claims.claim(&id, std::slice::from_ref(&good)).await?;
                ensure(claimed, || format!("node {node}: an id that was refused counts as claimed"))?;
            }
        }
        // To revoke nothing, and what nobody knows, is fine.
        self.claims(&stores[1]).revoke(&[], LONG).await
    }

    /// Claims and revocations end with their time; a shorter revocation does not end a longer one, and a claim that is
    /// refused does not make the first one last longer.
    ///
    /// # Errors
    /// When one is over too early, or not in time.
    pub async fn claims_and_revocations_last_as_long_as_they_should(&self) -> Result<(), Failure> {
        let nodes = self.start().await;
        let Some(stores) = stores(&nodes) else { return Ok(()) };
        let (short, long) = (self.claims(&stores[0]), self.claims(&stores[1]));
        let (id, kept, gone, banned) = (fresh_name(), fresh_name(), fresh_name(), fresh_name());
        let (gone, banned) = ([gone], [banned]);
        let begun = Instant::now();
        ensure(short.claim_for(&id, &[], SHORT).await?, || "a fresh id could not be claimed".to_owned())?;
        ensure(long.claim(&kept, &[]).await?, || "a fresh id could not be claimed".to_owned())?;
        short.revoke(&gone, SHORT).await?;
        long.revoke(&banned, LONG).await?;
        short.revoke(&banned, SHORT).await?;
        // Both are over at once, whichever of their ids is asked for.
        for (what, id, unless) in [("a claim", &id, None), ("a revocation", &fresh_name(), Some(&gone))] {
            let unless = unless.map_or(&[][..], |unless| &unless[..]);
            loop {
                let asked = begun.elapsed();
                if long.claim(id, unless).await? {
                    // The store's clock and this one may tick apart a little.
                    ensure(begun.elapsed() > SHORT * 9 / 10, || format!("{what} was over after {asked:?}"))?;
                    break;
                }
                ensure(asked < SHORT + self.patience, || format!("{what} for {SHORT:?} lasts {asked:?}"))?;
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
        let claimed = long.claim(&fresh_name(), &banned).await?;
        ensure(!claimed, || "a shorter revocation ended a longer one".to_owned())?;
        let again = short.claim(&kept, &[]).await?;
        ensure(!again, || "a claim was over before its time".to_owned())
    }

    fn claims(&self, store: &ClaimStore) -> Claims {
        Claims { store: store.clone(), patience: self.patience }
    }
}

fn stores<L: ChannelLayer>(nodes: &[Arc<Node<L>>]) -> Option<Vec<ClaimStore>> {
    nodes.iter().map(|node| node.layer.claims()).collect()
}

/// A node's claims, each call within the suite's patience.
struct Claims {
    store: ClaimStore,
    patience: Duration,
}

impl Claims {
    async fn claim(&self, id: &str, unless: &[String]) -> Result<bool, Failure> {
        self.claim_for(id, unless, LONG).await
    }

    async fn claim_for(&self, id: &str, unless: &[String], ttl: Duration) -> Result<bool, Failure> {
        match timeout(self.patience, self.store.claim(id, unless, ttl)).await {
            Ok(Ok(claimed)) => Ok(claimed),
            Ok(Err(error)) => fail(format!("claim: {error}")),
            Err(_) => fail("claim: no answer"),
        }
    }

    async fn revoke(&self, ids: &[String], ttl: Duration) -> Result<(), Failure> {
        match timeout(self.patience, self.store.revoke(ids, ttl)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => fail(format!("revoke: {error}")),
            Err(_) => fail("revoke: no answer"),
        }
    }
}
