use std::path::PathBuf;
use std::sync::mpsc;

use axum::http::StatusCode;
use axum::response::Redirect;
use axum::routing::get;
use narrows::scope::Handshake;
use narrows::serve::settings::Settings;
use narrows::serve::{Address, Server};
use narrows::{Channels, Close, Connection, Consumer, NoEvent, Raw, Reject, SendError};

/// Does what its client says, and echoes what it does not understand.
struct Obedient(Handshake);

impl Consumer for Obedient {
    type Scope = Handshake;
    type In = Raw;
    type Out = Raw;
    type Event = NoEvent;

    async fn connect(handshake: Handshake, _conn: &mut Connection<Self>) -> Result<Self, Reject> {
        Ok(Self(handshake))
    }

    async fn receive(&mut self, message: Raw, conn: &mut Connection<Self>) -> Result<(), Close> {
        let Raw::Text(text) = &message else { return Ok(conn.send(&message)?) };
        let (order, rest) = text.split_once(' ').unwrap_or((text, ""));
        match order {
            "close" => {
                let (code, reason) = rest.split_once(' ').unwrap_or((rest, ""));
                Err(Close::with(code.parse().unwrap(), reason))
            }
            "many" => {
                Ok((1..=rest.parse().unwrap()).try_for_each(|number: u32| send(conn, number.to_string()))?)
            }
            "handshake" => Ok(send(conn, serde_json::to_string(&self.0).unwrap())?),
            "bytes" => Ok(conn.send(&Raw::Binary(vec![0, 0x1b, 0xff].into()))?),
            "nothing" => Ok(()),
            _ => Ok(conn.send(&message)?),
        }
    }
}

fn send<C: Consumer<Out = Raw>>(conn: &mut Connection<C>, text: String) -> Result<(), SendError> {
    conn.send(&Raw::Text(text))
}

/// Lets in who has the right token as a subprotocol.
struct Guarded;

impl Consumer for Guarded {
    type Scope = ();
    type In = Raw;
    type Out = Raw;
    type Event = NoEvent;

    async fn connect((): (), conn: &mut Connection<Self>) -> Result<Self, Reject> {
        if !conn.offered_subprotocols().iter().any(|offered| offered == "token.secret") {
            return Err(Reject::new(StatusCode::UNAUTHORIZED).body("who are\x1b[2J you?\n"));
        }
        conn.select_subprotocol("chat.v1");
        Ok(Self)
    }

    async fn receive(&mut self, message: Raw, conn: &mut Connection<Self>) -> Result<(), Close> {
        Ok(conn.send(&message)?)
    }
}

/// Starts a server for as long as the test runs: the start of its addresses.
///
/// | path | |
/// |---|---|
/// | `/ws/` | does what it is told |
/// | `/guarded/` | wants the subprotocol `token.secret`, chooses `chat.v1` |
/// | `/page/`, `/away/` | no WebSockets |
pub(super) fn start() -> String {
    let Address::Tcp(address) = serve("127.0.0.1:0".to_owned(), None) else {
        unreachable!("TCP was asked for")
    };
    format!("ws://{address}")
}

/// The same on a unix socket.
pub(super) fn start_on(path: PathBuf) {
    serve(String::new(), Some(path));
}

fn serve(bind: String, unix: Option<PathBuf>) -> Address {
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let channels = Channels::builder().shards(1).build();
            let app = axum::Router::new()
                .route("/ws/", channels.consumer::<Obedient>().route())
                .route("/guarded/", channels.consumer::<Guarded>().route())
                .route("/page/", get(async || "a page"))
                .route("/away/", get(async || Redirect::to("/ws/")));
            let mut settings = Settings::default();
            settings.bind = Some(bind).filter(|bind| !bind.is_empty()).into_iter().collect();
            settings.unix = unix.into_iter().collect();
            let server = Server::new(app, &channels, &settings).listen().await.unwrap();
            tell.send(server.addresses()[0].clone()).unwrap();
            server.run_until(std::future::pending()).await;
        });
    });
    told.recv().unwrap()
}
