//! How consumers fare on a layer that fails, and that the layer fails as it is told.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use narrows::layer::MemoryLayer;
use narrows::testing::{Faults, FaultyLayer};
use narrows::{
    Channels, Close, Connection, Consumer, Gap, Group, Inbound, JoinError, LayerError, Reject, Text, Topic,
};
use narrows_core::{ChannelLayer, Receive};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

#[derive(serde::Serialize, serde::Deserialize)]
struct Note {
    number: u32,
}

/// Tells its client what it met with, and joins or broadcasts when asked to.
struct Reporter;

enum News {
    Gap(Gap),
}

impl From<Gap> for News {
    fn from(gap: Gap) -> Self {
        Self::Gap(gap)
    }
}

struct Out(String);

impl narrows::codec::Outgoing for Out {
    fn encode(
        &self,
        _: narrows::Codec,
        out: &mut Vec<u8>,
    ) -> Result<narrows::codec::PayloadKind, narrows::codec::EncodeError> {
        out.extend_from_slice(self.0.as_bytes());
        Ok(narrows::codec::PayloadKind::Text)
    }
}

impl From<Note> for Out {
    fn from(note: Note) -> Self {
        Self(format!("note {}", note.number))
    }
}

fn room() -> Group<Note> {
    Group::new("room").unwrap()
}

impl Consumer for Reporter {
    type Scope = ();
    type In = Text;
    type Out = Out;
    type Event = News;

    async fn connect((): (), conn: &mut Connection<Self>) -> Result<Self, Reject> {
        conn.listen_gaps().await;
        Ok(Self)
    }

    async fn receive(&mut self, Text(asked): Text, conn: &mut Connection<Self>) -> Result<(), Close> {
        let answer = match asked.as_str() {
            "join" => match conn.join(&room()).await {
                Ok(()) => "joined".to_owned(),
                Err(JoinError::Layer(error)) => format!("not joined: {error}"),
                Err(other) => panic!("another error: {other}"),
            },
            _ => match conn.broadcast(&room(), &Note { number: 7 }).await {
                Ok(()) => "sent".to_owned(),
                Err(error) => format!("not sent: {error}"),
            },
        };
        Ok(conn.send(&Out(answer))?)
    }

    async fn event(&mut self, News::Gap(gap): News, conn: &mut Connection<Self>) -> Result<(), Close> {
        Ok(conn.send(&Out(format!("gap: {gap}")))?)
    }
}

