use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use axum::{Extension, Router};
use http::{HeaderName, HeaderValue};
use narrows::{
    BlockingConnection, BlockingConsumer, Channel, Channels, Close, Connection, Consumer, Disconnect, Group,
    JoinError, Limits, NoEvent, Reject, Text,
};
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;

use crate::real_site::{Client, Site, answer_to_handshake};

/// What the handlers of a test wait for, and how they report.
#[derive(Clone)]
struct Bench {
    gate: Arc<(Mutex<bool>, Condvar)>,
    log: mpsc::UnboundedSender<String>,
    running: Arc<AtomicUsize>,
}

impl Bench {
    fn new() -> (Self, mpsc::UnboundedReceiver<String>) {
        let (log, logged) = mpsc::unbounded_channel();
        (Self { gate: Arc::default(), log, running: Arc::default() }, logged)
    }

    fn wait(&self) {
        let open = self.gate.0.lock().unwrap();
        drop(self.gate.1.wait_while(open, |open| !*open).unwrap());
    }

    fn open(&self) {
        *self.gate.0.lock().unwrap() = true;
        self.gate.1.notify_all();
    }

    fn log(&self, line: impl Into<String>) {
        self.log.send(line.into()).unwrap();
    }

    async fn site(&self, limits: Limits) -> (Site, Channels) {
        let channels = Channels::builder().shards(1).limits(limits).build();
        let app = Router::new()
            .route("/block", channels.blocking_consumer::<Worker>().route())
            .route("/slow", channels.blocking_consumer::<SlowToAccept>().route())
            .route("/all", channels.blocking_consumer::<Everything>().subprotocols(["b"]).route())
            .route("/echo", channels.consumer::<Echo>().route())
            .layer(Extension(self.clone()));
        (Site::start(app, &channels).await, channels)
    }
}

struct Echo;

impl Consumer for Echo {
    type Scope = ();
    type In = Text;
    type Out = Text;
    type Event = NoEvent;

    async fn connect((): (), _: &mut Connection<Self>) -> Result<Self, Reject> {
        Ok(Self)
    }

    async fn receive(&mut self, msg: Text, conn: &mut Connection<Self>) -> Result<(), Close> {
        Ok(conn.send(&msg)?)
    }
}

struct Worker {
    bench: Bench,
    handled: usize,
}

impl BlockingConsumer for Worker {
    type Scope = Extension<Bench>;
    type In = Text;
    type Out = Text;
    type Event = NoEvent;

    fn connect(Extension(bench): Self::Scope, _: &mut BlockingConnection<Self>) -> Result<Self, Reject> {
        Ok(Self { bench, handled: 0 })
    }

    fn receive(&mut self, Text(said): Text, conn: &mut BlockingConnection<Self>) -> Result<(), Close> {
        let others = self.bench.running.fetch_add(1, Ordering::SeqCst);
        self.handled += 1;
        match said.as_str() {
            "wait" => {
                conn.send(&Text("waiting".into()))?;
                self.bench.wait();
                conn.send(&Text("done".into()))?;
                self.bench.log("handled");
            }
            "panic" => panic!("as the test asks"),
            "close" => return Err(Close::with(4001, "as asked")),
            said => conn.send(&Text(format!("{said} beside {others}")))?,
        }
        self.bench.running.fetch_sub(1, Ordering::SeqCst);
        Ok(())
    }

    fn disconnect(self, end: Disconnect, conn: &mut BlockingConnection<Self>) {
        let refused = conn.send(&Text("too late".into())).is_err();
        self.bench.log(format!("{:?} {} after {}, refused: {refused}", end.cause, end.code, self.handled));
    }
}

#[tokio::test]
async fn twenty_blocked_handlers_delay_no_async_consumer_of_their_shard() {
    let (bench, _logged) = Bench::new();
    let (site, _) = bench.site(Limits::default()).await;
    let mut blocked = Vec::new();
    for _ in 0..20 {
        let mut client = site.connect("/block", &[]).await;
        client.say("wait").await;
        assert_eq!(client.hear().await, "waiting");
        blocked.push(client);
    }
    let mut echo = site.connect("/echo", &[]).await;
    echo.say("hello").await;
    assert_eq!(echo.hear().await, "hello");
    // Only now can any of them go on.
    bench.open();
    for client in &mut blocked {
        assert_eq!(client.hear().await, "done");
    }
}

#[tokio::test]
async fn handlers_of_one_connection_keep_its_order_and_never_overlap() {
    let (bench, _logged) = Bench::new();
    let (site, _) = bench.site(Limits::default()).await;
    let mut client = site.connect("/block", &[]).await;
    for n in 0..100 {
        client.say(&n.to_string()).await;
    }
    for n in 0..100 {
        assert_eq!(client.hear().await, format!("{n} beside 0"));
    }
}

