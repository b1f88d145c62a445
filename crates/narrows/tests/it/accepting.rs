//! Connections are accepted whatever a handler does to its shard.

use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use axum::{Extension, Router};
use narrows::{Channels, Close, Connection, Consumer, Limits, NoEvent, Reject, Text};
use tokio::net::TcpStream;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::real_site::{Client, Site};

/// Says on which shard it is; asked to, it blocks that shard until the gate opens.
struct Blocker(Gate);

#[derive(Clone)]
struct Gate {
    open: Arc<(Mutex<bool>, Condvar)>,
    blocked: UnboundedSender<()>,
}

impl Gate {
    fn new() -> (Self, UnboundedReceiver<()>) {
        let (blocked, told) = unbounded_channel();
        (Self { open: Arc::default(), blocked }, told)
    }

    fn open(&self) {
        *self.open.0.lock().unwrap() = true;
        self.open.1.notify_all();
    }
}

fn shard() -> String {
    std::thread::current().name().unwrap().to_owned()
}

impl Consumer for Blocker {
    type Scope = Extension<Gate>;
    type In = Text;
    type Out = Text;
    type Event = NoEvent;

    async fn connect(Extension(gate): Extension<Gate>, conn: &mut Connection<Self>) -> Result<Self, Reject> {
        conn.send(&Text(shard()))?;
        Ok(Self(gate))
    }

    async fn receive(&mut self, _: Text, _: &mut Connection<Self>) -> Result<(), Close> {
        // Longer than a handler may run before its shard counts as held up; only then the test goes on.
        std::thread::sleep(Duration::from_millis(150));
        self.0.blocked.send(()).unwrap();
        let open = self.0.open.0.lock().unwrap();
        drop(self.0.open.1.wait_while(open, |open| !*open).unwrap());
        Ok(())
    }
}

async fn connect(site: &Site) -> (String, Client<TcpStream>) {
    let mut client = Client::over(site.tcp().await, "/ws", &[]).await.unwrap();
    (client.hear().await, client)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_one_shard_is_held_up_another_accepts() {
    // Whichever of the two accepts at first: it is held up in one of the rounds.
    for held_up in ["narrows-0", "narrows-1"] {
        let limits = Limits::default().ping_interval(Duration::ZERO);
        let channels = Channels::builder().limits(limits).shards(2).build();
        let (gate, mut blocked) = Gate::new();
        let app =
            Router::new().route("/ws", channels.consumer::<Blocker>().route()).layer(Extension(gate.clone()));
        let site = Site::start(app, &channels).await;
        let mut others = Vec::new();
        let mut blocker = loop {
            let (shard, client) = connect(&site).await;
            if shard == held_up {
                break client;
            }
            others.push(client);
        };
        blocker.say("block").await;
        blocked.recv().await.unwrap();
        for _ in 0..10 {
            let connected = tokio::time::timeout(Duration::from_secs(30), connect(&site)).await;
            let (shard, client) = connected.expect("somebody accepts");
            assert_ne!(shard, held_up);
            others.push(client);
        }
        gate.open();
    }
}
