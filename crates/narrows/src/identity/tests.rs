use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use super::{Bound, Checking, Identity, IdentityCheck, Since, Standing};
use crate::Channels;
use crate::sync::{Arc, Mutex, lock};

/// Counts the identities of each call; ends those whose user's number can be divided by `ends`.
struct Counts {
    calls: Mutex<Vec<usize>>,
    ends: usize,
    fails: AtomicUsize,
}

impl Counts {
    fn new(ends: usize) -> Arc<Self> {
        Arc::new(Self { calls: Mutex::default(), ends, fails: AtomicUsize::new(0) })
    }

    fn calls(&self) -> Vec<usize> {
        lock(&self.calls).clone()
    }
}

impl IdentityCheck for Counts {
    fn check<'a>(&'a self, identities: &'a [Identity]) -> Checking<'a> {
        Box::pin(async move {
            lock(&self.calls).push(identities.len());
            let fails = self.fails.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| n.checked_sub(1));
            if fails.is_ok() {
                return Err("asked to fail".into());
            }
            let number = |identity: &Identity| {
                identity.user().and_then(|user| user.parse().ok()).unwrap_or(usize::MAX)
            };
            let ends = |identity| number(identity) % self.ends == 0;
            Ok(identities
                .iter()
                .map(|i| if ends(i) { Standing::Ended } else { Standing::Holds(None) })
                .collect())
        })
    }
}

/// Identities without sockets: so many, of the users 0 up to `users`.
async fn bind(channels: &Channels, check: &Arc<Counts>, count: usize, users: usize) -> Vec<Bound> {
    let mut bound = Vec::new();
    for n in 0..count {
        let user = (n % users).to_string();
        let identity =
            Identity::new().with_session(user.clone()).with_user(user).checked_by(check.clone(), "");
        let since = channels.identities().now();
        // The first of a node would be asked about at once.
        let since = if n == 0 { Since(Some(0)) } else { since };
        bound.push(channels.bind(identity, since).await.expect("the layer is there"));
    }
    bound
}

fn node() -> Channels {
    Channels::builder().on_this_thread().build()
}

#[tokio::test(start_paused = true)]
async fn ten_thousand_identities_take_two_calls_a_turn() {
    let (channels, check) = (node(), Counts::new(10));
    let bound = bind(&channels, &check, 10_000, 10_000).await;
    tokio::time::sleep(Duration::from_secs(61)).await;
    assert_eq!(check.calls(), [5000, 5000]);
    let stats = channels.stats();
    assert_eq!((stats.identities, stats.ended_by_check), (10_000, 1000));
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(check.calls(), [5000, 5000, 5000, 4000], "those that ended are not asked about again");
    drop(bound);
    assert_eq!(channels.stats().identities, 0);
}

#[tokio::test(start_paused = true)]
async fn equal_identities_count_once_however_far_apart_they_came() {
    let (channels, check) = (node(), Counts::new(2));
    let _bound = bind(&channels, &check, 20_001, 5001).await;
    tokio::time::sleep(Duration::from_secs(61)).await;
    assert_eq!(check.calls(), [5000, 1]);
    let even = (0..20_001).filter(|n| n % 5001 % 2 == 0).count() as u64;
    assert_eq!(channels.stats().ended_by_check, even);
}

#[tokio::test(start_paused = true)]
async fn after_a_call_that_failed_the_rest_waits_for_the_next_turn() {
    let (channels, check) = (node(), Counts::new(1_000_000));
    check.fails.store(1, Ordering::Relaxed);
    let _bound = bind(&channels, &check, 12_000, 12_000).await;
    tokio::time::sleep(Duration::from_secs(61)).await;
    assert_eq!((check.calls(), channels.stats().failed_checks), (vec![5000], 1));
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(check.calls(), [5000, 5000, 5000, 2000]);
}

#[tokio::test(start_paused = true)]
async fn what_came_behind_the_question_is_not_taken_for_what_was_there() {
    let (channels, slow) = (node(), Arc::new(Slow(Counts::new(1))));
    let identity = |user: &str| Identity::new().with_user(user).checked_by(slow.clone(), "");
    let _stays = channels.bind(identity("1"), Since(Some(0))).await.expect("the layer is there");
    let goes = channels.bind(identity("0"), Since(Some(0))).await.expect("the layer is there");
    tokio::time::sleep(Duration::from_secs(62)).await;
    // Its place goes to another while the question is on its way.
    drop(goes);
    let _comes = channels.bind(identity("0"), Since(Some(0))).await.expect("the layer is there");
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert_eq!(slow.0.calls(), [2]);
    assert_eq!((channels.stats().ended_by_check, channels.stats().identities), (1, 2));
}

/// After five seconds it holds for one more.
struct Briefly;

impl IdentityCheck for Briefly {
    fn check<'a>(&'a self, identities: &'a [Identity]) -> Checking<'a> {
        Box::pin(async move {
            tokio::time::sleep(Duration::from_secs(5)).await;
            let until = SystemTime::now() + Duration::from_secs(1);
            Ok(vec![Standing::Holds(Some(until)); identities.len()])
        })
    }
}

#[tokio::test(start_paused = true)]
async fn a_time_is_not_given_to_who_has_the_place_now() {
    let channels = node();
    let briefly = || Identity::new().with_user("1").checked_by(Arc::new(Briefly), "");
    let bind = |identity| channels.bind(identity, Since(Some(0)));
    let _stays = bind(briefly()).await.expect("the layer is there");
    let goes = bind(briefly()).await.expect("the layer is there");
    tokio::time::sleep(Duration::from_secs(62)).await;
    drop(goes);
    let _comes = bind(Identity::new().with_user("2")).await.expect("the layer is there");
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert_eq!((channels.stats().ended_by_expiry, channels.stats().identities), (0, 2));
}

/// Takes five seconds.
struct Slow(Arc<Counts>);

impl IdentityCheck for Slow {
    fn check<'a>(&'a self, identities: &'a [Identity]) -> Checking<'a> {
        Box::pin(async move {
            tokio::time::sleep(Duration::from_secs(5)).await;
            self.0.check(identities).await
        })
    }
}

#[tokio::test(start_paused = true)]
async fn the_table_is_empty_after_any_order_of_leaving() {
    let (channels, check) = (node(), Counts::new(2));
    let mut bound = bind(&channels, &check, 500, 7).await;
    let mut random = 1u64;
    while !bound.is_empty() {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        drop(bound.swap_remove((random >> 33) as usize % bound.len()));
        channels.identities().table().consistent();
    }
    assert!(channels.identities().table().is_empty());
}

#[tokio::test(start_paused = true)]
async fn times_on_either_side_of_now_are_kept_apart() {
    let channels = node();
    let identity = |seconds| Identity::new().until(SystemTime::now() + Duration::from_secs(seconds));
    let mut bound = Vec::new();
    for seconds in [3600, 10, 20] {
        bound.push(channels.bind(identity(seconds), Since::UNKNOWN).await.expect("the layer is there"));
    }
    for (seconds, ended) in [(9, 0), (3, 1), (10, 2), (3570, 2), (10, 3)] {
        tokio::time::sleep(Duration::from_secs(seconds)).await;
        assert_eq!(channels.stats().ended_by_expiry, ended);
    }
}
