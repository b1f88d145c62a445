use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use tokio::time::Instant;

/// What a layer knows of a node that uses one home.
#[derive(Debug)]
pub(super) struct Node {
    /// What the names of all its lives begin with.
    name: String,
    /// Its name in Redis for as long as it has a lease there. With the next lease it has another name: what it had under
    /// this one, and does not track anew, goes as with any node that died.
    life: Option<String>,
    pub(super) lease: Duration,
    /// The number of the last call, and of the last that is known to be done.
    call: u64,
    done: u64,
    /// It lost a lease, and does not know it yet.
    pub(super) forgotten: bool,
    /// When its groups were given time to live on.
    pub(super) touched: Instant,
}

/// The lease of a node that tracks before it renews.
const LEASE: Duration = Duration::from_secs(30);

impl Node {
    pub(super) fn new(name: &str) -> Self {
        Self {
            name: URL_SAFE_NO_PAD.encode(&Sha256::digest(name)[..9]),
            life: None,
            lease: LEASE,
            call: 0,
            done: 0,
            forgotten: false,
            touched: Instant::now(),
        }
    }

    /// A name for its next life.
    pub(super) fn next_life(&self) -> String {
        format!("{}.{}", self.name, URL_SAFE_NO_PAD.encode(rand::random::<[u8; 6]>()))
    }

    pub(super) fn life(&self) -> Option<String> {
        self.life.clone()
    }

    pub(super) fn begin(&mut self, life: String) {
        (self.life, self.touched) = (Some(life), Instant::now());
    }

    /// It has nothing left here.
    pub(super) fn rest(&mut self, life: &str) {
        if self.life.as_deref() == Some(life) {
            self.life = None;
        }
    }

    /// It lost this lease, if it is not about one before.
    pub(super) fn lose(&mut self, life: &str) {
        if self.life.as_deref() == Some(life) {
            (self.life, self.forgotten) = (None, true);
        }
    }

    pub(super) fn next_call(&mut self) -> u64 {
        self.call += 1;
        self.call
    }

    /// A call of this life. One before may have had later ones than Redis was told of when the present one began.
    pub(super) fn is_done(&mut self, life: &str, call: u64) {
        if self.life.as_deref() == Some(life) {
            self.done = self.done.max(call);
        }
    }

    pub(super) fn done(&self) -> u64 {
        self.done
    }
}
