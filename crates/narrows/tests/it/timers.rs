//! Timers of a connection: they fire on time, can be stopped, and die with it.

use std::sync::Arc;
use std::time::Duration;

use axum::{Extension, Router};
use narrows::testing::{TestClient, TestServer};
use narrows::{Channels, Close, Connection, Consumer, Reject, Timer};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

/// Sets timers as its client asks; all say when they fire.
struct Clock {
    start: Instant,
    timers: Vec<Timer>,
    life: Arc<()>,
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
enum Set {
    After { secs: u64 },
    Every { secs: u64 },
    Cancel { which: usize },
    Sleep { secs: u64 },
    Forever,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
enum Told {
    Fired { name: String, at: u64 },
    Cancelled(bool),
}

impl Consumer for Clock {
    type Scope = Extension<Arc<()>>;
    type In = Set;
    type Out = Told;
    type Event = String;

    async fn connect(life: Self::Scope, _: &mut Connection<Self>) -> Result<Self, Reject> {
        Ok(Self { start: Instant::now(), timers: Vec::new(), life: life.0 })
    }

    async fn receive(&mut self, set: Set, conn: &mut Connection<Self>) -> Result<(), Close> {
        match set {
            Set::After { secs } => {
                self.timers.push(conn.after(Duration::from_secs(secs), format!("after {secs}")));
            }
            Set::Every { secs } => {
                let life = self.life.clone();
                let mut count = 0;
                let make = move || {
                    count += Arc::strong_count(&life).min(1);
                    format!("every {secs}: {count}")
                };
                self.timers.push(conn.every(Duration::from_secs(secs), make));
            }
            Set::Cancel { which } => {
                let cancelled = conn.cancel(self.timers[which]);
                conn.send(&Told::Cancelled(cancelled))?;
            }
            Set::Sleep { secs } => tokio::time::sleep(Duration::from_secs(secs)).await,
            Set::Forever => self.timers.push(conn.after(Duration::MAX, "at the end of time".to_owned())),
        }
        Ok(())
    }

    async fn event(&mut self, name: String, conn: &mut Connection<Self>) -> Result<(), Close> {
        Ok(conn.send(&Told::Fired { name, at: self.start.elapsed().as_secs() })?)
    }
}

async fn clock(life: &Arc<()>) -> (Channels, TestClient) {
    let channels = Channels::builder().on_this_thread().build();
    let app = Router::new().route("/", channels.consumer::<Clock>().route()).layer(Extension(life.clone()));
    let mut client = TestServer::new(app).quiet_time(Duration::from_secs(100)).connect("/").await;
    client.receive_timeout(Duration::from_secs(100));
    (channels, client)
}

async fn expect_fired(client: &mut TestClient, name: &str, at: u64) {
    client.expect(&Told::Fired { name: name.to_owned(), at }).await;
}

#[tokio::test(start_paused = true)]
async fn a_timer_fires_once_after_its_time_and_the_sooner_one_first() {
    let (_channels, mut client) = clock(&Arc::default()).await;
    client.send(&Set::After { secs: 7 }).await;
    client.send(&Set::After { secs: 3 }).await;
    expect_fired(&mut client, "after 3", 3).await;
    expect_fired(&mut client, "after 7", 7).await;
    client.expect_nothing().await;
}

#[tokio::test(start_paused = true)]
async fn an_interval_fires_again_and_again_until_it_is_cancelled() {
    let (_channels, mut client) = clock(&Arc::default()).await;
    client.send(&Set::Every { secs: 5 }).await;
    for n in 1..=20 {
        expect_fired(&mut client, &format!("every 5: {n}"), 5 * n).await;
    }
    for cancelled in [true, false] {
        client.send(&Set::Cancel { which: 0 }).await;
        client.expect(&Told::Cancelled(cancelled)).await;
    }
    client.expect_nothing().await;
}

#[tokio::test(start_paused = true)]
async fn a_timer_that_has_fired_or_was_cancelled_cannot_be_cancelled() {
    let (_channels, mut client) = clock(&Arc::default()).await;
    client.send(&Set::After { secs: 1 }).await;
    expect_fired(&mut client, "after 1", 1).await;
    client.send(&Set::After { secs: 1 }).await;
    for (which, cancelled) in [(0, false), (1, true), (1, false)] {
        client.send(&Set::Cancel { which }).await;
        client.expect(&Told::Cancelled(cancelled)).await;
    }
    client.expect_nothing().await;
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_was_held_up_gets_one_event_of_an_interval_and_not_all() {
    let (_channels, mut client) = clock(&Arc::default()).await;
    client.send(&Set::Every { secs: 2 }).await;
    client.send(&Set::Sleep { secs: 9 }).await;
    expect_fired(&mut client, "every 2: 1", 9).await;
    expect_fired(&mut client, "every 2: 2", 11).await;
}

#[tokio::test(start_paused = true)]
async fn timers_die_with_their_connection() {
    let life = Arc::new(());
    let (channels, mut client) = clock(&life).await;
    client.send(&Set::Every { secs: 5 }).await;
    expect_fired(&mut client, "every 5: 1", 5).await;
    drop(client);
    while channels.stats().connections > 0 {
        tokio::task::yield_now().await;
    }
    // The router's layer holds the other one; the interval and the consumer are gone.
    assert!(Arc::strong_count(&life) <= 2, "{}", Arc::strong_count(&life));
}

#[tokio::test(start_paused = true)]
async fn a_timer_for_the_end_of_time_harms_nothing() {
    let (_channels, mut client) = clock(&Arc::default()).await;
    client.send(&Set::Forever).await;
    client.send(&Set::After { secs: 3 }).await;
    expect_fired(&mut client, "after 3", 3).await;
    client.expect_nothing().await;
}
