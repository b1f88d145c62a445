use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::server::{Server, ask, within};

fn status(error: &Error) -> (u16, bool) {
    let Error::Http(response) = error else { panic!("{error}") };
    (response.status().as_u16(), response.headers().contains_key("retry-after"))
}

/// A handshake with these further header lines, as it goes over the wire.
fn handshake(more: &str) -> String {
    format!(
        "GET /ws/echo/ HTTP/1.1\r\nhost: test\r\nupgrade: websocket\r\nconnection: upgrade\r\n\
         sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n{more}\r\n"
    )
}

#[tokio::test]
async fn one_connection_more_than_allowed_in_all_is_refused_until_one_ends() {
    let server = Server::with(&["--max-connections", "2"]);
    let mut first = server.connect("/ws/echo/").await.unwrap();
    let _second = server.connect("/ws/chat/lobby/").await.unwrap();
    let refused = server.connect("/ws/echo/").await.unwrap_err();
    assert_eq!(status(&refused), (503, true));
    first.close(None).await.unwrap();
    while within(first.next()).await.is_some_and(|m| m.is_ok()) {}
    // The place is free once the server is through with the connection.
    let again = async {
        loop {
            match server.connect("/ws/echo/").await {
                Ok(client) => return client,
                Err(error) => assert_eq!(status(&error), (503, true)),
            }
        }
    };
    within(again).await;
}

#[tokio::test]
async fn one_connection_more_than_allowed_from_an_address_is_refused() {
    let server = Server::with(&["--max-connections-per-address", "1"]);
    let _first = server.connect("/ws/echo/").await.unwrap();
    assert_eq!(status(&server.connect("/ws/echo/").await.unwrap_err()), (429, true));
}

#[tokio::test]
async fn too_many_or_too_large_headers_are_refused_before_anything_else() {
    let server = Server::with(&["--max-headers", "20", "--max-header-bytes", "8KiB"]);
    let connect = || async { TcpStream::connect(&server.address).await.unwrap() };
    let many: String = (0..30).map(|n| format!("x-{n}: y\r\n")).collect();
    let answer = ask(connect().await, handshake(&many)).await;
    assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
    let large = format!("x: {}\r\n", "y".repeat(20_000));
    let answer = ask(connect().await, handshake(&large)).await;
    assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
    assert!(server.connect("/ws/echo/").await.is_ok(), "others are not concerned");
}

#[tokio::test]
async fn a_head_that_does_not_come_to_its_end_is_given_up() {
    let server = Server::with(&["--header-timeout", "200ms"]);
    let stream = TcpStream::connect(&server.address).await.unwrap();
    // The connection is closed, or this would never return.
    let answer = ask(stream, "GET /healthz HTTP/1.1\r\nhost: te").await;
    assert!(!answer.contains("200"), "{answer}");
}

#[tokio::test]
async fn a_message_over_the_limit_is_closed_with_1009_and_others_go_on() {
    let server = Server::with(&["--max-message-bytes", "1000", "--max-frame-bytes", "1000"]);
    let mut other = server.connect("/ws/chat/lobby/").await.unwrap();
    let mut client = server.connect("/ws/chat/lobby/").await.unwrap();
    client.send(Message::text(format!("{{\"message\": \"{}\"}}", "x".repeat(2000)))).await.unwrap();
    match within(client.next()).await.unwrap().unwrap() {
        Message::Close(Some(frame)) => assert_eq!(u16::from(frame.code), 1009),
        came => panic!("{came:?}"),
    }
    other.send(Message::text(r#"{"message":"hi"}"#)).await.unwrap();
    assert_eq!(within(other.next()).await.unwrap().unwrap(), Message::text(r#"{"message":"hi"}"#));
}

#[tokio::test]
async fn the_limit_of_a_message_can_be_raised_to_64_mebibytes() {
    let server = Server::with(&["--max-message-bytes", "64MiB"]);
    let mut client = server.connect("/ws/echo/").await.unwrap();
    let message = Message::binary(vec![7; 5 << 20]);
    client.send(message.clone()).await.unwrap();
    assert_eq!(within(client.next()).await.unwrap().unwrap(), message);
    let server = Server::start();
    let mut client = server.connect("/ws/echo/").await.unwrap();
    // The server may give up before all of it is sent.
    let _ = client.send(message).await;
    let closed = within(client.next()).await.unwrap();
    assert!(!matches!(closed, Ok(Message::Binary(_))), "5 MiB is more than the default limit");
}

#[tokio::test]
async fn more_sockets_are_served_than_the_soft_limit_of_files_would_allow() {
    let mut command = std::process::Command::new("sh");
    let script = "ulimit -Sn 40; exec \"$0\" --bind 127.0.0.1:0 --shards 1";
    let child = programs::Child::start(command.args(["-c", script, env!("CARGO_BIN_EXE_endpoints")]));
    let server = Server::of(child);
    let mut clients = Vec::new();
    for _ in 0..100 {
        clients.push(server.connect("/ws/chat/lobby/").await.unwrap());
    }
}

#[tokio::test]
async fn a_page_of_another_site_cannot_connect() {
    let server = Server::start();
    let chat = |more: &str| handshake(more).replace("/ws/echo/", "/ws/chat/lobby/");
    let connect = || async { TcpStream::connect(&server.address).await.unwrap() };
    let answer = ask(connect().await, chat("origin: https://evil.example\r\nconnection: close\r\n")).await;
    assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
    let answer = ask(connect().await, chat("cookie: sessionid=x\r\nconnection: close\r\n")).await;
    assert!(answer.starts_with("HTTP/1.1 403"), "cookies without an origin: {answer}");
}
