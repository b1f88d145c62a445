use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use futures_util::FutureExt;
use narrows::layer::MemoryLayer;
use narrows::testing::{ConnectRequest, NarrowsRequest};
use narrows::{ChannelLayer, Channels, Checking, Identity, IdentityCheck, Standing};
use narrows_core::{ClaimStore, KeepClaims, Kept};
use serde_json::json;
use tokio::sync::Semaphore;

use super::notebook::{Nodes, look};
use crate::within::as_within;

fn identity() -> Identity {
    Identity::new().with_session("ada-1").with_user("42")
}

fn of_ada(nodes: &Nodes, identity: Identity) -> ConnectRequest {
    nodes.request().header("cookie", "sessionid=ada-1").extension(identity)
}

/// A connection of ada's that was cut, and what happened until it came back on the other node.
async fn back_after<F: Future>(identity: Identity, meanwhile: impl FnOnce(Channels) -> F) -> bool {
    let nodes = Nodes::new(2);
    let away = of_ada(&nodes, identity).narrows().connect().await.cut();
    meanwhile(nodes.channels[0].clone()).await;
    away.to(&nodes.servers[1]).connect().await.is_resumed()
}

#[tokio::test(start_paused = true)]
async fn who_was_logged_out_meanwhile_does_not_go_on() {
    assert!(back_after(identity(), async |_| {}).await);
    assert!(back_after(identity(), async |node: Channels| node.end_session("bob-1").await.unwrap()).await);
    assert!(back_after(identity(), async |node: Channels| node.end_user("43").await.unwrap()).await);
    assert!(!back_after(identity(), async |node: Channels| node.end_session("ada-1").await.unwrap()).await);
    assert!(!back_after(identity(), async |node: Channels| node.end_user("42").await.unwrap()).await);
    let change = async |node: Channels| node.end_user_except("42", "other").await.unwrap();
    assert!(!back_after(identity(), change).await);
}

#[tokio::test(start_paused = true)]
async fn who_goes_on_still_ends_with_the_session() {
    let nodes = Nodes::new(2);
    let away = of_ada(&nodes, identity()).narrows().connect().await.cut();
    let mut back = away.to(&nodes.servers[1]).connect().await;
    assert_eq!((back.is_resumed(), back.request(&look()).await), (true, Ok(json!([0, "42"]))));
    nodes.channels[0].end_session("ada-1").await.unwrap();
    back.expect_close(4401).await;
}

#[tokio::test(start_paused = true)]
async fn an_identity_whose_time_is_over_does_not_go_on_and_another_ends_in_time() {
    let soon = SystemTime::now() + Duration::from_secs(30);
    let nodes = Nodes::new(1);
    let away = of_ada(&nodes, identity().until(soon)).narrows().connect().await.cut();
    let mut back = away.connect().await;
    assert!(back.is_resumed());
    back.plain().receive_timeout(Duration::from_secs(60));
    back.expect_close(4401).await;
}

#[tokio::test(start_paused = true)]
async fn who_is_closed_for_good_does_not_go_on_and_who_is_to_come_back_does() {
    let codes =
        [(4003, false), (1000, false), (1008, false), (1001, true), (1011, true), (1012, true), (3007, true)];
    let nodes = Nodes::new(2);
    for (code, goes_on) in codes {
        let mut ada = nodes.request().narrows().connect().await;
        let away = nodes.servers[1].connect_request("/ws/lobby").narrows().with_token(ada.token());
        ada.send(&json!({"close": code})).await;
        ada.expect_close(code).await;
        assert_eq!(away.connect().await.is_resumed(), goes_on, "{code}");
    }
}

/// A layer that revokes nothing, ever.
struct Stuck(MemoryLayer);

impl ChannelLayer for Stuck {
    as_within!(0: start subscribe unsubscribe publish new_channel);

    fn claims(&self) -> Option<ClaimStore> {
        Some(ClaimStore::new(Revokes))
    }
}

struct Revokes;

impl KeepClaims for Revokes {
    fn claim<'a>(&'a self, _: &'a str, _: &'a [String], _: Duration) -> Kept<'a, bool> {
        Box::pin(std::future::pending())
    }

    fn revoke<'a>(&'a self, _: &'a [String], _: Duration) -> Kept<'a, ()> {
        Box::pin(std::future::pending())
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_does_not_answer_keeps_nobody_connected() {
    let nodes = Nodes::with(
        1,
        |builder, _| builder.layer(Stuck(MemoryLayer::new())),
        narrows::ConsumerRoute::resumable,
    );
    let mut ada = of_ada(&nodes, identity()).narrows().connect().await;
    let mut bob = nodes.request().narrows().connect().await;
    for client in [&mut ada, &mut bob] {
        client.plain().receive_timeout(Duration::from_secs(60));
    }
    // As a handler that is dropped when its browser hangs up.
    assert!(nodes.channels[0].end_session("ada-1").now_or_never().is_none());
    let began = tokio::time::Instant::now();
    ada.expect_close(4401).await;
    bob.send(&json!({"close": 4003})).await;
    bob.expect_close(4003).await;
    assert!(began.elapsed() <= Duration::from_secs(2));
}

/// Counts its calls and those it was asked about, and knows who is gone.
struct Sessions {
    calls: AtomicUsize,
    asked: AtomicUsize,
    gone: Mutex<Vec<String>>,
    /// Where it is closed, nobody is answered.
    gate: Semaphore,
    fails: AtomicBool,
}

impl Default for Sessions {
    fn default() -> Self {
        let (calls, asked, gone) = Default::default();
        Self { calls, asked, gone, gate: Semaphore::new(1), fails: AtomicBool::new(false) }
    }
}

impl IdentityCheck for Sessions {
    fn check<'a>(&'a self, identities: &'a [Identity]) -> Checking<'a> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        self.asked.fetch_add(identities.len(), Ordering::SeqCst);
        let gone = self.gone.lock().unwrap();
        let ended = |identity: &Identity| gone.iter().any(|key| identity.session() == Some(key));
        let standing = |identity| if ended(identity) { Standing::Ended } else { Standing::Holds(None) };
        let standings = identities.iter().map(standing).collect();
        Box::pin(async {
            drop(self.gate.acquire().await);
            if self.fails.load(Ordering::SeqCst) { Err("asked to fail".into()) } else { Ok(standings) }
        })
    }
}

