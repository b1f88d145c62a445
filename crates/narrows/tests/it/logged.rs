//! What the library logs, for the tests that read it: warnings and errors of the whole process.

use std::io;
use std::sync::OnceLock;
use std::time::Duration;

use tokio::sync::watch;

/// All lines so far.
#[derive(Clone)]
pub(crate) struct Log(watch::Sender<String>);

impl Log {
    /// Begins to read along; what was logged before is lost.
    pub(crate) fn read() -> Self {
        static LOG: OnceLock<Log> = OnceLock::new();
        let begin = || {
            let log = Self(watch::Sender::new(String::new()));
            let writer = log.clone();
            let subscriber = tracing_subscriber::fmt().with_max_level(tracing::Level::WARN).with_ansi(false);
            subscriber.with_writer(move || writer.clone()).init();
            log
        };
        LOG.get_or_init(begin).clone()
    }

    /// The lines with this in them.
    pub(crate) fn lines(&self, with: &str) -> Vec<String> {
        self.0.borrow().lines().filter(|line| line.contains(with)).map(str::to_owned).collect()
    }

    /// Waits for a line with all of these in it.
    pub(crate) async fn line(&self, with: &[&str]) -> String {
        let found = |log: &str| {
            log.lines().find(|line| with.iter().all(|part| line.contains(part))).map(str::to_owned)
        };
        let mut log = self.0.subscribe();
        let waiting = log.wait_for(|log| found(log).is_some());
        let waited = tokio::time::timeout(Duration::from_secs(60), waiting).await;
        let log = waited.unwrap_or_else(|_| panic!("not logged: {with:?}")).unwrap();
        found(&log).unwrap()
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.send_modify(|log| log.push_str(&String::from_utf8_lossy(bytes)));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
