use std::fmt;
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::node::Node;
use crate::{Channel, ChannelLayer, Group, Topic};

/// How a layer's nodes are made, and what is to be expected of them. See the [module](super) for an example.
///
/// Topics get names that no other check, run or process uses, so the nodes may be on a bus that others use too.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Suite<F> {
    nodes: F,
    /// How long a call or a message that was promised may take. Default 10 s: longer than any healthy bus.
    pub patience: Duration,
    /// How long to watch that nothing comes. Default 50 ms: longer than a message takes on the layer's bus.
    pub quiet: Duration,
    /// How many messages are on their way at once. Default 240: fewer than most buses hold.
    pub burst: usize,
    /// The largest payload. Default 1 MiB.
    pub max_payload_bytes: usize,
    /// Whether a queue's only taker gets each node's messages in order. Default yes; a layer that spreads a queue over
    /// several servers says no, and says so to its users.
    pub ordered_queues: bool,
    /// The lease of nodes that die in the checks, and how long their connections are away. Default 200 ms: what a store
    /// tells apart.
    pub short_lease: Duration,
    /// How many members a large group has. Default 10 000.
    pub members: usize,
}

impl<F> Suite<F> {
    /// A suite over nodes made by `nodes`: so many layers, not yet started, all on one bus.
    pub fn new(nodes: F) -> Self {
        Self {
            nodes,
            patience: Duration::from_secs(10),
            quiet: Duration::from_millis(50),
            burst: 240,
            max_payload_bytes: 1 << 20,
            ordered_queues: true,
            short_lease: Duration::from_millis(200),
            members: 10_000,
        }
    }

    /// Sets [`patience`](Self#structfield.patience).
    #[must_use]
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Sets [`quiet`](Self#structfield.quiet).
    #[must_use]
    pub fn quiet(mut self, quiet: Duration) -> Self {
        self.quiet = quiet;
        self
    }

    /// Sets [`burst`](Self#structfield.burst).
    #[must_use]
    pub fn burst(mut self, burst: usize) -> Self {
        self.burst = burst;
        self
    }

    /// Sets [`max_payload_bytes`](Self#structfield.max_payload_bytes).
    #[must_use]
    pub fn max_payload_bytes(mut self, max_payload_bytes: usize) -> Self {
        self.max_payload_bytes = max_payload_bytes;
        self
    }

    /// Sets [`ordered_queues`](Self#structfield.ordered_queues).
    #[must_use]
    pub fn ordered_queues(mut self, ordered_queues: bool) -> Self {
        self.ordered_queues = ordered_queues;
        self
    }

    /// Sets [`short_lease`](Self#structfield.short_lease).
    #[must_use]
    pub fn short_lease(mut self, short_lease: Duration) -> Self {
        self.short_lease = short_lease;
        self
    }

    /// Sets [`members`](Self#structfield.members).
    #[must_use]
    pub fn members(mut self, members: usize) -> Self {
        self.members = members;
        self
    }
}

/// How many nodes a check works with: enough that two of them can agree against a third.
pub(super) const NODES: usize = 3;

impl<L: ChannelLayer, F: AsyncFn(usize) -> Vec<L>> Suite<F> {
    /// Runs every check, one after another.
    ///
    /// # Errors
    /// [`Failure`] names every check that did not pass, and says why.
    pub async fn run(&self) -> Result<(), Failure> {
        let mut failed = String::new();
        for (check, result) in crate::conformance!(@each all (self)) {
            if let Err(failure) = result {
                failed += &format!("\n{check}: {failure}");
            }
        }
        if failed.is_empty() { Ok(()) } else { Err(Failure(failed)) }
    }

    pub(super) async fn start(&self) -> Vec<Arc<Node<L>>> {
        let layers = (self.nodes)(NODES).await;
        assert_eq!(layers.len(), NODES, "as many layers as the suite asked for");
        layers.into_iter().zip(0..).map(|(l, n)| Arc::new(Node::start(l, n, self.patience))).collect()
    }
}

/// A group that nothing else uses.
pub(super) fn fresh_group() -> Topic {
    Group::<()>::new(fresh_name()).expect("the suite's names are legal").topic()
}

/// A name that nothing else uses, for a group or a channel.
pub(super) fn fresh_name() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    format!("conformance.{}.{}", process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

/// A fresh channel of a node's own.
pub(super) fn own_channel<L: ChannelLayer>(node: &Node<L>) -> Result<Topic, Failure> {
    let name = node.layer.new_channel();
    match Channel::<()>::new(&name) {
        Ok(channel) => Ok(channel.topic()),
        Err(error) => fail(format!("new_channel gave the name {name:?}: {error}")),
    }
}

/// What a layer did against its promises.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure(pub(super) String);

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Failure {}

pub(super) fn fail<T>(what: impl Into<String>) -> Result<T, Failure> {
    Err(Failure(what.into()))
}

pub(super) fn ensure(holds: bool, otherwise: impl FnOnce() -> String) -> Result<(), Failure> {
    if holds { Ok(()) } else { fail(otherwise()) }
}
