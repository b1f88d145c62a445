//! From the extractor on a connection has its identity: an end that comes before it is accepted is not missed.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::FromRequestParts;
use axum::{Extension, Router};
use http::request::Parts;
use narrows::layer::MemoryLayer;
use narrows::testing::{FaultyLayer, TestServer};
use narrows::{Cause, Channels, Close, Connection, Consumer, Disconnect, Identity, NoEvent, Reject, Text};
use tokio::sync::{Semaphore, mpsc};
use tokio::time::Instant;

use super::kit::{Roll, forgotten, identity};
use crate::gated_layer::GatedLayer;
use crate::site::Site;

/// Holds a handshake at each of its steps, and tells when it is there.
#[derive(Clone)]
struct Gates {
    extracted: Arc<Semaphore>,
    accepted: Arc<Semaphore>,
    reached: mpsc::UnboundedSender<&'static str>,
    binds: Option<Identity>,
}

struct Bound(Gates);

impl<S: Send + Sync> FromRequestParts<S> for Bound {
    type Rejection = http::StatusCode;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let gates = parts.extensions.get::<Gates>().unwrap().clone();
        if let Some(identity) = gates.binds.clone() {
            identity.bind(parts);
        }
        gates.reached.send("extractor").unwrap();
        gates.extracted.acquire().await.unwrap().forget();
        Ok(Self(gates))
    }
}

