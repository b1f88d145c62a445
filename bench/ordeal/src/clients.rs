use std::io::{self, PipeWriter, Write};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde::Deserialize;
use serde_json::json;

/// The clients, in a process of Node.
pub(crate) struct Clients {
    process: programs::Child,
    orders: PipeWriter,
}

/// Why the clients did not say what they saw.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientsError {
    /// There is no Node.
    #[error("node was not found; cargo xtask install gets all programs")]
    NoNode,
    /// They cannot be told what to do.
    #[error("the clients cannot be told what to do: {0}")]
    Orders(#[from] io::Error),
    /// Their report cannot be read.
    #[error("the clients' report is none: {0}")]
    Report(#[from] serde_json::Error),
}

impl Clients {
    /// Starts so many clients, which say so many messages a second between them; they are all in when this returns.
    pub(crate) fn start(urls: &[String], clients: usize, rate: f64) -> Result<Self, ClientsError> {
        let node = programs::find("node").ok_or(ClientsError::NoNode)?;
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
        let options = json!({"urls": urls, "clients": clients, "sayEvery": clients as f64 / rate * 1000.0});
        let (input, orders) = io::pipe()?;
        let mut command = Command::new(node);
        // Node 20 has WebSocket behind this flag; in later ones it changes nothing.
        command.arg("--experimental-websocket").arg(folder.join("src/clients.mjs"));
        command.arg(folder.join("../../crates/narrows/client/narrows.mjs")).arg(options.to_string());
        let mut process = programs::Child::start_with_input(&mut command, input);
        process.line("joined");
        Ok(Self { process, orders })
    }

    /// Lets them finish, tells them how many messages there were beside their own, and reads what they saw.
    pub(crate) fn end(mut self, published: u64) -> Result<Outcome, ClientsError> {
        self.orders.write_all(format!("stop\nexpect {published}\n").as_bytes())?;
        self.process.line("said");
        let report = self.process.line("report ");
        let outcome = serde_json::from_str(&report)?;
        self.process.end(Duration::from_secs(10));
        Ok(outcome)
    }
}

/// What the clients saw.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Outcome {
    /// How many clients there were.
    pub clients: u64,
    /// How many messages each should have.
    pub expected: u64,
    /// How many the one with the fewest has.
    pub fewest: u64,
    /// How many the one with the most has.
    pub most: u64,
    /// How many of the messages were the clients' own.
    pub said: u64,
    /// Messages after which their sender's next one is not the next one.
    pub out_of_order: Vec<String>,
    /// Who saw another order than the first client.
    pub other_order: Vec<String>,
    /// Whose roster is not everybody.
    pub wrong_rosters: Vec<String>,
    /// What clients were told that they should not have been.
    pub trouble: Vec<String>,
    /// How many connections there were.
    pub opened: u64,
    /// How many connections went on where one had ended.
    pub resumed: u64,
    /// The most presence frames that one client got.
    pub presence_frames: u64,
}

impl Outcome {
    /// Whether all clients have everything, once, in one order, and everybody on their roster.
    #[must_use]
    pub fn is_flawless(&self) -> bool {
        let all = self.fewest == self.expected && self.most == self.expected;
        let faults = [&self.out_of_order, &self.other_order, &self.wrong_rosters, &self.trouble];
        all && self.expected > 0 && faults.iter().all(|faults| faults.is_empty())
    }
}