/// Two nodes whose route knows the check by a name, and one client of each session, cut off.
async fn checked(check: &Arc<Sessions>, named: bool, count: usize) -> (Nodes, Vec<NarrowsRequest>) {
    let set = |route: narrows::ConsumerRoute<super::notebook::Notebook>| {
        let route = route.resumable();
        if named { route.identity_check("sessions", check.clone()) } else { route }
    };
    let nodes = Nodes::with(2, |builder, _| builder.secret_key("one secret of all nodes"), set);
    let mut away = Vec::new();
    for n in 0..count {
        let (key, cookie) = (format!("session-{n}"), format!("sessionid=session-{n}"));
        let identity = Identity::new().with_session(key).checked_by(check.clone(), "");
        let request = nodes.request().header("cookie", &cookie).extension(identity);
        away.push(request.narrows().connect().await.cut().to(&nodes.servers[1]));
    }
    (nodes, away)
}

#[tokio::test(start_paused = true)]
async fn a_check_is_asked_at_once_about_all_who_come_back_together() {
    let check = Arc::new(Sessions::default());
    let (nodes, away) = checked(&check, true, 200).await;
    check.gone.lock().unwrap().push("session-7".to_owned());
    let (calls, asked) = (check.calls.load(Ordering::SeqCst), check.asked.load(Ordering::SeqCst));
    let mut back = futures_util::future::join_all(away.into_iter().map(NarrowsRequest::try_connect)).await;
    assert_eq!(back.remove(7).unwrap_err().status().as_u16(), 401);
    for client in back {
        let mut client = client.unwrap();
        assert_eq!((client.is_resumed(), client.request(&look()).await), (true, Ok(json!([0, null]))));
    }
    assert_eq!(check.asked.load(Ordering::SeqCst) - asked, 200);
    let calls = check.calls.load(Ordering::SeqCst) - calls;
    assert!(calls <= 10, "{calls} calls");
    drop(nodes);
}

#[tokio::test(start_paused = true)]
async fn an_identity_whose_check_has_no_name_does_not_go_on() {
    let (_nodes, away) = checked(&Arc::new(Sessions::default()), false, 1).await;
    assert!(!away[0].clone().connect().await.is_resumed());
}

#[tokio::test(start_paused = true)]
async fn who_comes_back_waits_for_the_check() {
    let check = Arc::new(Sessions::default());
    let (nodes, mut away) = checked(&check, true, 2).await;
    check.gone.lock().unwrap().push("session-1".to_owned());
    let closed = check.gate.acquire().await.unwrap();
    let back = tokio::spawn(futures_util::future::join_all(away.drain(..).map(NarrowsRequest::try_connect)));
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(!back.is_finished() && nodes.channels[1].stats().accepted == 0);
    drop(closed);
    let mut back = back.await.unwrap();
    assert_eq!(back.pop().unwrap().unwrap_err().status().as_u16(), 401);
    assert!(back.pop().unwrap().unwrap().is_resumed());
}

#[tokio::test(start_paused = true)]
async fn who_comes_back_while_the_check_cannot_say_connects_anew() {
    let check = Arc::new(Sessions::default());
    let (_nodes, away) = checked(&check, true, 2).await;
    check.fails.store(true, Ordering::SeqCst);
    assert!(!away[0].clone().connect().await.is_resumed());
    check.fails.store(false, Ordering::SeqCst);
    let _closed = check.gate.acquire().await.unwrap();
    assert!(!away[1].clone().connect().await.is_resumed());
}

#[tokio::test(start_paused = true)]
async fn who_was_found_out_by_the_check_does_not_go_on() {
    let check = Arc::new(Sessions::default());
    let (nodes, mut away) = checked(&check, true, 1).await;
    let mut back = away.remove(0).connect().await;
    assert!(back.is_resumed());
    check.gone.lock().unwrap().push("session-0".to_owned());
    let newest = back.token().map(str::to_owned);
    back.plain().receive_timeout(Duration::from_secs(120));
    back.expect_close(4401).await;
    let request = nodes.request().header("cookie", "sessionid=session-0").narrows();
    assert!(!request.with_token(newest.as_deref()).connect().await.is_resumed());
}
