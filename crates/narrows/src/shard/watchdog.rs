//! The thread that looks at the shards from outside: how busy they are, and whether one is held up.

use std::convert::Infallible;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use super::running::Running;
use super::{Shard, Watch, fatal};
use crate::sync::Arc;

/// How often it looks.
const PERIOD: Duration = Duration::from_millis(250);

/// Keeps the thread going until it is dropped.
pub(crate) struct Watchdog(
    #[expect(dead_code, reason = "its end is what the thread waits for")] Sender<Infallible>,
);

impl Watchdog {
    /// Starts watching; a shard is held up once one call of a user's code has run for longer than `stall`.
    pub(crate) fn start(
        shards: &[Arc<Shard>],
        watch: Arc<Watch>,
        stall: Option<Duration>,
    ) -> std::io::Result<Self> {
        let (keep, kept) = channel();
        let watched = shards.iter().map(|shard| Watched::new(shard.clone())).collect();
        std::thread::Builder::new()
            .name("narrows-watch".to_owned())
            .spawn(move || fatal::guarded("the watchdog", || run(watched, &watch, stall, &kept)))?;
        Ok(Self(keep))
    }
}

fn run(mut shards: Vec<Watched>, watch: &Watch, stall: Option<Duration>, kept: &Receiver<Infallible>) {
    let mut looked_at = Instant::now();
    while let Err(RecvTimeoutError::Timeout) = kept.recv_timeout(PERIOD) {
        let window = looked_at.elapsed();
        looked_at += window;
        for shard in &mut shards {
            let running = shard.shard.running.get();
            shard.sample(running, window);
            if let Some(stall) = stall {
                shard.look(running, watch, stall);
            }
        }
    }
}

struct Watched {
    shard: Arc<Shard>,
    /// For how long it has worked in all, when last looked at.
    worked: Duration,
    stalled_in: Running,
}

impl Watched {
    fn new(shard: Arc<Shard>) -> Self {
        Self { worked: worked(&shard), shard, stalled_in: Running::NOTHING }
    }

    /// Tells the placement how busy the shard was.
    fn sample(&mut self, running: Running, window: Duration) {
        // The runtime adds its time up between two sleeps: work in progress is not in it yet.
        let worked = worked(&self.shard) + running.time();
        let share = worked.saturating_sub(self.worked).as_micros() * 1000 / window.as_micros().max(1);
        self.worked = self.worked.max(worked);
        self.shard.load.sample(u32::try_from(share).unwrap_or(1000));
    }

    /// Names what holds the shard up, once: the handler itself may never come to an end that could be told.
    fn look(&mut self, running: Running, watch: &Watch, stall: Duration) {
        let counters = &watch.counters;
        if running == self.stalled_in {
            return;
        }
        if std::mem::replace(&mut self.stalled_in, Running::NOTHING) != Running::NOTHING {
            counters.stalled_shards.fetch_sub(1, Ordering::Relaxed);
        }
        let time = running.time();
        if time <= stall {
            return;
        }
        self.stalled_in = running;
        counters.stalls.fetch_add(1, Ordering::Relaxed);
        counters.stalled_shards.fetch_add(1, Ordering::Relaxed);
        let (consumer, method, shard) = (watch.name(running.consumer()), running.method(), self.shard.index);
        tracing::error!(
            consumer,
            method,
            ?time,
            shard,
            "a handler holds up its shard and all connections there"
        );
    }
}

fn worked(shard: &Shard) -> Duration {
    shard.runtime.metrics().worker_total_busy_duration(0)
}
