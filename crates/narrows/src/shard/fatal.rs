//! The end of the process when a shard cannot go on: half of a node that looks alive is worse than none, and a
//! supervisor can restart a dead one.

use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Says what happened, in the log and on standard error, and aborts.
pub(super) fn abort(who: &str, why: &str) -> ! {
    // First, and whatever becomes of the log: a program may have none, or one that writes later.
    // Where standard error is closed nobody is there to be told.
    let _ = writeln!(std::io::stderr(), "narrows: {who} failed, and the process cannot go on: {why}");
    tracing::error!(who, why, "the process cannot go on");
    std::process::abort();
}

/// Runs what must not panic.
pub(super) fn guarded<R>(who: &str, work: impl FnOnce() -> R) -> R {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(done) => done,
        Err(panic) => {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
            abort(who, &format!("it panicked: {}", text.unwrap_or("without a text")))
        }
    }
}

/// Aborts when it is dropped, which only a panic does: cheaper than to catch that, for what every message needs.
pub(super) struct NoUnwind(usize);

impl NoUnwind {
    pub(super) fn new(shard: usize) -> Self {
        Self(shard)
    }

    pub(super) fn disarm(self) {
        std::mem::forget(self);
    }
}

impl Drop for NoUnwind {
    fn drop(&mut self) {
        abort(&format!("shard {}", self.0), "it panicked while its state was changed");
    }
}
