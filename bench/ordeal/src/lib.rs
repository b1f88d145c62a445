//! The ordeal: clients in a room of three nodes on one Redis, while the network is cut and the nodes are restarted one
//! after another. In the end everything that was said is there, once, in one order, and everybody is.
//!
//! The clients are the JavaScript client, in one process of Node.

mod clients;
mod nodes;
/// The room and its members.
pub mod room;
mod trouble;

use std::path::PathBuf;
use std::time::Duration;

use narrows::{BroadcastError, Channels};
use narrows_redis::{Kind, OptionsError, ParseHostError, RedisLayer, RedisOptions};
use tokio::time::MissedTickBehavior;

use self::clients::Clients;
pub use self::clients::{ClientsError, Outcome};
use self::nodes::Nodes;
use self::room::{Said, room};

/// How hard it is to be.
#[derive(Debug, Clone)]
pub struct Ordeal {
    /// The program `ordeal-node`.
    pub node_program: PathBuf,
    /// How many clients there are.
    pub clients: usize,
    /// How long messages are said.
    pub time: Duration,
    /// How many messages a second there are: four of five from a publisher, the fifth from the clients.
    pub rate: f64,
    /// How long the network is cut each time.
    pub cut: Duration,
    /// From the end of a cut to the next one.
    pub between_cuts: Duration,
    /// How often each node is restarted.
    pub rounds: usize,
}

/// Why there was no ordeal.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OrdealError {
    /// A program is missing; it was said which.
    #[error("a program is missing")]
    Missing,
    /// The layer on Redis.
    #[error(transparent)]
    Host(#[from] ParseHostError),
    /// As above.
    #[error(transparent)]
    Layer(#[from] OptionsError),
    /// The publisher's message was not taken.
    #[error(transparent)]
    Broadcast(#[from] BroadcastError),
    /// The clients.
    #[error(transparent)]
    Clients(#[from] ClientsError),
    /// The server for nothing but publishing did not start.
    #[error("no runtime: {0}")]
    Runtime(#[from] std::io::Error),
}

impl Ordeal {
    /// Runs it.
    ///
    /// # Errors
    /// [`OrdealError`], when it could not be run. What the clients saw is in the [`Outcome`].
    pub fn run(&self) -> Result<Outcome, OrdealError> {
        let redis = rig::Redis::start().ok_or(OrdealError::Missing)?;
        let mut nodes = Nodes::start(&self.node_program, &redis.url());
        let clients = Clients::start(&nodes.urls(), self.clients, self.rate / 5.0)?;
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let layer = RedisLayer::new(Kind::PubSub, RedisOptions::new(redis.url().parse()?))?;
        let publisher = Channels::with_layer(layer);
        let publishing = runtime.spawn(publish(publisher, self.rate * 0.8, self.time));
        trouble::make(&mut nodes, self);
        let published = runtime.block_on(publishing).expect("the publisher does not panic")?;
        Ok(clients.end(published)?)
    }
}

/// Says so many messages a second, for some time; how many.
async fn publish(channels: Channels, rate: f64, time: Duration) -> Result<u64, BroadcastError> {
    let group = room().expect("the name is a legal one");
    let mut ticks = tokio::time::interval(Duration::from_secs_f64(1.0 / rate));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let messages = (time.as_secs_f64() * rate) as u64;
    for n in 1..=messages {
        ticks.tick().await;
        channels.broadcast(&group, &Said { from: "publisher".to_owned(), n }).await?;
    }
    Ok(messages)
}
