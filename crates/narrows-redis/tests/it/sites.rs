//! What the tests of faults share: sites with clients, as in production but for the sockets.

use std::time::{Duration, Instant};

use narrows::testing::{TestClient, TestServer};
use narrows::{BroadcastError, Channels, Close, Connection, Consumer, Gap, Group, Reject};
use narrows_redis::{Kind, RedisLayer, RedisOptions};
use rig::wait_until;
use serde::{Deserialize, Serialize};

use crate::nodes::{IN_TIME, PATIENCE, at_last, in_time, options};

/// A node of a site with one kind of consumer, and its clients.
pub(crate) struct Site {
    pub(crate) channels: Channels,
    server: TestServer,
    room: Group<Said>,
}

/// A client in the site's room that is told of gaps.
pub(crate) struct Client {
    socket: TestClient,
    /// How many gaps it was told of so far.
    pub(crate) gaps: usize,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "type", rename = "said")]
pub(crate) struct Said {
    pub(crate) number: u64,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Out {
    Said { number: u64 },
    Gap { why: String },
}

struct Room;

/// A number from which on what is said is only to see whether it is taken.
const PROBES: u64 = 1 << 32;

impl Consumer for Room {
    type Scope = axum::extract::Path<String>;
    type In = Said;
    type Out = Out;
    type Event = Gap;

    async fn connect(room: Self::Scope, conn: &mut Connection<Self>) -> Result<Self, Reject> {
        conn.listen_gaps().await;
        conn.join(&Group::<Said>::new(&*room)?).await?;
        Ok(Self)
    }

    async fn receive(&mut self, _: Said, _: &mut Connection<Self>) -> Result<(), Close> {
        Ok(())
    }

    async fn event(&mut self, gap: Gap, conn: &mut Connection<Self>) -> Result<(), Close> {
        Ok(conn.send(&Out::Gap { why: gap.to_string() })?)
    }
}

impl From<Said> for Out {
    fn from(Said { number }: Said) -> Self {
        Self::Said { number }
    }
}

impl Site {
    pub(crate) fn at(kind: Kind, url: &str) -> Self {
        Self::new(kind, options(url))
    }

    pub(crate) fn new(kind: Kind, options: RedisOptions) -> Self {
        let layer = RedisLayer::new(kind, options).expect("the options are right");
        let channels = Channels::builder().layer(layer).shards(1).build();
        let route = channels.consumer::<Room>().route();
        let server =
            TestServer::new(axum::Router::new().route("/ws/{room}", route)).receive_timeout(PATIENCE);
        Self { channels, server, room: Group::new("room").expect("the name is legal") }
    }

    pub(crate) async fn client(&self) -> Client {
        Client { socket: self.server.connect("/ws/room").await, gaps: 0 }
    }

    /// A client that comes to a room where nobody is, and is refused.
    pub(crate) async fn is_closed_to_clients(&self) {
        let began = Instant::now();
        let refused = self.server.connect_request("/ws/other").try_connect().await;
        let refused = refused.expect_err("nobody can join while redis is away");
        assert_eq!(refused.status().as_u16(), 503);
        assert!(began.elapsed() < IN_TIME, "{:?}", began.elapsed());
    }

    /// The room that [`is_closed_to_clients`](Self::is_closed_to_clients) tried is open.
    pub(crate) async fn is_open_to_clients(&self) {
        let mut client = Client { socket: self.server.connect("/ws/other").await, gaps: 0 };
        let other = Group::new("other").expect("the name is legal");
        in_time(self.channels.broadcast(&other, &Said { number: 1 })).await.expect("redis is there");
        assert_eq!(client.numbers(1).await, [1]);
    }

    pub(crate) async fn broadcast(&self, number: u64) -> Result<(), BroadcastError> {
        in_time(self.channels.broadcast(&self.room, &Said { number })).await
    }

    /// Waits until broadcasting works.
    pub(crate) async fn broadcasts_again(&self) {
        let mut probes = PROBES..;
        at_last("broadcasting", async || self.broadcast(probes.next().expect("there are more")).await).await;
    }

    /// A broadcast fails, in time.
    pub(crate) async fn cannot_broadcast(&self) {
        let error = self.broadcast(PROBES).await.expect_err("redis is away");
        let expected = matches!(error, BroadcastError::Layer(narrows_core::LayerError::Unavailable(_)));
        assert!(expected, "{error:?}");
    }

    /// How long so many broadcasts take that all fail.
    pub(crate) async fn time_of_failures(&self, count: u32) -> Duration {
        let began = Instant::now();
        for _ in 0..count {
            self.cannot_broadcast().await;
        }
        began.elapsed()
    }
}

impl Client {
    /// Reads until it is told of a gap; that before it was told of is not meant.
    pub(crate) async fn until_gap(&mut self) {
        while let Out::Said { .. } = self.next().await {}
    }

    /// The next so many numbers, gaps and probes left out.
    pub(crate) async fn numbers(&mut self, count: usize) -> Vec<u64> {
        let mut numbers = Vec::new();
        while numbers.len() < count {
            match self.next().await {
                Out::Said { number } if number < PROBES => numbers.push(number),
                Out::Said { .. } | Out::Gap { .. } => {}
            }
        }
        numbers
    }

    async fn next(&mut self) -> Out {
        let out = self.socket.receive().await;
        if let Out::Gap { why } = &out {
            assert_eq!(why, &Gap::Reconnected.to_string());
            self.gaps += 1;
        }
        out
    }
}

/// What is said on each site reaches the clients of both, in order and whole.
pub(crate) async fn talk(sites: &[Site; 2], clients: &mut [Client; 2]) {
    for number in 0..20 {
        for (site, base) in sites.iter().zip([1000, 2000]) {
            site.broadcast(base + number).await.expect("redis is there");
        }
    }
    let expected: Vec<u64> = (0..20).flat_map(|number| [1000 + number, 2000 + number]).collect();
    for client in clients {
        assert_eq!(client.numbers(expected.len()).await, expected);
    }
}

/// Two sites with a client each, who have talked.
pub(crate) async fn two_sites(kind: Kind, url: &str) -> ([Site; 2], [Client; 2]) {
    let sites = [Site::at(kind, url), Site::at(kind, url)];
    let mut clients = [sites[0].client().await, sites[1].client().await];
    talk(&sites, &mut clients).await;
    (sites, clients)
}

/// Both clients are told of a gap, and hear everything from then on.
pub(crate) async fn recovered(sites: &[Site; 2], clients: &mut [Client; 2]) {
    for client in clients.iter_mut() {
        client.until_gap().await;
    }
    for site in sites {
        site.broadcasts_again().await;
    }
    talk(sites, clients).await;
    for (site, client) in sites.iter().zip(clients) {
        // A client is told once of gaps that it has not yet handled, so it may see fewer.
        assert!((1..=3).contains(&client.gaps), "{} gaps", client.gaps);
        wait_until("the gaps to be counted", || (1..=4).contains(&site.channels.stats().gaps));
    }
}
