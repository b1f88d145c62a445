//! One publishes, all members receive.

mod load;
mod report;
mod window;

use clap::{Args, ValueEnum};

pub(super) use self::report::FanoutReport;
use super::error::BenchError;
use super::frame;
use super::sequence;

/// Measures a group: its first member publishes numbered messages, and the next goes out when all members have
/// the one that is a window before it.
#[derive(Debug, Args)]
pub(crate) struct Fanout {
    /// Where to connect, for example ws://127.0.0.1:8000/ws/chat/bench/.
    #[arg(long)]
    url: String,
    /// How many connections are in the group, the publisher among them.
    #[arg(long, default_value_t = 1000)]
    members: usize,
    /// Bytes of a message's text, without what is wrapped around it.
    #[arg(long, default_value_t = 128)]
    bytes: usize,
    /// How many messages may be on their way.
    #[arg(long, default_value_t = 1)]
    window: usize,
    /// How long to measure, in seconds.
    #[arg(long, default_value_t = 5.0)]
    seconds: f64,
    /// How long to run before that, in seconds.
    #[arg(long, default_value_t = 1.0)]
    warm_up: f64,
    /// The server's process id, to measure what it uses.
    #[arg(long)]
    pid: Option<u32>,
    /// How a message is written.
    #[arg(long, value_enum, default_value_t = Envelope::Json)]
    envelope: Envelope,
    /// Print one line of JSON.
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Envelope {
    /// {"message": "…"}
    Json,
    /// The text alone.
    Text,
}

impl Fanout {
    pub(super) fn run(&self) -> Result<FanoutReport, BenchError> {
        if self.bytes < sequence::WIDTH {
            return Err(BenchError::TooShort { bytes: self.bytes, least: sequence::WIDTH });
        }
        load::run(self)
    }
}

impl Envelope {
    fn append(self, out: &mut Vec<u8>, number: u64, bytes: usize) {
        let text = sequence::text(number, bytes);
        match self {
            Self::Json => frame::append(out, frame::TEXT, format!(r#"{{"message": "{text}"}}"#).as_bytes()),
            Self::Text => frame::append(out, frame::TEXT, text.as_bytes()),
        }
    }
}
