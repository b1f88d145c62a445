use std::io::{Write, stdout};
use std::process::ExitCode;

use bytes::Bytes;
use clap::Args;
use narrows_core::{ChannelLayer, Gap, Inbound, PayloadFormat, Receive, Skipped, Topic};
use tokio::sync::mpsc;

use super::printable::Printable;
use super::{Error, Layer, channel, group, runtime};
use crate::signals::Signals;

/// So many messages wait for the terminal; a slow one must not make this process grow.
const WAITING: usize = 10_000;

/// Show the messages of groups as they come, one on each line
///
/// Example: narrows tail chat_lobby chat_garden --layer core
#[derive(Debug, Args)]
pub(crate) struct Tail {
    /// The groups
    #[arg(value_name = "GROUP")]
    groups: Vec<String>,
    /// A named channel; on the core layer its messages are then taken away from its workers
    #[arg(long = "channel", value_name = "NAME")]
    channels: Vec<String>,
    /// Each line is a JSON object with the fields "group" or "channel", and "message"
    #[arg(long)]
    json: bool,
    /// End after so many messages
    #[arg(long, value_name = "N")]
    count: Option<u64>,
    #[command(flatten)]
    layer: Layer,
}

enum Arrival {
    Message(Topic, Bytes),
    Notice(String),
}

impl Tail {
    pub(crate) fn run(&self) -> Result<ExitCode, Error> {
        let groups = self.groups.iter().map(|name| group(name));
        let topics: Vec<Topic> =
            groups.chain(self.channels.iter().map(|name| channel(name))).collect::<Result<_, _>>()?;
        if topics.is_empty() {
            return Err(Error::NothingToTail);
        }
        let layer = self.layer.open()?;
        let (arrived, mut arrivals) = mpsc::channel(WAITING);
        layer.start(Inbound::new(Printer(arrived)));
        runtime()?.block_on(async {
            for topic in &topics {
                layer.subscribe(topic).await?;
            }
            // From here on, and so before it is said: a signal that comes at once is not to leave the groups full of us.
            let mut signals = Signals::new()?;
            eprintln!("narrows: listening; end with Ctrl-C");
            let shown = tokio::select! {
                shown = self.show(layer.format(), &mut arrivals) => shown,
                () = signals.next() => Ok(()),
            };
            for topic in &topics {
                if let Err(error) = layer.unsubscribe(topic).await {
                    eprintln!("narrows: {topic} was not left: {error}");
                }
            }
            shown
        })?;
        Ok(ExitCode::SUCCESS)
    }

    async fn show(&self, format: PayloadFormat, arrivals: &mut mpsc::Receiver<Arrival>) -> Result<(), Error> {
        let mut left = self.count.unwrap_or(u64::MAX);
        while left > 0 {
            match arrivals.recv().await {
                Some(Arrival::Message(topic, payload)) => {
                    match self.line(format, &topic, &payload) {
                        Ok(line) => writeln!(stdout().lock(), "{line}")?,
                        Err(error) => eprintln!("narrows: {topic}: {error}"),
                    }
                    left -= 1;
                }
                Some(Arrival::Notice(notice)) => eprintln!("narrows: {notice}"),
                None => break,
            }
        }
        Ok(())
    }

    fn line(&self, format: PayloadFormat, topic: &Topic, payload: &[u8]) -> Result<String, Error> {
        let message = serde_json::to_string(&format.decode::<Printable>(payload)?).map_err(Error::Json)?;
        if !self.json {
            return Ok(format!("{} {message}", topic.name()));
        }
        let kind = topic.to_string();
        let kind = kind.split(' ').next().unwrap_or_default();
        let name = serde_json::to_string(topic.name()).map_err(Error::Json)?;
        Ok(format!("{{\"{kind}\":{name},\"message\":{message}}}"))
    }
}

/// Hands what arrives to the one who prints; never waits for it.
struct Printer(mpsc::Sender<Arrival>);

impl Printer {
    fn pass(&self, arrival: Arrival) {
        if self.0.try_send(arrival).is_err() {
            eprintln!("narrows: messages come faster than they can be shown; some are left out");
        }
    }
}

impl Receive for Printer {
    fn deliver(&self, topic: &Topic, payload: Bytes) {
        self.pass(Arrival::Message(topic.clone(), payload));
    }

    fn gap(&self, topic: Option<&Topic>, gap: Gap) {
        let whose = topic.map(|topic| format!(" of {topic}")).unwrap_or_default();
        self.pass(Arrival::Notice(format!("messages{whose} may be missing: {gap}")));
    }

    fn skipped(&self, why: Skipped, count: usize) {
        self.pass(Arrival::Notice(format!("skipped {count} ({})", why.name())));
    }
}
