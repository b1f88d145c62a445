use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use axum::Router;
use axum::extract::Query;
use axum::response::Html;
use axum::routing::get;
use narrows::layer::MemoryLayer;
use narrows::serve::Server;
use narrows::serve::settings::Settings;
use narrows::{
    Channels, Close, Connection, Consumer, Group, History, Limits, NoEvent, Presence, PresenceDiff, Reject,
    Resume, client,
};
use rig::Proxy;
use serde::{Deserialize, Serialize};
use socket2::{Domain, Socket, Type};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// A server that can be stopped and started again on its port, and a link to it that can be broken.
pub(super) struct Site {
    layer: MemoryLayer,
    port: u16,
    /// Bound to the port and never listening: while the server is away, nobody else gets it.
    _kept: Socket,
    running: Option<(oneshot::Sender<()>, JoinHandle<()>)>,
    pub(super) channels: Channels,
    pub(super) proxy: Proxy,
}

impl Site {
    pub(super) async fn start() -> Self {
        let layer = MemoryLayer::new();
        let (kept, port) = keep_a_port();
        let (channels, running) = serve(&layer, port).await;
        Self { layer, port, _kept: kept, running: Some(running), channels, proxy: Proxy::to_port(port) }
    }

    /// Drains the server, as a deploy does. The channel layer stays, as Redis would.
    pub(super) async fn stop(&mut self) {
        let (end, running) = self.running.take().expect("it runs");
        end.send(()).unwrap();
        running.await.unwrap();
    }

    /// Starts a server on the same port.
    pub(super) async fn start_again(&mut self) {
        let (channels, running) = serve(&self.layer, self.port).await;
        self.channels = channels;
        self.running = Some(running);
    }

    /// A node without clients.
    pub(super) fn another_node(&self) -> Channels {
        Channels::builder().layer(self.layer.another_node()).shards(1).build()
    }

    /// The address of something, over the link.
    pub(super) fn address(&self, scheme: &str, path: &str) -> String {
        format!("{scheme}://127.0.0.1:{}{path}", self.proxy.port())
    }
}

fn keep_a_port() -> (Socket, u16) {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.set_reuse_address(true).unwrap();
    socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into()).unwrap();
    let port = socket.local_addr().unwrap().as_socket().unwrap().port();
    (socket, port)
}

async fn serve(layer: &MemoryLayer, port: u16) -> (Channels, (oneshot::Sender<()>, JoinHandle<()>)) {
    // Short, so that a client finds out within a test that a link is dead.
    let limits = Limits::default().ping_interval(Duration::from_millis(500));
    let builder = Channels::builder().layer(layer.another_node()).limits(limits).shards(1);
    let builder = builder.presence_period(Duration::from_millis(100));
    let channels = builder.secret_key("the same on all nodes, and after a restart").build();
    let app = Router::new()
        .route("/", get(page))
        .route("/ws/room", channels.consumer::<Room>().subprotocols(["room.v1"]).resumable().route())
        .merge(client::routes());
    let mut settings = Settings::default();
    settings.bind = vec![format!("127.0.0.1:{port}")];
    settings.drain_window = Duration::from_millis(50);
    let server = Server::new(app, &channels, &settings).listen().await.unwrap();
    let (end, ended) = oneshot::channel();
    let running = tokio::spawn(server.run_until(async {
        // A test that fails drops the sender, which ends the server as well.
        let _ = ended.await;
    }));
    (channels, (end, running))
}

async fn page() -> Html<String> {
    Html(format!("<!doctype html><title>room</title><script src=\"{}\"></script>", client::script_path()))
}

/// Everything that was said.
pub(super) fn room() -> Group<Said> {
    Group::new("room.lobby").unwrap().with_history(History::new(10_000, Duration::from_secs(60)))
}

/// What was said last.
pub(super) fn corner() -> Group<Said> {
    Group::new("room.corner").unwrap().with_history(History::new(3, Duration::from_secs(60)))
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename = "said")]
pub(super) struct Said {
    pub(super) number: u32,
}

/// Who is here, and what they say of themselves.
fn present() -> Presence<String> {
    room().presence()
}

#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub(super) enum Ask {
    Double { number: u32 },
    Say { number: u32 },
    Status { text: String },
    Asked,
    Refuse,
    Close { code: u16 },
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Heard {
    Said(Said),
    Who(PresenceDiff<String>),
}

impl From<Said> for Heard {
    fn from(said: Said) -> Self {
        Self::Said(said)
    }
}

impl From<PresenceDiff<String>> for Heard {
    fn from(diff: PresenceDiff<String>) -> Self {
        Self::Who(diff)
    }
}

/// Counts what it is asked.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Room {
    name: Option<String>,
    #[serde(default)]
    asked: u32,
    #[serde(default)]
    status: String,
}

impl Consumer for Room {
    type Scope = Query<Self>;
    type In = Ask;
    type Out = Heard;
    type Event = NoEvent;

    async fn connect(Query(room): Query<Self>, conn: &mut Connection<Self>) -> Result<Self, Reject> {
        room.enter(conn).await
    }

    async fn receive(&mut self, ask: Ask, conn: &mut Connection<Self>) -> Result<(), Close> {
        self.asked += 1;
        conn.renew_token();
        match ask {
            Ask::Double { number } => conn.reply(&(number * 2))?,
            Ask::Say { number } => drop(conn.broadcast_once(&room(), &Said { number }).await?),
            Ask::Status { text } => {
                self.status = text;
                conn.update(&present(), self.status.clone()).await?;
            }
            Ask::Asked => conn.reply(&self.asked)?,
            Ask::Refuse => conn.reply_error("refused", "not today")?,
            Ask::Close { code } => return Err(Close::with(code, "as you like")),
        }
        Ok(())
    }
}

impl Resume for Room {
    type Saved = Self;

    fn save(&self) -> Self {
        self.clone()
    }

    async fn resume(saved: Self, conn: &mut Connection<Self>) -> Result<Self, Reject> {
        saved.enter(conn).await
    }
}

impl Room {
    async fn enter(self, conn: &mut Connection<Self>) -> Result<Self, Reject> {
        conn.join(&room()).await?;
        conn.join(&corner()).await?;
        if let Some(name) = &self.name {
            conn.join(&present().diffs()).await?;
            conn.track(&present(), name, self.status.clone()).await?;
        }
        Ok(self)
    }
}
