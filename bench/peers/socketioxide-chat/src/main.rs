//! A chat on socketioxide: a client joins a room, then what it says goes to the room. Who has joined none hears itself.

use std::convert::Infallible;

use axum::Router;
use axum::serve::ListenerExt;
use socketioxide::extract::{Data, MaybeExtension, SocketRef};
use socketioxide::handler::ConnectHandler;
use socketioxide::{SocketIo, TransportType};

// As our servers have it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[derive(Clone)]
struct Room(String);

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:0".to_owned());
    let (layer, io) = SocketIo::builder().transports([TransportType::Websocket]).build_layer();
    io.ns("/", (async || {}).with(prepare));
    let listener = tokio::net::TcpListener::bind(address).await?;
    println!("listening on http://{}/", listener.local_addr()?);
    // As at our server. Without it the socket works too.
    let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
    axum::serve(listener, Router::new().layer(layer)).await
}

/// Before the client is told that it is connected. The handler of the connection runs as a task after that: an event of
/// a quick client would find nobody.
async fn prepare(socket: SocketRef) -> Result<(), Infallible> {
    socket.on("join", join);
    socket.on("message", message);
    Ok(())
}

async fn join(socket: SocketRef, Data(room): Data<String>) {
    socket.join(room.clone());
    socket.extensions.insert(Room(room));
    // Who does not take it is gone.
    let _ = socket.emit("joined", &());
}

async fn message(socket: SocketRef, Data(text): Data<String>, MaybeExtension(room): MaybeExtension<Room>) {
    let _ = match room {
        Some(Room(room)) => socket.within(room).emit("message", &text).await,
        None => return drop(socket.emit("message", &text)),
    };
}
