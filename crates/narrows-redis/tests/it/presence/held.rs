//! A network that delivers late: what a node said over a connection that it has given up.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use narrows_redis::Kind;
use rig::{Redis, wait_until};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::{LONG, Present};
use crate::nodes::{at_last, fresh_name, on_both_layers};

on_both_layers! {
    a_change_that_was_held_up_does_not_undo_a_later_one,
}

async fn a_change_that_was_held_up_does_not_undo_a_later_one(kind: Kind) {
    let Some(redis) = Redis::start() else { return };
    let network = Network::to(redis.port()).await;
    let (node, other, group) =
        (Present::at(kind, &network.url()), Present::at(kind, &redis.url()), fresh_name());
    node.renew(LONG).await;
    node.track(&group, 1, "stays").await;
    network.hold();
    node.try_track(&group, 2, "goes").await.expect_err("nothing passes");
    // It gives that connection up, and what is new passes.
    at_last("the next call", async || node.try_track(&group, 1, "stays").await).await;
    node.untrack(&group, 2).await;
    let before = scripts(&redis);
    network.release();
    wait_until("what was held up to arrive", || scripts(&redis) > before);
    assert_eq!(other.keys(&group).await, ["stays"]);
    // The node has noticed nothing.
    assert!(!node.renew(LONG).await.forgotten);
}

/// How many scripts Redis has run.
pub(super) fn scripts(redis: &Redis) -> u64 {
    let stats = redis.cli(&["INFO", "commandstats"]);
    let calls = stats.lines().find_map(|line| line.strip_prefix("cmdstat_evalsha:calls="));
    calls.and_then(|line| line.split(',').next()?.parse().ok()).unwrap_or(0)
}

/// Between a node and Redis: what the node says over connections that are there can be held up, and come afterwards.
struct Network {
    port: u16,
    /// Connections with a number below this are held.
    below: watch::Sender<usize>,
    made: Arc<AtomicUsize>,
}

impl Network {
    async fn to(port: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port is free");
        let (below, holding) = watch::channel(0);
        let made = Arc::<AtomicUsize>::default();
        let network =
            Self { port: listener.local_addr().expect("it is bound").port(), below, made: made.clone() };
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let number = made.fetch_add(1, Ordering::SeqCst);
                let Ok(server) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await else { continue };
                let ((from_client, to_client), (from_server, to_server)) =
                    (client.into_split(), server.into_split());
                tokio::spawn(pass(from_client, to_server, Some((holding.clone(), number))));
                tokio::spawn(pass(from_server, to_client, None));
            }
        });
        network
    }

    fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    fn hold(&self) {
        self.below.send_replace(self.made.load(Ordering::SeqCst));
    }

    fn release(&self) {
        self.below.send_replace(0);
    }
}

/// Passes bytes one way up to their end; also where nobody reads them any more, so that the other side can go on.
async fn pass(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut held: Option<(watch::Receiver<usize>, usize)>,
) {
    let mut buffer = vec![0; 1 << 14];
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        if let Some((holding, number)) = &mut held {
            // It fails when the test is over.
            let _ = holding.wait_for(|below| *below <= *number).await;
        }
        // Who is gone reads nothing; Redis answers all the same.
        let _ = to.write_all(&buffer[..read]).await;
    }
}
