//! Two halves of a measurement of a channel layer, each a process: one publishes, the other has receivers.
//!
//! `bench/peers/channels/layers.py` is the same for channels_redis, with the same arguments and the same output, and
//! `bench/compare` runs both:
//!
//! * `layers receive` prints `listening on http://<address>/` once all receivers are in the group. Whoever connects
//!   there gets a byte, and then one for each message that all receivers have.
//! * `layers publish` connects there. It prints `measuring` when the warm-up is over, `measured` when the measurement
//!   is, and then, on one line of JSON, what it counted in between and what never arrived.

mod publish;
mod receive;

use std::error::Error;
use std::process::ExitCode;

use clap::{Args, Parser};
use narrows::{Channels, Group, NameError};
use narrows_redis::LayerSettings;
use serde::{Deserialize, Serialize};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[derive(Debug, Parser)]
enum Role {
    /// Has receivers in a group, and says when all of them have a message.
    Receive(receive::Receive),
    /// Publishes to the group, with so many messages on their way at most.
    Publish(publish::Publish),
}

/// Which layer.
#[derive(Debug, Args)]
struct LayerOptions {
    /// Where Redis is.
    #[arg(long)]
    layer: String,
    /// Which of the two Redis layers.
    #[arg(long)]
    layer_kind: String,
}

/// What is published: the event of the tutorial's chat.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "type")]
enum Event {
    #[serde(rename = "chat.message")]
    Message { message: String },
}

fn main() -> ExitCode {
    let role = Role::parse();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let done = runtime.map_err(Into::into).and_then(|runtime| {
        runtime.block_on(async {
            match role {
                Role::Receive(receive) => receive.run().await,
                Role::Publish(publish) => publish.run().await,
            }
        })
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("layers: {error}");
            ExitCode::FAILURE
        }
    }
}

impl LayerOptions {
    /// A node on that layer.
    fn channels(&self) -> Result<Channels, Box<dyn Error>> {
        let settings =
            LayerSettings { layer: &self.layer, kind: &self.layer_kind, ..LayerSettings::default() };
        let layer = settings.build()?.ok_or("in memory there is nothing between two processes")?;
        Ok(Channels::with_layer(layer))
    }
}

fn group() -> Result<Group<Event>, NameError> {
    Group::new("bench")
}
