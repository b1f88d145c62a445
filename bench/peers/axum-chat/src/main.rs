//! The chat of axum's own `examples/chat`: a broadcast channel, and for each socket a task that sends and one that
//! receives. Added are rooms, each with its channel, and an echo; left out are the user names, which a load does not
//! have: what a client sends reaches all as it is.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::extract::{Path, State};
use axum::response::IntoResponse;
use axum::routing::get;
use axum::serve::ListenerExt;
use futures_util::{SinkExt, StreamExt};
use tokio::sync::broadcast;

// As our servers have it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[derive(Default)]
struct AppState {
    rooms: Mutex<HashMap<String, broadcast::Sender<String>>>,
}

impl AppState {
    /// A room's channel, and a place in it.
    fn enter(&self, room: &str) -> (broadcast::Sender<String>, broadcast::Receiver<String>) {
        let mut rooms = self.rooms.lock().unwrap_or_else(PoisonError::into_inner);
        // 100, as in the example.
        let tx = rooms.entry(room.to_owned()).or_insert_with(|| broadcast::channel(100).0);
        (tx.clone(), tx.subscribe())
    }

    /// Forgets a room that nobody is in.
    fn tidy(&self, room: &str) {
        let mut rooms = self.rooms.lock().unwrap_or_else(PoisonError::into_inner);
        if rooms.get(room).is_some_and(|tx| tx.receiver_count() == 0) {
            rooms.remove(room);
        }
    }
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:0".to_owned());
    let app = Router::new()
        .route("/ws/chat/{room}/", get(websocket_handler))
        .route("/ws/echo/", get(|ws: WebSocketUpgrade| async { ws.on_upgrade(echo) }))
        .with_state(Arc::new(AppState::default()));
    let listener = tokio::net::TcpListener::bind(address).await?;
    println!("listening on http://{}/", listener.local_addr()?);
    // The example leaves Nagle's algorithm on; ours is off, so the peer's is too.
    let listener = listener.tap_io(|stream| {
        // Without it the socket works too.
        let _ = stream.set_nodelay(true);
    });
    axum::serve(listener, app).await
}

async fn websocket_handler(
    ws: WebSocketUpgrade,
    Path(room): Path<String>,
    State(state): State<Arc<AppState>>,
) -> impl IntoResponse {
    ws.on_upgrade(|socket| websocket(socket, room, state))
}

async fn websocket(stream: WebSocket, room: String, state: Arc<AppState>) {
    let (mut sender, mut receiver) = stream.split();
    let (tx, mut rx) = state.enter(&room);
    let mut send_task = tokio::spawn(async move {
        while let Ok(msg) = rx.recv().await {
            if sender.send(Message::text(msg)).await.is_err() {
                break;
            }
        }
    });
    let mut recv_task = tokio::spawn(async move {
        while let Some(Ok(Message::Text(text))) = receiver.next().await {
            // Nobody may be listening any more.
            let _ = tx.send(text.to_string());
        }
    });
    tokio::select! {
        _ = &mut send_task => recv_task.abort(),
        _ = &mut recv_task => send_task.abort(),
    };
    // The task that was told to stop holds its place until it has.
    drop((send_task.await, recv_task.await));
    state.tidy(&room);
}

async fn echo(mut socket: WebSocket) {
    while let Some(Ok(message)) = socket.recv().await {
        if matches!(message, Message::Text(_) | Message::Binary(_)) && socket.send(message).await.is_err() {
            break;
        }
    }
}
