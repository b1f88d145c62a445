use std::time::Duration;

use tokio::time::{Instant, sleep};

/// How long to wait between attempts to connect: short at first, so that a restart is hardly noticed.
#[derive(Debug)]
pub(crate) struct Backoff {
    pause: Duration,
    connected: Option<Instant>,
    told: bool,
}

impl Backoff {
    const FIRST: Duration = Duration::from_millis(20);
    const LONGEST: Duration = Duration::from_secs(1);

    pub(crate) fn new() -> Self {
        Self { pause: Self::FIRST, connected: None, told: false }
    }

    /// Says that there is a connection. How long it is there decides how soon the next may come: one that ends at
    /// once, again and again, is no better than none.
    pub(crate) fn connected(&mut self) {
        self.connected = Some(Instant::now());
    }

    /// Whether the end of the connection is worth a line in the log: of those that end at once the first is.
    pub(crate) fn is_news(&mut self) -> bool {
        !std::mem::replace(&mut self.told, true) || self.has_lasted()
    }

    pub(crate) async fn pause(&mut self) {
        if self.has_lasted() {
            self.reset();
        }
        self.connected = None;
        // Many nodes lose one Redis at the same moment; they are not to come back at one moment, too.
        sleep(self.pause.mul_f64(rand::random::<f64>() / 2.0 + 0.5)).await;
        self.pause = (self.pause * 2).min(Self::LONGEST);
    }

    pub(crate) fn reset(&mut self) {
        self.pause = Self::FIRST;
    }

    fn has_lasted(&self) -> bool {
        self.connected.is_some_and(|since| since.elapsed() >= Self::LONGEST)
    }
}
