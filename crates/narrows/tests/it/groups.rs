//! Groups and channels: who gets what, in which order, from when on and until when.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::{Extension, Router};
use narrows::layer::MemoryLayer;
use narrows::testing::{TestClient, TestServer};
use narrows::{
    Channel, ChannelLayer, Channels, Close, Connection, Consumer, DropReason, Gap, Group, JoinError, Limits,
    NoEvent, Reject,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::gated_layer::GatedLayer;
use crate::site::{Ask, Msg, Site, ask_say, number, room, said};

/// Goes where its client says, and answers each time.
struct Visitor;

#[derive(Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
enum Go {
    Join { room: String },
    Listen { room: String },
    Leave { room: String },
    Channel,
    Gaps,
}

#[derive(Serialize)]
#[serde(transparent)]
struct Out(Value);

impl From<Msg> for Out {
    fn from(msg: Msg) -> Self {
        Self(json!({ "joined": msg }))
    }
}

enum Heard {
    Msg(Msg),
    Gap(Gap),
}

impl From<Msg> for Heard {
    fn from(msg: Msg) -> Self {
        Self::Msg(msg)
    }
}

impl From<Gap> for Heard {
    fn from(gap: Gap) -> Self {
        Self::Gap(gap)
    }
}

impl Consumer for Visitor {
    type Scope = ();
    type In = Go;
    type Out = Out;
    type Event = Heard;

    async fn connect((): (), _: &mut Connection<Self>) -> Result<Self, Reject> {
        Ok(Self)
    }

    async fn receive(&mut self, go: Go, conn: &mut Connection<Self>) -> Result<(), Close> {
        let ok =
            |entered: Result<(), JoinError>| entered.map_or_else(|e| e.to_string(), |()| "ok".to_owned());
        let answer = match go {
            Go::Join { room: name } => json!(ok(conn.join(&room(&name)).await)),
            Go::Listen { room: name } => json!(ok(conn.listen(&room(&name)).await)),
            Go::Leave { room: name } => json!(conn.leave(&room(&name)).await),
            Go::Channel => json!(conn.channel::<Msg>().await?),
            Go::Gaps => json!(conn.listen_gaps().await),
        };
        Ok(conn.send(&Out(answer))?)
    }

    async fn event(&mut self, heard: Heard, conn: &mut Connection<Self>) -> Result<(), Close> {
        Ok(conn.send(&Out(match heard {
            Heard::Msg(msg) => json!({ "listened": msg }),
            Heard::Gap(gap) => json!({ "gap": gap.to_string() }),
        }))?)
    }
}

fn visitors(channels: &Channels) -> TestServer {
    TestServer::new(Router::new().route("/", channels.consumer::<Visitor>().route()))
}

fn node(layer: impl ChannelLayer) -> Channels {
    Channels::builder().layer(layer).on_this_thread().build()
}

async fn does(client: &mut TestClient, what: &str, answer: impl Serialize) {
    let (what, name) = what.split_once(' ').unwrap_or((what, ""));
    client.send(&json!({ "do": what, "room": name })).await;
    client.expect(&answer).await;
}

#[tokio::test(start_paused = true)]
async fn what_one_member_says_reaches_all_of_its_group_itself_too_and_nobody_else() {
    let site = Site::new();
    let (mut ada, mut bob) = (site.connect().await, site.connect().await);
    let mut elsewhere = site.server.connect("/ws/attic").await;
    ada.send(&ask_say("hi")).await;
    ada.expect(&said("hi")).await;
    bob.expect(&said("hi")).await;
    elsewhere.expect_nothing().await;
    assert_eq!(site.channels.stats().delivered, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_members_see_one_order_whoever_says_what_on_whichever_shard() {
    let channels = Channels::builder().shards(3).build();
    let (app, _ends) = crate::site::app(&channels, |bots| bots);
    let server = TestServer::new(app).receive_timeout(Duration::from_secs(30));
    let mut members = Vec::new();
    for _ in 0..6 {
        members.push(server.connect("/ws/lobby").await);
    }
    let talk = members.iter_mut().zip(0..).map(|(member, who)| async move {
        for n in 0..50 {
            member.send(&Ask::Say { text: format!("{who}: {n}") }).await;
        }
    });
    futures_util::future::join_all(talk).await;
    let mut order: Vec<Msg> = Vec::new();
    for _ in 0..6 * 50 {
        order.push(members[0].receive().await);
    }
    for member in &mut members[1..] {
        for msg in &order {
            member.expect(msg).await;
        }
    }
    for who in 0..6 {
        let places = (0..50).map(|n| order.iter().position(|msg| *msg == said(&format!("{who}: {n}"))));
        assert!(places.is_sorted());
    }
}

/// Joins, then reads how far the numbers are.
struct Latecomer;

impl Consumer for Latecomer {
    type Scope = Extension<Arc<AtomicU64>>;
    type In = Value;
    type Out = Msg;
    type Event = NoEvent;
    async fn connect(last: Self::Scope, conn: &mut Connection<Self>) -> Result<Self, Reject> {
        conn.join(&room("numbers")).await?;
        conn.send(&number(last.0.load(Ordering::SeqCst), 0))?;
        Ok(Self)
    }
    async fn receive(&mut self, _: Value, _: &mut Connection<Self>) -> Result<(), Close> {
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn to_join_and_then_read_the_state_has_no_gap_while_messages_rain() {
    const LAST: u64 = 3000;
    let channels = Channels::builder().shards(2).build();
    let last = Arc::new(AtomicU64::new(0));
    let app = Router::new().route("/", channels.consumer::<Latecomer>().route());
    let server = TestServer::new(app.layer(Extension(last.clone()))).receive_timeout(Duration::from_secs(30));
    let rain = tokio::spawn(async move {
        for n in 1..=LAST {
            last.store(n, Ordering::SeqCst);
            channels.broadcast(&room("numbers"), &number(n, 0)).await.unwrap();
            tokio::task::yield_now().await;
        }
    });
    let mut clients = Vec::new();
    while !rain.is_finished() && clients.len() < 200 {
        clients.push(server.connect("/").await);
    }
    rain.await.unwrap();
    for mut client in clients {
        let mut seen = 0;
        while seen < LAST {
            let Msg::Number { n, .. } = client.receive().await else { panic!("not a number") };
            assert!(seen == 0 || n <= seen + 1, "{n} came after {seen}");
            seen = seen.max(n);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn joined_messages_go_to_the_client_and_listened_ones_to_the_consumer() {
    let channels = node(MemoryLayer::new());
    let mut ada = visitors(&channels).connect("/").await;
    does(&mut ada, "join hall", "ok").await;
    does(&mut ada, "listen attic", "ok").await;
    channels.broadcast(&room("hall"), &said("hi")).await.unwrap();
    ada.expect(&json!({ "joined": said("hi") })).await;
    channels.broadcast(&room("attic"), &said("ho")).await.unwrap();
    ada.expect(&json!({ "listened": said("ho") })).await;
}

#[tokio::test(start_paused = true)]
async fn who_left_gets_nothing_more_and_leaves_only_once() {
    let channels = node(MemoryLayer::new());
    let mut ada = visitors(&channels).connect("/").await;
    for enter in ["join", "listen"] {
        does(&mut ada, &format!("{enter} hall"), "ok").await;
        does(&mut ada, "leave hall", true).await;
        does(&mut ada, "leave hall", false).await;
        channels.broadcast(&room("hall"), &said("hi")).await.unwrap();
        ada.expect_nothing().await;
    }
    assert_eq!(channels.stats().delivered, 0);
}

#[tokio::test(start_paused = true)]
async fn joining_twice_delivers_once_and_to_listen_beside_it_once_more() {
    let channels = node(MemoryLayer::new());
    let mut ada = visitors(&channels).connect("/").await;
    does(&mut ada, "join hall", "ok").await;
    does(&mut ada, "join hall", "ok").await;
    channels.broadcast(&room("hall"), &said("hi")).await.unwrap();
    ada.expect(&json!({ "joined": said("hi") })).await;
    ada.expect_nothing().await;
    does(&mut ada, "listen hall", "ok").await;
    does(&mut ada, "listen hall", "ok").await;
    channels.broadcast(&room("hall"), &said("ho")).await.unwrap();
    ada.expect(&json!({ "joined": said("ho") })).await;
    ada.expect(&json!({ "listened": said("ho") })).await;
    ada.expect_nothing().await;
    does(&mut ada, "leave hall", true).await;
    channels.broadcast(&room("hall"), &said("he")).await.unwrap();
    ada.expect_nothing().await;
}

#[tokio::test(start_paused = true)]
async fn a_connection_is_in_no_more_groups_than_its_limit() {
    let limits = Limits::default().max_groups(2);
    let layer = GatedLayer::open();
    let channels = Channels::builder().layer(layer.clone()).limits(limits).on_this_thread().build();
    let mut ada = visitors(&channels).connect("/").await;
    does(&mut ada, "join a", "ok").await;
    does(&mut ada, "listen b", "ok").await;
    does(&mut ada, "join c", "a connection can be in 2 groups at the most").await;
    // What it is in already costs nothing more.
    does(&mut ada, "join a", "ok").await;
    does(&mut ada, "leave b", true).await;
    does(&mut ada, "join c", "ok").await;
    layer.subscriptions(2).await;
}

#[tokio::test(start_paused = true)]
async fn a_channel_reaches_one_connection_until_it_ends() {
    let layer = GatedLayer::open();
    let channels = node(layer.clone());
    let server = visitors(&channels);
    let (mut ada, mut bob) = (server.connect("/").await, server.connect("/").await);
    let mut addresses: Vec<Channel<Msg>> = Vec::new();
    for client in [&mut ada, &mut bob] {
        client.send(&json!({"do": "channel"})).await;
        addresses.push(client.receive().await);
    }
    assert_ne!(addresses[0], addresses[1]);
    channels.send(&addresses[0], &said("psst")).await.unwrap();
    ada.expect(&json!({ "listened": said("psst") })).await;
    bob.expect_nothing().await;
    drop(ada);
    layer.subscriptions(1).await;
    channels.send(&addresses[0], &said("gone?")).await.unwrap();
    bob.expect_nothing().await;
    assert_eq!(channels.stats().delivered, 1);
}

/// A device of the user whom the request carries.
struct Device;

#[derive(Clone)]
struct User(&'static str);

impl Consumer for Device {
    type Scope = Extension<User>;
    type In = Value;
    type Out = Msg;
    type Event = NoEvent;
    async fn connect(user: Self::Scope, conn: &mut Connection<Self>) -> Result<Self, Reject> {
        conn.join(&Group::<Msg>::inbox(user.0.0)).await?;
        conn.join(&Group::<Msg>::everyone()).await?;
        Ok(Self)
    }
    async fn receive(&mut self, _: Value, _: &mut Connection<Self>) -> Result<(), Close> {
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn an_inbox_reaches_every_device_of_its_user_and_nobody_else_but_everyone_is_all() {
    let channels = node(MemoryLayer::new());
    let server = TestServer::new(Router::new().route("/", channels.consumer::<Device>().route()));
    let device = |user| server.connect_request("/").extension(User(user)).connect();
    let (mut phone, mut laptop) = (device("ada & co").await, device("ada & co").await);
    let mut other = device("ada").await;
    channels.broadcast(&Group::inbox("ada & co"), &said("your post got a comment")).await.unwrap();
    phone.expect(&said("your post got a comment")).await;
    laptop.expect(&said("your post got a comment")).await;
    other.expect_nothing().await;
    channels.broadcast(&Group::everyone(), &said("tea is ready")).await.unwrap();
    for client in [&mut phone, &mut laptop, &mut other] {
        client.expect(&said("tea is ready")).await;
    }
}

#[tokio::test(start_paused = true)]
async fn two_nodes_on_one_layer_are_one_chat() {
    let layer = MemoryLayer::new();
    let (one, two) = (node(layer.another_node()), node(layer));
    let (mut ada, mut bob) = (visitors(&one).connect("/").await, visitors(&two).connect("/").await);
    does(&mut ada, "join hall", "ok").await;
    does(&mut bob, "join hall", "ok").await;
    for (n, from) in [&one, &two].into_iter().enumerate() {
        from.broadcast(&room("hall"), &number(n as u64, 0)).await.unwrap();
        ada.expect(&json!({ "joined": number(n as u64, 0) })).await;
        bob.expect(&json!({ "joined": number(n as u64, 0) })).await;
    }
    assert_eq!((one.stats().delivered, two.stats().delivered), (2, 2));
}

#[tokio::test(start_paused = true)]
async fn a_message_that_is_not_its_groups_type_is_skipped_and_counted() {
    let channels = node(MemoryLayer::new());
    let mut ada = visitors(&channels).connect("/").await;
    does(&mut ada, "join hall", "ok").await;
    does(&mut ada, "listen attic", "ok").await;
    for (n, name) in [(1, "hall"), (2, "attic")] {
        let same_name = Group::<Value>::new(room(name).name()).unwrap();
        channels.broadcast(&same_name, &json!({"type": "from the future"})).await.unwrap();
        ada.expect_nothing().await;
        assert_eq!(channels.stats().dropped(DropReason::Undecodable), n);
    }
    channels.broadcast(&room("hall"), &said("hi")).await.unwrap();
    ada.expect(&json!({ "joined": said("hi") })).await;
}

#[tokio::test(start_paused = true)]
async fn a_join_returns_only_when_the_layer_has_promised_delivery() {
    let layer = GatedLayer::closed();
    let channels = node(layer.clone());
    let server = visitors(&channels);
    let (mut ada, mut bob) = (server.connect("/").await, server.connect("/").await);
    for client in [&mut ada, &mut bob] {
        client.send(&json!({"do": "join", "room": "hall"})).await;
        client.expect_nothing().await;
    }
    layer.gate.add_permits(1);
    for client in [&mut ada, &mut bob] {
        client.expect(&"ok").await;
    }
    assert_eq!(layer.calls().len(), 1, "one subscription serves both");
}

#[tokio::test(start_paused = true)]
async fn a_client_that_goes_away_while_it_joins_leaves_nothing_behind() {
    let layer = GatedLayer::closed();
    let channels = node(layer.clone());
    let mut ada = visitors(&channels).connect("/").await;
    ada.send(&json!({"do": "join", "room": "hall"})).await;
    while layer.calls().is_empty() {
        tokio::task::yield_now().await;
    }
    // The handler waits for the layer: a ping that cannot be written shows the end, and then it has a last while.
    drop(ada);
    while channels.stats().connections > 0 {
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    layer.gate.add_permits(1);
    layer.subscriptions(0).await;
    while layer.calls().len() < 2 {
        tokio::task::yield_now().await;
    }
    let topic = room("hall").topic();
    assert_eq!(layer.calls(), [format!("subscribe to {topic}"), format!("unsubscribe from {topic}")]);
    channels.broadcast(&room("hall"), &said("anyone?")).await.unwrap();
    tokio::task::yield_now().await;
    assert_eq!(channels.stats().delivered, 0);
}

#[tokio::test(start_paused = true)]
async fn a_connect_dropped_while_it_joins_leaves_nothing_behind() {
    let layer = GatedLayer::closed();
    let mut site = Site::with(|node| node.layer(layer.clone()), |bots| bots);
    let connecting = tokio::spawn(site.server.connect("/ws/lobby"));
    while layer.calls().is_empty() {
        tokio::task::yield_now().await;
    }
    connecting.abort();
    while site.channels.stats().connections > 0 {
        tokio::task::yield_now().await;
    }
    layer.gate.add_permits(1);
    while layer.calls().len() < 2 {
        tokio::task::yield_now().await;
    }
    layer.subscriptions(0).await;
    layer.gate.add_permits(10);
    assert_eq!(site.members("lobby").await, 0);
    site.no_further_end().await;
}

#[tokio::test(start_paused = true)]
async fn a_layer_that_does_not_subscribe_refuses_the_handshake_with_503_and_may_work_later() {
    let layer = GatedLayer::open();
    let site = Site::with(|node| node.layer(layer.clone()), |bots| bots);
    layer.fails.store(true, Ordering::Relaxed);
    let refused = site.server.connect_request("/ws/lobby").try_connect().await.unwrap_err();
    assert_eq!(refused.status().as_u16(), 503);
    layer.fails.store(false, Ordering::Relaxed);
    let mut ada = site.connect().await;
    ada.send(&ask_say("hi")).await;
    ada.expect(&said("hi")).await;
    assert_eq!(site.members("lobby").await, 1);
}

#[tokio::test(start_paused = true)]
async fn a_join_that_failed_is_no_membership_once_the_layer_works_again() {
    let layer = GatedLayer::open();
    let channels = node(layer.clone());
    let server = visitors(&channels);
    let (mut ada, mut bob) = (server.connect("/").await, server.connect("/").await);
    layer.fails.store(true, Ordering::Relaxed);
    for enter in ["join hall", "listen hall"] {
        does(&mut ada, enter, "the channel layer did not subscribe").await;
    }
    layer.fails.store(false, Ordering::Relaxed);
    does(&mut bob, "join hall", "ok").await;
    channels.broadcast(&room("hall"), &said("hi")).await.unwrap();
    bob.expect(&json!({ "joined": said("hi") })).await;
    ada.expect_nothing().await;
    assert_eq!(channels.stats().delivered, 1);
    does(&mut ada, "leave hall", false).await;
}

#[tokio::test(start_paused = true)]
async fn a_gap_of_the_layer_is_told_to_those_who_asked() {
    let layer = GatedLayer::open();
    let channels = node(layer.clone());
    let server = visitors(&channels);
    let (mut ada, mut bob) = (server.connect("/").await, server.connect("/").await);
    does(&mut ada, "gaps", ()).await;
    does(&mut ada, "join hall", "ok").await;
    does(&mut bob, "join hall", "ok").await;
    let inbound = layer.inbound.get().unwrap();
    inbound.gap(None, Gap::Reconnected);
    ada.expect(&json!({"gap": "the channel layer was away"})).await;
    inbound.gap(Some(&room("hall").topic()), Gap::Overflow);
    ada.expect(&json!({"gap": "more messages arrived than could be taken"})).await;
    inbound.gap(Some(&room("attic").topic()), Gap::Overflow);
    ada.expect_nothing().await;
    bob.expect_nothing().await;
}
