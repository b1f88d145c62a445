use std::collections::HashMap;
use std::error::Error;
use std::hash::{Hash, Hasher};
use std::ops::Range;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::Identity;
use super::check::{IdentityCheck, Standing};
use super::holder::Holder;
use super::register::Identities;
use crate::session::caught;
use crate::shard::{Code, Method, Shard, marked};
use crate::sync::Arc;

/// How many identities a check is asked about in one call.
const BATCH: usize = 5000;
/// How long one call may take.
const TIME: Duration = Duration::from_secs(10);
/// After so many answers others have their turn.
const CHUNK: usize = 512;

/// Holders whose checks are to be asked: each check about its own, and about equal ones once.
pub(super) struct Asking {
    identities: Arc<Identities>,
    shard: Arc<Shard>,
    by_check: HashMap<usize, Asked>,
}

/// What one check is asked.
struct Asked {
    check: Arc<dyn IdentityCheck>,
    identities: Vec<Identity>,
    /// Who has each of them: the first, and those with an equal one.
    holders: Vec<Arc<Holder>>,
    others: HashMap<usize, Vec<Arc<Holder>>>,
    known: HashMap<Same, usize>,
}

impl Asking {
    pub(super) fn new(identities: Arc<Identities>, shard: Arc<Shard>) -> Self {
        Self { identities, shard, by_check: HashMap::new() }
    }

    pub(super) fn add(&mut self, holders: Vec<Arc<Holder>>) {
        for holder in holders.into_iter().filter(|holder| !holder.has_ended()) {
            let Some(check) = holder.identity.check() else { continue };
            // Its address tells one check from another, as long as it is held here.
            let address = Arc::as_ptr(check).cast::<()>() as usize;
            let asked = self.by_check.entry(address).or_insert_with(|| Asked::new(check.clone()));
            asked.add(holder);
        }
    }

    /// Asks, and does as the answers say. Those about whom there is no answer are kept, and told of to `unanswered`.
    pub(super) async fn ask(self, unanswered: impl Fn(&Arc<Holder>)) {
        for mut asked in self.by_check.into_values() {
            let mut answering = true;
            for start in (0..asked.identities.len()).step_by(BATCH) {
                let batch = start..asked.identities.len().min(start + BATCH);
                let mut standings = None;
                // One that failed is not asked about the rest: it would be waited for once for each batch.
                if answering {
                    standings = self.identities.standings(&asked, batch.clone(), &self.shard).await;
                    answering = standings.is_some();
                }
                for (n, at) in batch.enumerate() {
                    let others = asked.others.remove(&at).unwrap_or_default();
                    for holder in std::iter::once(&asked.holders[at]).chain(&others) {
                        match &standings {
                            Some(standings) => self.identities.answer(holder, standings[n]),
                            None => {
                                holder.doubt();
                                unanswered(holder);
                            }
                        }
                    }
                    if n % CHUNK == CHUNK - 1 {
                        tokio::task::yield_now().await;
                    }
                }
            }
        }
    }
}

impl Asked {
    fn new(check: Arc<dyn IdentityCheck>) -> Self {
        let (identities, holders) = (Vec::new(), Vec::new());
        Self { check, identities, holders, others: HashMap::new(), known: HashMap::new() }
    }

    fn add(&mut self, holder: Arc<Holder>) {
        let next = self.identities.len();
        let at = *self.known.entry(Same(holder.identity.clone())).or_insert(next);
        if at == next {
            self.identities.push(holder.identity.clone());
            self.holders.push(holder);
        } else {
            self.others.entry(at).or_default().push(holder);
        }
    }
}

impl Identities {
    /// One call of a check; `None` when it failed in any way, which is counted and logged.
    async fn standings(&self, asked: &Asked, batch: Range<usize>, shard: &Shard) -> Option<Vec<Standing>> {
        let identities = &asked.identities[batch];
        let code = Code { consumer: self.code, method: Method::Check, limit: self.long_handler };
        let check = async { asked.check.check(identities).await };
        let check = marked(Some(shard), code, caught(check));
        let error: Box<dyn Error + Send + Sync> = match tokio::time::timeout(TIME, check).await {
            Ok(Ok(Ok(standings))) if standings.len() == identities.len() => return Some(standings),
            Ok(Ok(Ok(standings))) => {
                format!("{} answers about {} identities", standings.len(), identities.len()).into()
            }
            Ok(Ok(Err(error))) => error,
            Ok(Err(())) => "it panicked".into(),
            Err(_) => format!("no answer within {TIME:?}").into(),
        };
        self.counters.failed_checks.fetch_add(1, Ordering::Relaxed);
        let error = &*error as &(dyn Error + 'static);
        tracing::warn!(error, "identities could not be checked; their connections are kept");
        None
    }
}

/// Equal when a check would say the same of both.
struct Same(Identity);

impl Same {
    fn key(&self) -> (Option<&str>, Option<&str>, &str) {
        (self.0.session(), self.0.user(), self.0.proof())
    }
}

impl PartialEq for Same {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Same {}

impl Hash for Same {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key().hash(state);
    }
}