#[tokio::test]
async fn a_panic_closes_with_1011_and_disconnect_still_gets_the_value() {
    let (bench, mut logged) = Bench::new();
    let (site, _) = bench.site(Limits::default()).await;
    let mut client = site.connect("/block", &[]).await;
    client.say("one").await;
    assert_eq!(client.hear().await, "one beside 0");
    client.say("panic").await;
    assert_eq!(client.close_code().await, 1011);
    assert_eq!(logged.recv().await.unwrap(), "Panicked 1011 after 2, refused: true");
}

#[tokio::test]
async fn a_close_of_a_handler_and_one_of_the_client_reach_disconnect() {
    let (bench, mut logged) = Bench::new();
    let (site, _) = bench.site(Limits::default()).await;
    let mut client = site.connect("/block", &[]).await;
    client.say("close").await;
    assert_eq!(client.close_code().await, 4001);
    assert_eq!(logged.recv().await.unwrap(), "Closed 4001 after 1, refused: true");
    drop(site.connect("/block", &[]).await);
    assert_eq!(logged.recv().await.unwrap(), "Lost 1006 after 0, refused: true");
}

#[tokio::test]
async fn a_drain_waits_for_the_handler_that_runs() {
    let (bench, mut logged) = Bench::new();
    let (site, channels) = bench.site(Limits::default()).await;
    let mut client = site.connect("/block", &[]).await;
    client.say("wait").await;
    assert_eq!(client.hear().await, "waiting");
    let stopping = tokio::spawn(site.stop());
    while !channels.is_draining() {
        tokio::task::yield_now().await;
    }
    assert!(!stopping.is_finished());
    bench.open();
    assert_eq!(client.hear().await, "done");
    assert_eq!(client.close_code().await, 1012);
    stopping.await.unwrap();
    assert_eq!(logged.try_recv().unwrap(), "handled");
    assert_eq!(logged.try_recv().unwrap(), "Drain 1012 after 1, refused: true");
}

#[tokio::test]
async fn disconnect_waits_for_a_handler_that_outlives_its_connection() {
    let (bench, mut logged) = Bench::new();
    let short = Duration::from_millis(20);
    let (site, channels) = bench.site(Limits::default().idle_timeout(short).disconnect_timeout(short)).await;
    let mut client = site.connect("/block", &[]).await;
    client.say("wait").await;
    assert_eq!(client.hear().await, "waiting");
    // The connection is given up while its handler still runs.
    assert_eq!(client.close_code().await, 1000);
    drop(client);
    while channels.stats().connections > 0 {
        tokio::task::yield_now().await;
    }
    assert!(logged.try_recv().is_err());
    bench.open();
    // What the handler sends is refused, which ends it before it can log.
    assert_eq!(logged.recv().await.unwrap(), "Idle 1000 after 1, refused: true");
}

/// Says when it is dropped without having been a connection's.
struct SlowToAccept(Bench);

impl BlockingConsumer for SlowToAccept {
    type Scope = Extension<Bench>;
    type In = Text;
    type Out = Note;
    type Event = NoEvent;

    fn connect(Extension(bench): Self::Scope, conn: &mut BlockingConnection<Self>) -> Result<Self, Reject> {
        bench.log("connecting");
        bench.wait();
        let joined = conn.join(&Group::<Note>::new("room")?);
        bench.log(format!("closed: {}", matches!(joined, Err(JoinError::Closed))));
        Ok(Self(bench))
    }

    fn receive(&mut self, _: Text, _: &mut BlockingConnection<Self>) -> Result<(), Close> {
        Ok(())
    }

    fn disconnect(self, _: Disconnect, _: &mut BlockingConnection<Self>) {
        self.0.log("disconnect");
    }
}

impl Drop for SlowToAccept {
    fn drop(&mut self) {
        self.0.log("dropped");
    }
}

#[tokio::test]
async fn a_handshake_that_its_client_gave_up_leaves_nothing_behind() {
    let (bench, mut logged) = Bench::new();
    let (site, channels) = bench.site(Limits::default()).await;
    let stream = site.tcp().await;
    let handshake = tokio::spawn(Client::over(stream, "/slow", &[]));
    assert_eq!(logged.recv().await.unwrap(), "connecting");
    handshake.abort();
    while channels.stats().connections > 0 {
        tokio::task::yield_now().await;
    }
    bench.open();
    assert_eq!(logged.recv().await.unwrap(), "closed: true");
    assert_eq!(logged.recv().await.unwrap(), "dropped");
}

