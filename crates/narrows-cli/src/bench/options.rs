use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::envelope::Envelope;
use super::error::BenchError;
use super::sequence;

/// Which server, and how long it may keep us waiting.
#[derive(Debug, Args)]
pub(super) struct ServerOptions {
    /// Where to connect, for example ws://127.0.0.1:8000/ws/chat/bench/. `{n}` stands for the connection's number
    /// and `{room}` for its room. Several times for several servers, which connections go to by turns.
    #[arg(long, required = true)]
    pub(super) url: Vec<String>,
    /// The server's process id, to measure what it uses; several times for several processes, which count together.
    #[arg(long)]
    pub(super) pid: Vec<u32>,
    /// How messages are written.
    #[arg(long, value_enum, default_value_t = Envelope::Json)]
    pub(super) envelope: Envelope,
    /// Seconds after which a handshake that is not answered fails, and what has not come counts as lost.
    #[arg(long, default_value = "10", value_parser = patience)]
    pub(super) patience: Duration,
}

/// What is sent, and how fast.
#[derive(Debug, Args)]
pub(super) struct MessageOptions {
    /// Bytes of a message's text, without what is wrapped around it.
    #[arg(long, default_value_t = 128)]
    pub(super) bytes: usize,
    /// How many messages of a group may be on their way: the next goes out when all have the one a window before
    /// it [default: 1].
    #[arg(long, conflicts_with = "rate", value_parser = count)]
    pub(super) window: Option<usize>,
    /// Messages a second that go out in all, whether the ones before have arrived or not; latency then counts from
    /// when each was due.
    #[arg(long, value_parser = rate)]
    pub(super) rate: Option<f64>,
}

/// How long to measure.
#[derive(Debug, Args)]
pub(super) struct TimeOptions {
    /// How long to measure, in seconds.
    #[arg(long, default_value = "5", value_parser = seconds)]
    pub(super) seconds: Duration,
    /// How long to run before that, in seconds.
    #[arg(long, default_value = "1", value_parser = seconds)]
    pub(super) warm_up: Duration,
}

/// What is shown.
#[derive(Debug, Args)]
pub(super) struct OutputOptions {
    /// Print one line of JSON.
    #[arg(long)]
    pub(super) json: bool,
    /// Draw what happened into this file, as SVG.
    #[arg(long, value_name = "FILE.svg")]
    pub(super) plot: Option<PathBuf>,
    /// Show no progress on the terminal.
    #[arg(long)]
    pub(super) no_progress: bool,
}

/// What the servers depend on.
#[derive(Debug, Args)]
pub(super) struct BackendOptions {
    /// The process id of something that the servers depend on, such as Redis; what it uses is told by itself.
    #[arg(long)]
    pub(super) backend_pid: Vec<u32>,
}

impl ServerOptions {
    /// All addresses, for people and reports.
    pub(super) fn urls(&self) -> String {
        self.url.join(", ")
    }
}

impl MessageOptions {
    /// Whether a message has room for its number.
    pub(super) fn check(&self) -> Result<(), BenchError> {
        if self.bytes < sequence::WIDTH {
            return Err(BenchError::TooShort { bytes: self.bytes, least: sequence::WIDTH });
        }
        Ok(())
    }

    /// How many messages of one group may be on their way.
    pub(super) fn window(&self) -> usize {
        if self.rate.is_some() { usize::MAX } else { self.window.unwrap_or(1) }
    }
}

/// How fast messages were sent, for people.
pub(super) fn pace(rate: Option<f64>, window: Option<usize>) -> String {
    match (rate, window) {
        (Some(rate), _) => format!("{rate} messages a second"),
        (None, window) => format!("window {}", window.unwrap_or(1)),
    }
}

/// At least one of something.
pub(super) fn count(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) => Err("at least 1 is needed".to_owned()),
        Ok(count) => Ok(count),
        Err(error) => Err(error.to_string()),
    }
}

/// A time, in seconds; a year is more than anyone waits.
pub(super) fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "this is no number".to_owned())?;
    if !(0.0..=3e7).contains(&seconds) {
        return Err("a time is from 0 to 30000000 seconds".to_owned());
    }
    Ok(Duration::from_secs_f64(seconds))
}

/// A time that a server gets to answer.
fn patience(text: &str) -> Result<Duration, String> {
    let patience = seconds(text)?;
    if patience < Duration::from_millis(50) { Err("at least 0.05 seconds".to_owned()) } else { Ok(patience) }
}

/// Somethings a second.
pub(super) fn rate(text: &str) -> Result<f64, String> {
    let rate: f64 = text.parse().map_err(|_| "this is no number".to_owned())?;
    if !(0.001..=1e8).contains(&rate) {
        return Err("a rate is from 0.001 to 100000000 a second".to_owned());
    }
    Ok(rate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_make_no_sense_are_refused() {
        assert!(count("0").is_err() && count("-1").is_err() && count("1") == Ok(1));
        for wrong in ["0", "-1", "NaN", "inf", "x", "1e99"] {
            assert!(rate(wrong).is_err(), "{wrong}");
        }
        for wrong in ["-1", "NaN", "inf", "x", "1e99"] {
            assert!(seconds(wrong).is_err(), "{wrong}");
        }
        assert!(patience("0.01").is_err() && patience("1") == Ok(Duration::from_secs(1)));
        assert_eq!(seconds("0.5"), Ok(Duration::from_millis(500)));
        assert_eq!(rate("0.5"), Ok(0.5));
    }
}