struct Client(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Client {
    async fn ask(&mut self, text: &str) -> String {
        self.0.send(Message::text(text)).await.unwrap();
        self.next().await
    }

    async fn next(&mut self) -> String {
        self.0.next().await.unwrap().unwrap().into_text().unwrap().to_string()
    }
}

async fn site() -> (Client, Faults, Channels) {
    let layer = FaultyLayer::new(MemoryLayer::new());
    let faults = layer.faults();
    let channels = Channels::builder().layer(layer).on_this_thread().build();
    let app = axum::Router::new().route("/ws", channels.consumer::<Reporter>().route());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/ws", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await });
    let (socket, _) = tokio_tungstenite::connect_async(url).await.unwrap();
    (Client(socket), faults, channels)
}

#[tokio::test]
async fn a_consumer_that_asked_for_gaps_is_told_when_the_layer_comes_back() {
    let (mut client, faults, _channels) = site().await;
    assert_eq!(client.ask("join").await, "joined");
    faults.disconnect();
    faults.reconnect();
    assert_eq!(client.next().await, "gap: the channel layer was away");
}

#[tokio::test]
async fn a_broadcast_answers_with_an_error_while_the_layer_is_away() {
    let (mut client, faults, channels) = site().await;
    faults.disconnect();
    assert_eq!(client.ask("send").await, "not sent: the channel layer is unavailable");
    assert!(channels.broadcast(&room(), &Note { number: 1 }).await.is_err());
    faults.reconnect();
    assert_eq!(client.next().await, "gap: the channel layer was away");
    assert_eq!(client.ask("send").await, "sent");
}

#[tokio::test]
async fn a_join_fails_while_the_layer_is_away_and_succeeds_after() {
    let (mut client, faults, channels) = site().await;
    faults.disconnect();
    assert_eq!(client.ask("join").await, "not joined: the channel layer is unavailable");
    faults.heal();
    assert_eq!(client.next().await, "gap: the channel layer was away");
    assert_eq!(client.ask("join").await, "joined");
    channels.broadcast(&room(), &Note { number: 2 }).await.unwrap();
    assert_eq!(client.next().await, "note 2");
    assert_eq!((faults.counts().refused, faults.counts().delivered), (1, 1));
}

/// A layer on its own, with what reached its node.
struct Bench {
    layer: FaultyLayer<MemoryLayer>,
    faults: Faults,
    topic: Topic,
    arrived: Arc<Mutex<Vec<u8>>>,
}

struct Recorder(Arc<Mutex<Vec<u8>>>);

impl Receive for Recorder {
    fn deliver(&self, _: &Topic, payload: Bytes) {
        self.0.lock().unwrap().push(payload[0]);
    }
    fn gap(&self, _: Option<&Topic>, _: Gap) {
        self.0.lock().unwrap().push(b'!');
    }
}

impl Bench {
    async fn new(seed: u64) -> Self {
        let layer = FaultyLayer::seeded(MemoryLayer::new(), seed);
        let (faults, topic, arrived) = (layer.faults(), room().topic(), Arc::default());
        layer.start(Inbound::new(Recorder(Arc::clone(&arrived))));
        layer.subscribe(&topic).await.unwrap();
        Self { layer, faults, topic, arrived }
    }

    async fn publish(&self, text: &str) {
        for byte in text.bytes() {
            self.layer.publish(&self.topic, vec![byte].into()).await.unwrap();
        }
    }

    fn arrived(&self) -> String {
        String::from_utf8(std::mem::take(&mut self.arrived.lock().unwrap())).unwrap()
    }
}

#[tokio::test]
async fn messages_are_dropped_as_told_and_counted() {
    let bench = Bench::new(1).await;
    bench.faults.drop_next(2);
    bench.publish("abcd").await;
    bench.faults.drop_every(3);
    bench.publish("efghij").await;
    bench.faults.drop_every(0);
    bench.faults.drop_if(|topic, payload| topic.name() == "room" && payload == b"l");
    bench.publish("klm").await;
    assert_eq!(bench.arrived(), "cdefhikm");
    assert_eq!((bench.faults.counts().dropped, bench.faults.counts().delivered), (5, 8));
}

#[tokio::test]
async fn messages_are_swapped_as_told_and_healing_lets_the_last_go() {
    let bench = Bench::new(1).await;
    bench.faults.swap_next(2);
    bench.publish("abcde").await;
    assert_eq!(bench.arrived(), "badce");
    bench.faults.swap_next(1);
    bench.publish("f").await;
    assert_eq!(bench.arrived(), "");
    bench.faults.heal();
    bench.publish("g").await;
    assert_eq!((bench.arrived(), bench.faults.counts().swapped), ("fg".to_owned(), 2));
}

#[tokio::test]
async fn chance_is_the_same_for_the_same_seed() {
    let mut runs = Vec::new();
    for seed in [3, 3, 4] {
        let bench = Bench::new(seed).await;
        bench.faults.drop_at_random(0.3);
        bench.faults.swap_at_random(0.3);
        bench.publish("abcdefghijklmnopqrstuvwxyz").await;
        let counts = bench.faults.counts();
        assert!((3..15).contains(&counts.dropped) && counts.swapped > 2, "{counts:?}");
        runs.push(bench.arrived());
    }
    assert_eq!(runs[0], runs[1]);
    assert_ne!(runs[0], runs[2]);
}

#[tokio::test(start_paused = true)]
async fn messages_come_late_in_their_order_by_a_paused_clock() {
    let bench = Bench::new(1).await;
    bench.faults.delay(Duration::from_secs(60));
    bench.publish("ab").await;
    bench.faults.delay(Duration::ZERO);
    bench.publish("c").await;
    tokio::time::sleep(Duration::from_secs(59)).await;
    assert_eq!(bench.arrived(), "");
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!((bench.arrived(), bench.faults.counts().delayed), ("abc".to_owned(), 3));
    bench.publish("d").await;
    assert_eq!(bench.arrived(), "d");
}

#[tokio::test]
async fn without_a_link_calls_are_refused_and_what_others_publish_is_lost() {
    let within = MemoryLayer::new();
    let other = within.another_node();
    let bench = Bench { layer: FaultyLayer::new(within), ..Bench::new(1).await };
    let bench = Bench { faults: bench.layer.faults(), ..bench };
    bench.layer.start(Inbound::new(Recorder(bench.arrived.clone())));
    bench.layer.subscribe(&bench.topic).await.unwrap();
    bench.faults.disconnect();
    other.publish(&bench.topic, Bytes::from_static(b"a")).await.unwrap();
    let refused = bench.layer.publish(&bench.topic, Bytes::from_static(b"b")).await;
    assert!(matches!(refused, Err(LayerError::Unavailable(_))));
    assert!(bench.layer.unsubscribe(&bench.topic).await.is_err());
    bench.faults.reconnect();
    bench.layer.subscribe(&bench.topic).await.unwrap();
    bench.publish("c").await;
    assert_eq!(bench.arrived(), "!c");
}