#[tokio::test]
async fn a_handshake_that_takes_too_long_is_answered_all_the_same() {
    let (bench, mut logged) = Bench::new();
    let (site, _) = bench.site(Limits::default().connect_timeout(Duration::from_millis(20))).await;
    assert_eq!(Client::over(site.tcp().await, "/slow", &[]).await.err(), Some(503));
    bench.open();
    for line in ["connecting", "closed: true", "dropped"] {
        assert_eq!(logged.recv().await.unwrap(), line);
    }
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Note {
    Said { text: String },
    Rang { times: u32 },
}

/// Uses all of its connection.
struct Everything {
    room: Group<Note>,
    inbox: Channel<Note>,
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Command {
    Broadcast,
    Listen,
    Leave,
    Whisper,
    Ring,
    Async,
}

impl BlockingConsumer for Everything {
    type Scope = ();
    type In = Command;
    type Out = Note;
    type Event = Note;

    fn connect((): (), conn: &mut BlockingConnection<Self>) -> Result<Self, Reject> {
        if conn.offered_subprotocols() == ["panic"] {
            panic!("as the test asks");
        }
        assert!(!conn.select_subprotocol("c"));
        conn.select_subprotocol("a");
        conn.response_header(HeaderName::from_static("x-told"), HeaderValue::from_static("yes"));
        let room = Group::new("room")?;
        conn.join(&room)?;
        Ok(Self { room, inbox: conn.channel()? })
    }

    fn receive(&mut self, msg: Command, conn: &mut BlockingConnection<Self>) -> Result<(), Close> {
        let said = |text: &str| Note::Said { text: text.into() };
        match msg {
            Command::Broadcast => conn.broadcast(&self.room, &said("to all"))?,
            Command::Listen => conn.listen(&self.room)?,
            Command::Leave => {
                let (left, open) = (conn.leave(&self.room), conn.is_open());
                conn.send(&said(&format!("left: {left}, open: {open}")))?;
            }
            Command::Whisper => {
                let (channels, inbox) = (conn.channels().clone(), self.inbox.clone());
                conn.block_on(async { channels.send(&inbox, &said("to me")).await })?;
            }
            Command::Ring => {
                let never = conn.after(Duration::from_millis(1), Note::Rang { times: 9 });
                conn.cancel(never);
                let mut times = 0;
                conn.every(Duration::from_millis(1), move || {
                    times += 1;
                    Note::Rang { times }
                });
            }
            Command::Async => {
                // Timers of the runtime turn while it is blocked.
                conn.block_on(tokio::time::sleep(Duration::from_millis(1)));
                conn.send(&said("slept"))?;
            }
        }
        Ok(())
    }

    fn event(&mut self, event: Note, conn: &mut BlockingConnection<Self>) -> Result<(), Close> {
        match event {
            Note::Said { text } => Ok(conn.send(&Note::Said { text: format!("heard {text}") })?),
            Note::Rang { times: 2 } => Err(Close::with(4002, "rang")),
            rang => Ok(conn.send(&rang)?),
        }
    }
}

#[tokio::test]
async fn a_blocking_consumer_does_all_that_an_async_one_does() {
    let (bench, _logged) = Bench::new();
    let (site, _) = bench.site(Limits::default()).await;
    let headers = [("sec-websocket-protocol", "a, b")];
    let mut client = site.connect("/all", &headers).await;
    let mut ask = async |command: &str, answers: &[&str]| {
        client.say(&format!(r#"{{"type":"{command}"}}"#)).await;
        for answer in answers {
            assert_eq!(client.hear_json().await["text"], **answer, "{command}");
        }
    };
    ask("broadcast", &["to all"]).await;
    ask("whisper", &["heard to me"]).await;
    ask("leave", &["left: true, open: true"]).await;
    ask("leave", &["left: false, open: true"]).await;
    ask("listen", &[]).await;
    ask("broadcast", &["heard to all"]).await;
    ask("async", &["slept"]).await;
    client.say("nonsense").await;
    assert_eq!(client.hear_json().await["code"], "malformed");
    client.say(r#"{"type":"ring"}"#).await;
    assert_eq!(client.hear_json().await["times"], 1);
    assert_eq!(client.close_code().await, 4002);
}

#[tokio::test]
async fn a_blocking_consumer_says_what_stands_in_the_answer_to_its_handshake() {
    let (bench, _logged) = Bench::new();
    let (site, channels) = bench.site(Limits::default()).await;
    let offered = [("sec-websocket-protocol", "b, a")];
    let answer = answer_to_handshake(site.tcp().await, "/all", &offered).await;
    assert_eq!(answer["sec-websocket-protocol"], "a");
    assert_eq!(answer["x-told"], "yes");
    let panicked = Client::over(site.tcp().await, "/all", &[("sec-websocket-protocol", "panic")]).await;
    assert_eq!(panicked.err(), Some(500));
    assert_eq!(channels.stats().accepted, 1);
}
