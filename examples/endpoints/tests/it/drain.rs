use std::time::{Duration, Instant};

use futures_util::future::join_all;
use futures_util::{SinkExt, StreamExt};
use tokio_tungstenite::tungstenite::Message;

use crate::server::{Client, Server, within};

/// Reads up to the close frame; its code.
async fn closed(client: &mut Client) -> u16 {
    loop {
        match within(client.next()).await.unwrap().unwrap() {
            Message::Close(Some(frame)) => return frame.code.into(),
            Message::Close(None) => return 1005,
            _ => {}
        }
    }
}

async fn clients(server: &Server, count: usize) -> Vec<Client> {
    join_all((0..count).map(|_| async { server.connect("/ws/echo/").await.unwrap() })).await
}

#[tokio::test]
async fn sigterm_closes_every_socket_with_1012_and_ends_with_status_0() {
    let mut server = Server::with(&["--drain-window", "100ms"]);
    let mut clients = clients(&server, 10).await;
    server.child.terminate();
    for client in &mut clients {
        assert_eq!(closed(client).await, 1012);
    }
    drop(clients);
    assert_eq!(server.child.end(Duration::from_secs(30)).0.code(), Some(0));
}

#[tokio::test]
async fn sigint_drains_as_well() {
    let mut server = Server::with(&["--drain-window", "0"]);
    let mut client = server.connect("/ws/chat/lobby/").await.unwrap();
    server.child.signal("INT");
    assert_eq!(closed(&mut client).await, 1012);
    drop(client);
    assert_eq!(server.child.end(Duration::from_secs(30)).0.code(), Some(0));
}

#[tokio::test]
async fn the_closes_are_spread_over_the_window() {
    let server = Server::with(&["--drain-window", "2s", "--shards", "1"]);
    let mut clients = clients(&server, 20).await;
    server.child.terminate();
    let times = join_all(clients.iter_mut().map(|client| async move {
        assert_eq!(closed(client).await, 1012);
        Instant::now()
    }));
    let mut times = times.await;
    times.sort_unstable();
    // None comes before its time: the twentieth is due 1.9 s after the first.
    assert!(times[19] - times[0] > Duration::from_millis(1500), "{:?}", times[19] - times[0]);
    assert!(times[10] - times[0] > Duration::from_millis(700), "{:?}", times[10] - times[0]);
}

#[tokio::test]
async fn readiness_fails_while_the_server_still_answers_and_then_nothing_is_accepted() {
    let mut server = Server::with(&["--drain-delay", "1s", "--drain-window", "0"]);
    assert!(server.get("/readyz").await.contains("200 OK"));
    server.child.terminate();
    server.child.line("draining");
    assert!(server.get("/readyz").await.contains("503 Service Unavailable"));
    assert!(server.get("/healthz").await.contains("200 OK"));
    let mut late = server.connect("/ws/echo/").await.unwrap();
    late.send(Message::text("still here")).await.unwrap();
    assert_eq!(within(late.next()).await.unwrap().unwrap(), Message::text("still here"));
    assert_eq!(closed(&mut late).await, 1012);
    drop(late);
    assert_eq!(server.child.end(Duration::from_secs(30)).0.code(), Some(0));
    assert!(tokio::net::TcpStream::connect(&server.address).await.is_err());
}

#[tokio::test]
async fn a_second_signal_ends_at_once() {
    let mut server = Server::with(&["--drain-window", "1h", "--drain-timeout", "1h"]);
    let _clients = clients(&server, 3).await;
    server.child.terminate();
    server.child.line("draining");
    server.child.signal("INT");
    assert_eq!(server.child.end(Duration::from_secs(30)).0.code(), Some(130));
}

#[tokio::test]
async fn a_client_that_never_answers_the_close_does_not_hold_the_drain_up() {
    let mut server = Server::with(&["--drain-window", "0", "--close-timeout", "200ms"]);
    let client = server.connect("/ws/echo/").await.unwrap();
    server.child.terminate();
    // The client's end is neither read nor closed.
    assert_eq!(server.child.end(Duration::from_secs(20)).0.code(), Some(0));
    drop(client);
}
