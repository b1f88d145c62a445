use std::net::SocketAddr;
use std::sync::mpsc;

use axum::extract::Path;
use narrows::serve::settings::Settings;
use narrows::serve::{Address, Server};
use narrows::{
    Channels, Close, Connection, Consumer, Group, NoEvent, Presence, PresenceCount, PresenceDiff, Reject,
    Roster,
};
use serde_json::Value;

/// Everyone in a room gets what anyone there says, as it is.
struct Room(Group<Value>);

impl Consumer for Room {
    type Scope = Path<String>;
    type In = Value;
    type Out = Value;
    type Event = NoEvent;

    async fn connect(Path(room): Path<String>, conn: &mut Connection<Self>) -> Result<Self, Reject> {
        let room = Group::keyed("room", room)?;
        conn.join(&room).await?;
        Ok(Self(room))
    }

    async fn receive(&mut self, message: Value, conn: &mut Connection<Self>) -> Result<(), Close> {
        Ok(conn.broadcast(&self.0, &message).await?)
    }
}

/// Whatever room one asks for, it is the same.
struct OnlyRoom(Room);

impl Consumer for OnlyRoom {
    type Scope = Path<String>;
    type In = Value;
    type Out = Value;
    type Event = NoEvent;

    async fn connect(Path(_): Path<String>, conn: &mut Connection<Self>) -> Result<Self, Reject> {
        let room = Group::new("only")?;
        conn.join(&room).await?;
        Ok(Self(Room(room)))
    }

    async fn receive(&mut self, message: Value, conn: &mut Connection<Self>) -> Result<(), Close> {
        Ok(conn.broadcast(&self.0.0, &message).await?)
    }
}

/// Everyone gets their own messages back.
struct Echo;

impl Consumer for Echo {
    type Scope = ();
    type In = Value;
    type Out = Value;
    type Event = NoEvent;

    async fn connect((): (), _conn: &mut Connection<Self>) -> Result<Self, Reject> {
        Ok(Self)
    }

    async fn receive(&mut self, message: Value, conn: &mut Connection<Self>) -> Result<(), Close> {
        conn.send(&message)?;
        Ok(())
    }
}

/// Everyone is somebody, and sees who else is there: by name, or by number.
struct Present(Presence<Value>);

#[derive(serde::Serialize)]
#[serde(untagged)]
enum Seen {
    Diff(PresenceDiff<Value>),
    Count(PresenceCount),
    Roster(Roster<Value>),
}

impl From<PresenceDiff<Value>> for Seen {
    fn from(diff: PresenceDiff<Value>) -> Self {
        Self::Diff(diff)
    }
}

impl From<PresenceCount> for Seen {
    fn from(count: PresenceCount) -> Self {
        Self::Count(count)
    }
}

impl Consumer for Present {
    type Scope = Path<(String, String)>;
    type In = Value;
    type Out = Seen;
    type Event = NoEvent;

    async fn connect(
        Path((sees, person)): Path<(String, String)>,
        conn: &mut Connection<Self>,
    ) -> Result<Self, Reject> {
        let present = Group::<()>::keyed("room", &sees)?.presence();
        if sees == "diffs" {
            conn.join(&present.diffs()).await?;
        } else {
            conn.join(&present.counts()).await?;
        }
        conn.track(&present, person, Value::Null).await?;
        Ok(Self(present))
    }

    async fn receive(&mut self, asks: Value, conn: &mut Connection<Self>) -> Result<(), Close> {
        let page = conn.roster(&self.0, asks["roster"].as_str()).await?;
        Ok(conn.send(&Seen::Roster(page))?)
    }
}

/// Starts a server for as long as the test runs, with rooms at `/ws/room/{room}/`, one room at `/ws/only/{room}/`,
/// presence at `/ws/presence/{sees}/{person}/` and an echo at `/ws/echo/`: the start of its addresses.
pub(crate) fn start() -> String {
    serve(|| vec![Channels::builder().shards(1).build()]).remove(0)
}

/// Two servers of one node.
pub(crate) fn start_two() -> (String, String) {
    let mut both = serve(|| {
        let channels = Channels::builder().shards(1).build();
        vec![channels.clone(), channels]
    });
    let two = both.remove(1);
    (both.remove(0), two)
}

/// One server for each.
fn serve(channels: impl FnOnce() -> Vec<Channels> + Send + 'static) -> Vec<String> {
    let (tell, told) = mpsc::channel::<SocketAddr>();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut servers = Vec::new();
            for channels in channels() {
                let app = axum::Router::new()
                    .route("/ws/room/{room}/", channels.consumer::<Room>().route())
                    .route("/ws/presence/{sees}/{person}/", channels.consumer::<Present>().route())
                    .route("/ws/only/{room}/", channels.consumer::<OnlyRoom>().route())
                    .route("/ws/echo/", channels.consumer::<Echo>().route());
                let mut settings = Settings::default();
                settings.bind = vec!["127.0.0.1:0".to_owned()];
                let server = Server::new(app, &channels, &settings).listen().await.unwrap();
                let Address::Tcp(address) = server.addresses()[0] else { unreachable!("TCP was asked for") };
                tell.send(address).unwrap();
                servers.push(tokio::spawn(server.run_until(std::future::pending())));
            }
            drop(tell);
            for server in servers {
                server.await.unwrap();
            }
        });
    });
    told.iter().map(|address| format!("ws://{address}/ws")).collect()
}
