//! What the tests of identities share: a site whose clients come with an identity, and a check that does as it is told.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use narrows::testing::{TestClient, TestServer};
use narrows::{Channels, Checking, Identity, IdentityCheck, Standing};
use tokio::sync::watch;

use crate::site::Site;

pub(crate) fn identity(session: &str, user: &str) -> Identity {
    Identity::new().with_session(session).with_user(user)
}

/// A client with this identity, as if an extractor had bound it.
pub(crate) async fn connect(server: &TestServer, identity: Identity) -> TestClient {
    server.connect_request("/ws/lobby").extension(identity).connect().await
}

impl Site {
    pub(crate) async fn connect_as(&self, session: &str, user: &str) -> TestClient {
        connect(&self.server, identity(session, user)).await
    }
}

/// Has the node listen for ends: the first identity of a node is checked at once, as an earlier end of it could not be
/// heard.
pub(crate) async fn listens(site: &Site) {
    let first = site.server.connect_request("/watch/lobby").extension(identity("first", "first"));
    drop(first.connect().await);
    forgotten(&site.channels).await;
}

/// Waits until no connection of the node has an identity.
pub(crate) async fn forgotten(channels: &Channels) {
    left(channels, 0).await;
}

/// Waits until no more than so many have one.
pub(crate) async fn left(channels: &Channels, count: u64) {
    let forgotten = async {
        while channels.stats().identities > count {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), forgotten).await.expect("identities are left");
}

/// A check that ends the users it is told to, and remembers what it was asked.
pub(crate) struct Roll {
    ended: Mutex<HashSet<String>>,
    holds_until: Mutex<Option<Duration>>,
    mood: Mutex<Mood>,
    calls: watch::Sender<Vec<Vec<String>>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mood {
    Answers,
    Fails,
    Panics,
    SaysTooLittle,
    Hangs,
}

impl Roll {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            ended: Mutex::default(),
            holds_until: Mutex::default(),
            mood: Mutex::new(Mood::Answers),
            calls: watch::Sender::default(),
        })
    }

    pub(crate) fn end(&self, user: &str) {
        self.ended.lock().unwrap().insert(user.to_owned());
    }

    /// Those that hold do so for so long from each call on.
    pub(crate) fn hold_for(&self, time: Duration) {
        *self.holds_until.lock().unwrap() = Some(time);
    }

    pub(crate) fn is(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }

    /// The users of each call so far.
    pub(crate) fn calls(&self) -> Vec<Vec<String>> {
        self.calls.borrow().clone()
    }

    /// Waits for so many calls in all.
    pub(crate) async fn called(&self, times: usize) {
        let mut calls = self.calls.subscribe();
        let called = calls.wait_for(|calls| calls.len() >= times);
        let waited = tokio::time::timeout(Duration::from_secs(600), called).await;
        waited.expect("the check was not called").unwrap();
    }
}

impl IdentityCheck for Roll {
    fn check<'a>(&'a self, identities: &'a [Identity]) -> Checking<'a> {
        Box::pin(async move {
            let users = || identities.iter().map(|identity| identity.user().unwrap_or_default().to_owned());
            self.calls.send_modify(|calls| calls.push(users().collect()));
            let mood = *self.mood.lock().unwrap();
            let until = self.holds_until.lock().unwrap().map(|time| SystemTime::now() + time);
            let ended = self.ended.lock().unwrap().clone();
            let standing =
                |user: String| if ended.contains(&user) { Standing::Ended } else { Standing::Holds(until) };
            match mood {
                Mood::Answers => Ok(users().map(standing).collect()),
                Mood::Fails => Err("the database is away".into()),
                Mood::Panics => panic!("asked to panic"),
                Mood::SaysTooLittle => Ok(vec![Standing::Ended; identities.len() - 1]),
                Mood::Hangs => std::future::pending().await,
            }
        })
    }
}
