//! How a shard begins, and what it means when it ends.

use tokio::runtime::{Builder, Handle};
use tokio::task::JoinError;

use super::{Engine, Load, Mailbox, NEXT_ID, RunningCell, Shard, Watch, fatal, heartbeat};
use crate::limits::Limits;
use crate::sync::Arc;

/// After so many polls of tasks the runtime looks at its sockets and timers, even while more tasks are ready. All that
/// are ready come before the end of the tick anyway; tokio's own 61 would cost a thousand busy connections 16 system
/// calls a tick.
const EVENT_INTERVAL: u32 = 512;

/// A shard's regular end; only the order to stop makes it.
pub(super) struct Stopped(pub(super) ());

impl Shard {
    /// Starts a shard on a thread of its own.
    pub(crate) fn spawn(index: usize, limits: &Limits, watch: Arc<Watch>) -> std::io::Result<Arc<Self>> {
        let runtime = Builder::new_current_thread()
            .enable_all()
            .event_interval(EVENT_INTERVAL)
            .thread_name(format!("narrows-pool-{index}"))
            .max_blocking_threads(64)
            .build()?;
        let (shard, engine) = Self::new(index, runtime.handle().clone(), limits, watch);
        let run = move || {
            // Known on its thread from the start: the first session may run before the engine does.
            engine.begin();
            // A task like the sessions: it comes after all that were woken with it, so that one tick has what
            // they send. As the runtime's root it would cost another look at the sockets before each tick.
            let ended = runtime.block_on(runtime.spawn(engine));
            // Before the runtime is dropped: it would first end every connection, in good order.
            let Stopped(()) = ended.unwrap_or_else(|error| died(index, &error));
            // Consumers that are still here end with their runtime, on the thread that has their state.
            drop(runtime);
        };
        std::thread::Builder::new()
            .name(format!("narrows-{index}"))
            .spawn(move || fatal::guarded(&format!("shard {index}"), run))?;
        Ok(shard)
    }

    /// Makes the current thread a shard; its runtime must be one of a single thread.
    pub(crate) fn here_and_now(limits: &Limits, watch: Arc<Watch>) -> Arc<Self> {
        let (shard, engine) = Self::new(0, Handle::current(), limits, watch);
        engine.begin();
        tokio::spawn(async move {
            match tokio::spawn(engine).await {
                Err(error) if error.is_panic() => died(0, &error),
                // Cut off, with the runtime that it was lent.
                Ok(Stopped(())) | Err(_) => {}
            }
        });
        shard
    }

    fn new(index: usize, runtime: Handle, limits: &Limits, watch: Arc<Watch>) -> (Arc<Self>, Engine) {
        let shard = Arc::new(Self {
            id: NEXT_ID.fetch_add(1, std::sync::atomic::Ordering::Relaxed),
            index,
            mailbox: Mailbox::new(),
            runtime,
            load: Load::default(),
            running: RunningCell::default(),
            counters: watch.counters.clone(),
            watch,
            tally: Arc::default(),
        });
        let engine = Engine {
            shard: shard.clone(),
            tick: heartbeat::tick_for(limits),
            clock: None,
            spare: Vec::new(),
        };
        (shard, engine)
    }
}

fn died(index: usize, error: &JoinError) -> ! {
    fatal::abort(&format!("shard {index}"), &error.to_string())
}