struct Held(mpsc::UnboundedSender<&'static str>);

impl Consumer for Held {
    type Scope = Bound;
    type In = Text;
    type Out = Text;
    type Event = NoEvent;

    async fn connect(Bound(gates): Bound, conn: &mut Connection<Self>) -> Result<Self, Reject> {
        assert_eq!(conn.identity().and_then(Identity::user), gates.binds.as_ref().and_then(Identity::user));
        gates.reached.send("connect").unwrap();
        gates.accepted.acquire().await.unwrap().forget();
        Ok(Self(gates.reached))
    }

    async fn receive(&mut self, text: Text, conn: &mut Connection<Self>) -> Result<(), Close> {
        let user = conn.identity().and_then(Identity::user).unwrap_or("nobody").to_owned();
        match text.0.as_str() {
            "who am i" => conn.send(&Text(user))?,
            "panic" => panic!("asked to panic"),
            name => match conn.belongs_to(identity(name, name)).await {
                Ok(()) => conn.send(&Text("so be it".to_owned()))?,
                Err(error) => conn.send(&Text(error.to_string()))?,
            },
        }
        Ok(())
    }

    async fn disconnect(self, end: Disconnect, _: &mut Connection<Self>) {
        assert!(matches!(end.cause, Cause::SessionEnded | Cause::Lost), "{end:?}");
        // A test that is over does not listen any more.
        let _ = self.0.send("disconnect");
    }
}

struct Stage {
    channels: Channels,
    server: TestServer,
    gates: Gates,
    reached: mpsc::UnboundedReceiver<&'static str>,
}

impl Stage {
    fn new(layer: impl narrows::ChannelLayer, binds: impl Into<Option<Identity>>) -> Self {
        let channels = Channels::builder().on_this_thread().layer(layer).build();
        let (tell, reached) = mpsc::unbounded_channel();
        let closed = || Arc::new(Semaphore::new(0));
        let gates = Gates { extracted: closed(), accepted: closed(), reached: tell, binds: binds.into() };
        let app =
            Router::new().route("/held", channels.consumer::<Held>().route()).layer(Extension(gates.clone()));
        Self { channels, server: TestServer::new(app), gates, reached }
    }

    /// Begins a handshake; its answer.
    fn begin(&self) -> tokio::task::JoinHandle<Result<narrows::testing::TestClient, u16>> {
        let request = self.server.connect_request("/held");
        tokio::spawn(async move { request.try_connect().await.map_err(|refused| refused.status().as_u16()) })
    }

    async fn reach(&mut self, step: &str) {
        assert_eq!(self.reached.recv().await, Some(step));
    }

    /// A connection that is open to its end, so that the node listens already.
    async fn listens(&mut self) -> narrows::testing::TestClient {
        self.gates.extracted.add_permits(1);
        self.gates.accepted.add_permits(1);
        let client = self.begin().await.unwrap().unwrap();
        self.reach("extractor").await;
        self.reach("connect").await;
        client
    }
}

#[tokio::test(start_paused = true)]
async fn an_end_while_an_extractor_still_runs_refuses_the_handshake() {
    let mut stage = Stage::new(MemoryLayer::new(), identity("a", "1"));
    let mut first = stage.listens().await;
    let answer = stage.begin();
    stage.reach("extractor").await;
    stage.channels.end_session("a").await.unwrap();
    first.expect_close(4401).await;
    stage.gates.extracted.add_permits(1);
    assert_eq!(answer.await.unwrap().unwrap_err(), 401);
    stage.reach("disconnect").await;
    forgotten(&stage.channels).await;
    assert_eq!(stage.channels.stats().ended_by_notice, 2);
}

#[tokio::test(start_paused = true)]
async fn an_end_while_connect_waits_refuses_the_handshake_at_once() {
    let mut stage = Stage::new(MemoryLayer::new(), identity("a", "1"));
    stage.gates.extracted.add_permits(1);
    let answer = stage.begin();
    stage.reach("extractor").await;
    stage.reach("connect").await;
    let start = Instant::now();
    stage.channels.end_user("1").await.unwrap();
    assert_eq!(answer.await.unwrap().unwrap_err(), 401);
    assert!(start.elapsed() < Duration::from_millis(50), "{:?}", start.elapsed());
    forgotten(&stage.channels).await;
}

#[tokio::test(start_paused = true)]
async fn an_end_from_before_the_extractor_does_not_count() {
    let mut stage = Stage::new(MemoryLayer::new(), identity("a", "1"));
    let mut first = stage.listens().await;
    stage.channels.end_session("a").await.unwrap();
    first.expect_close(4401).await;
    stage.reach("disconnect").await;
    // The same key again: whether it is still a session is for the extractor to say.
    let _second = stage.listens().await;
    assert_eq!(stage.channels.stats().identities, 1);
}

#[tokio::test(start_paused = true)]
async fn a_handshake_waits_until_the_notices_are_promised() {
    let layer = GatedLayer::closed();
    let mut stage = Stage::new(layer.clone(), identity("a", "1"));
    stage.gates.extracted.add_permits(1);
    let answer = stage.begin();
    layer.called("subscribe to group narrows.ends").await;
    assert!(stage.reached.try_recv().is_ok_and(|step| step == "extractor"));
    assert!(stage.reached.try_recv().is_err(), "the consumer is asked too early");
    layer.gate.add_permits(1);
    stage.reach("connect").await;
    stage.gates.accepted.add_permits(1);
    let mut client = answer.await.unwrap().unwrap();
    stage.channels.end_session("a").await.unwrap();
    client.expect_close(4401).await;
}

#[tokio::test(start_paused = true)]
async fn the_first_identity_of_a_node_is_checked_as_its_end_may_have_come_too_early_to_be_heard() {
    let roll = Roll::new();
    let mut stage = Stage::new(MemoryLayer::new(), identity("a", "1").checked_by(roll.clone(), ""));
    let answer = stage.begin();
    stage.reach("extractor").await;
    // Nobody listens yet.
    roll.end("1");
    stage.channels.end_session("a").await.unwrap();
    stage.gates.extracted.add_permits(1);
    stage.reach("connect").await;
    assert_eq!(answer.await.unwrap().unwrap_err(), 401);
    assert_eq!((roll.calls().len(), stage.channels.stats().ended_by_check), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn an_end_that_the_layer_lost_while_an_extractor_ran_is_found_by_the_check() {
    let (layer, roll) = (FaultyLayer::new(MemoryLayer::new()), Roll::new());
    let faults = layer.faults();
    let mut stage = Stage::new(layer, identity("a", "1").checked_by(roll.clone(), ""));
    drop(stage.listens().await);
    stage.reach("disconnect").await;
    let answer = stage.begin();
    stage.reach("extractor").await;
    faults.drop_next(1);
    roll.end("1");
    stage.channels.end_session("a").await.unwrap();
    faults.gap(None, narrows::Gap::Reconnected);
    tokio::time::sleep(Duration::from_secs(1)).await;
    stage.gates.extracted.add_permits(1);
    assert_eq!(answer.await.unwrap().unwrap_err(), 401);
    assert_eq!(stage.channels.stats().ended_by_check, 1);
}

#[tokio::test(start_paused = true)]
async fn a_handshake_with_an_identity_is_refused_with_503_while_the_layer_is_away() {
    let layer = FaultyLayer::new(MemoryLayer::new());
    let faults = layer.faults();
    let mut stage = Stage::new(layer, identity("a", "1"));
    faults.disconnect();
    for _ in 0..2 {
        stage.gates.extracted.add_permits(1);
        assert_eq!(stage.begin().await.unwrap().unwrap_err(), 503);
        stage.reach("extractor").await;
    }
    assert_eq!(stage.channels.stats().identities, 0);
    faults.reconnect();
    let mut client = stage.listens().await;
    stage.channels.end_session("a").await.unwrap();
    client.expect_close(4401).await;
}

#[tokio::test(start_paused = true)]
async fn a_layer_that_never_answers_costs_a_handshake_its_time_and_no_more() {
    let stage = Stage::new(GatedLayer::closed(), identity("a", "1"));
    stage.gates.extracted.add_permits(2);
    let start = Instant::now();
    let (one, other) = tokio::join!(stage.begin(), stage.begin());
    assert_eq!((one.unwrap().unwrap_err(), other.unwrap().unwrap_err()), (503, 503));
    assert!((4..7).contains(&start.elapsed().as_secs()), "{:?}", start.elapsed());
    assert_eq!(stage.channels.stats().identities, 0);
}

#[tokio::test(start_paused = true)]
async fn a_connection_can_find_out_later_whose_it_is() {
    let mut stage = Stage::new(MemoryLayer::new(), identity("a", "1"));
    let mut client = stage.listens().await;
    for (says, hears) in [("who am i", "1"), ("bob", "so be it"), ("who am i", "bob")] {
        client.send_text(says).await;
        client.expect_text(hears).await;
    }
    assert_eq!(stage.channels.stats().identities, 1);
    // What it was before is over.
    stage.channels.end_session("a").await.unwrap();
    stage.channels.end_user("1").await.unwrap();
    client.send_text("who am i").await;
    client.expect_text("bob").await;
    stage.channels.end_session("bob").await.unwrap();
    client.expect_close(4401).await;
    forgotten(&stage.channels).await;
}

#[tokio::test(start_paused = true)]
async fn an_identity_whose_end_would_not_be_heard_is_refused_and_the_connection_goes_on() {
    let layer = FaultyLayer::new(MemoryLayer::new());
    let faults = layer.faults();
    let mut stage = Stage::new(layer, None);
    let mut client = stage.listens().await;
    faults.disconnect();
    for (says, hears) in [("bob", "the channel layer did not subscribe"), ("who am i", "nobody")] {
        client.send_text(says).await;
        client.expect_text(hears).await;
    }
    faults.reconnect();
    client.send_text("bob").await;
    client.expect_text("so be it").await;
    stage.channels.end_user("bob").await.unwrap();
    client.expect_close(4401).await;
}

#[tokio::test(start_paused = true)]
async fn a_site_without_identities_has_none() {
    let site = Site::new();
    let _client = site.connect().await;
    assert_eq!(site.channels.stats().identities, 0);
}
