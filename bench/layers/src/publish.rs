use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use clap::Args;
use serde_json::json;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::sync::{Notify, Semaphore};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

use crate::{Event, LayerOptions, group};

/// What has not come after so long is lost.
const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Debug, Args)]
pub(crate) struct Publish {
    #[command(flatten)]
    layer: LayerOptions,
    /// How many receivers the other process has.
    #[arg(long)]
    receivers: u64,
    /// Where the other process tells what has come.
    #[arg(long)]
    acks: SocketAddr,
    /// How many messages may be on their way; as many tasks publish at once.
    #[arg(long)]
    window: usize,
    /// Bytes of a message's text.
    #[arg(long)]
    bytes: usize,
    /// How long to measure.
    #[arg(long)]
    seconds: f64,
    /// How long to publish before that, in seconds.
    #[arg(long)]
    warm_up: f64,
}

/// Messages since the start.
#[derive(Debug, Default)]
struct Counts {
    published: AtomicU64,
    arrived: AtomicU64,
    changed: Notify,
}

impl Publish {
    pub(crate) async fn run(self) -> Result<(), Box<dyn Error>> {
        let (channels, group) = (self.layer.channels()?, group()?);
        let mut acks = TcpStream::connect(self.acks).await?;
        acks.read_u8().await?;
        let (counts, free) = (Arc::new(Counts::default()), Arc::new(Semaphore::new(self.window)));
        let told = tokio::spawn(hear(acks, Arc::clone(&counts), Arc::clone(&free)));
        let mut publishers = JoinSet::new();
        for _ in 0..self.window {
            let (channels, group) = (channels.clone(), group.clone());
            let (counts, free) = (Arc::clone(&counts), Arc::clone(&free));
            let event = Event::Message { message: "x".repeat(self.bytes) };
            publishers.spawn(async move {
                while let Ok(place) = free.acquire().await {
                    place.forget();
                    channels.broadcast(&group, &event).await?;
                    counts.published.fetch_add(1, Ordering::Relaxed);
                }
                Ok::<_, narrows::BroadcastError>(())
            });
        }
        sleep(Duration::from_secs_f64(self.warm_up)).await;
        println!("measuring");
        let (start, before) = (Instant::now(), counts.now());
        sleep(Duration::from_secs_f64(self.seconds)).await;
        let (seconds, after) = (start.elapsed().as_secs_f64(), counts.now());
        println!("measured");
        free.close();
        while let Some(ended) = publishers.join_next().await {
            ended??;
        }
        counts.all_arrived().await;
        told.abort();
        let (published, arrived) = counts.now();
        let report = json!({
            "seconds": seconds,
            "published": after.0 - before.0,
            "deliveries": (after.1 - before.1) * self.receivers,
            "lost": published.saturating_sub(arrived),
            "duplicated": arrived.saturating_sub(published),
        });
        println!("{report}");
        Ok(())
    }
}

/// One byte is one message that all receivers have.
async fn hear(mut acks: TcpStream, counts: Arc<Counts>, free: Arc<Semaphore>) -> std::io::Result<()> {
    let mut bytes = [0; 1024];
    loop {
        match acks.read(&mut bytes).await? {
            0 => return Ok(()),
            arrived => {
                counts.arrived.fetch_add(arrived as u64, Ordering::Relaxed);
                counts.changed.notify_one();
                free.add_permits(arrived);
            }
        }
    }
}

impl Counts {
    /// How many were published, and how many of them all receivers have.
    fn now(&self) -> (u64, u64) {
        (self.published.load(Ordering::Relaxed), self.arrived.load(Ordering::Relaxed))
    }

    /// Waits until all that was published has arrived, or patience is over.
    async fn all_arrived(&self) {
        let all = async {
            while {
                let (published, arrived) = self.now();
                arrived < published
            } {
                self.changed.notified().await;
            }
        };
        // What is missing then is told.
        let _ = timeout(PATIENCE, all).await;
    }
}
