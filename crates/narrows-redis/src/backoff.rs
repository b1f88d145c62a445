use std::time::Duration;

/// How long to wait between attempts to connect: short at first, so that a restart is hardly noticed.
#[derive(Debug)]
pub(crate) struct Backoff(Duration);

impl Backoff {
    const FIRST: Duration = Duration::from_millis(20);
    const LONGEST: Duration = Duration::from_secs(1);

    pub(crate) fn new() -> Self {
        Self(Self::FIRST)
    }

    pub(crate) async fn pause(&mut self) {
        // Many nodes lose one Redis at the same moment; they are not to come back at one moment, too.
        tokio::time::sleep(self.0.mul_f64(rand::random::<f64>() / 2.0 + 0.5)).await;
        self.0 = (self.0 * 2).min(Self::LONGEST);
    }

    pub(crate) fn reset(&mut self) {
        self.0 = Self::FIRST;
    }
}
