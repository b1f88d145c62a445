use std::error::Error;
use std::time::Duration;

use tokio::time::Instant;

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// How long to leave a channel layer alone that failed, and whether that has been logged.
#[derive(Default)]
pub(super) struct Outage {
    pause: Duration,
    retry_at: Option<Instant>,
}

impl Outage {
    /// Waits until the layer may be asked again.
    ///
    /// # Cancel safety
    /// A dropped call changes nothing.
    pub(super) async fn pause(&self) {
        if let Some(retry_at) = self.retry_at {
            tokio::time::sleep_until(retry_at).await;
        }
    }

    /// The layer failed: a longer pause than the last.
    pub(super) fn failed(&mut self, channel: &str, error: &(dyn Error + 'static)) {
        let now = Instant::now();
        // A call that was not refused for so long had a link, though no message came.
        let was_over = self.retry_at.is_none_or(|retry_at| now > retry_at + LONGEST_PAUSE);
        if was_over {
            self.pause = FIRST_PAUSE;
            tracing::warn!(
                channel,
                error,
                "the channel layer failed a worker, which tries again until it works"
            );
        } else {
            self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        }
        self.retry_at = Some(now + self.pause);
    }

    /// The layer works.
    pub(super) fn over(&mut self, channel: &str) {
        if self.retry_at.take().is_some() {
            tracing::info!(channel, "the channel layer works again for a worker");
        }
    }
}
