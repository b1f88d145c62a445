use std::sync::OnceLock;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use tokio::time::Instant;

use super::super::{Bus, Part};
use super::Ended;
use crate::stripes::STRIPES;
use crate::sync::Arc;

/// The thread that frees what is over in groups that nobody uses any more. It begins with the first history of its bus,
/// and ends with the bus.
///
/// A thread, as the layer belongs to no runtime: those of its callers may end before it does.
#[derive(Debug, Default)]
pub(in super::super) struct Sweeper(OnceLock<Option<Ended>>);

impl Sweeper {
    /// How long it sleeps: not so short that it would wake an idle process all the time.
    const NAPS: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));

    pub(super) fn start(&self, bus: &Arc<Bus>) {
        self.0.get_or_init(|| {
            let (ended, ends) = mpsc::channel();
            let bus = Arc::downgrade(bus);
            let nap = move |nap| matches!(ends.recv_timeout(nap), Err(RecvTimeoutError::Timeout));
            let sweep = move || {
                let mut next = Self::NAPS.0;
                while nap(next) {
                    let Some(bus) = bus.upgrade() else { break };
                    next = sweep(&bus).clamp(Self::NAPS.0, Self::NAPS.1);
                }
            };
            match std::thread::Builder::new().name("narrows-histories".into()).spawn(sweep) {
                Ok(_) => Some(ended),
                Err(error) => {
                    tracing::warn!(%error, "what expires in histories is freed only where they are used");
                    None
                }
            }
        });
    }
}

/// Goes through all parts; how long until there is something to do again.
fn sweep(bus: &Bus) -> Duration {
    let now = Instant::now();
    let next = (0..STRIPES).filter_map(|part| {
        let mut part = bus.topics.at(part);
        let Part { nodes, histories, .. } = &mut *part;
        histories.sweep(now, |group| nodes.contains_key(group));
        histories.next_due()
    });
    next.min().map_or(Sweeper::NAPS.1, |due| due.saturating_duration_since(now))
}
