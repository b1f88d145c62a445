use std::net::TcpStream;
use std::time::Duration;

use narrows_django::Upstream;
use socket2::{Domain, SockAddr, Socket, Type};
use tokio::io::AsyncWriteExt;

use super::{Front, GET, OK, Raw, both};

const SOON: Duration = Duration::from_millis(300);
const POST: &str = "POST / HTTP/1.1\r\nhost: site\r\ncontent-length: 2\r\n\r\nab";

#[tokio::test]
async fn an_upstream_that_is_away_is_a_502_that_says_when_to_come_back() {
    let port = programs::free_port();
    let front = Front::of(Upstream::new(&format!("http://127.0.0.1:{port}")).unwrap()).await;
    let mut client = front.ask(GET).await;
    let head = client.head().await;
    assert_eq!((head.status(), head.one("retry-after")), (502, "5"));
    assert_eq!(head.one("content-type"), "text/plain; charset=utf-8");
    assert!(client.until("\n").await.contains("not available"));
}

#[tokio::test]
async fn an_upstream_that_does_not_take_connections_is_a_504() {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.bind(&SockAddr::from(std::net::SocketAddr::from(([127, 0, 0, 1], 0)))).unwrap();
    socket.listen(0).unwrap();
    let address = socket.local_addr().unwrap().as_socket().unwrap();
    // Its queue is full once somebody waits in front of it.
    let mut queue = Vec::new();
    while let Ok(stream) = TcpStream::connect_timeout(&address, SOON) {
        queue.push(stream);
    }
    let front = Front::of(Upstream::new(&format!("http://{address}")).unwrap().connect_timeout(SOON)).await;
    assert_eq!(front.ask(GET).await.head().await.status(), 504);
}

#[tokio::test]
async fn an_upstream_that_does_not_answer_is_a_504_and_its_request_ends() {
    let raw = Raw::start().await;
    let front = Front::of(raw.upstream().answer_timeout(SOON)).await;
    let mut client = front.ask(POST).await;
    let mut upstream = raw.accept().await;
    let head = client.head().await;
    assert_eq!((head.status(), head.one("retry-after")), (504, "5"));
    assert!(upstream.rest().await.ends_with("\r\n\r\nab"));
}

#[tokio::test]
async fn a_client_that_does_not_go_on_with_its_body_is_a_408() {
    let raw = Raw::start().await;
    let front = Front::of(raw.upstream().answer_timeout(SOON)).await;
    let mut client = front.ask("POST / HTTP/1.1\r\nhost: site\r\ncontent-length: 9\r\n\r\nab").await;
    let mut upstream = raw.accept().await;
    assert_eq!(client.head().await.status(), 408);
    assert!(upstream.rest().await.ends_with("\r\n\r\nab"));
}

#[tokio::test]
async fn a_long_upload_may_take_longer_than_an_answer() {
    let raw = Raw::start().await;
    let front = Front::of(raw.upstream().answer_timeout(Duration::from_secs(1))).await;
    let mut client = front.ask("POST / HTTP/1.1\r\nhost: site\r\ncontent-length: 5\r\n\r\n").await;
    let mut upstream = raw.accept().await;
    upstream.head().await;
    // Not waiting for anything: it is the passing of the time that is tested.
    for _ in 0..5 {
        tokio::time::sleep(Duration::from_millis(300)).await;
        client.say("x").await;
        upstream.bytes(1).await;
    }
    upstream.say(OK).await;
    assert_eq!(client.head().await.status(), 200);
}

#[tokio::test]
async fn an_answer_that_pauses_for_too_long_is_cut_and_does_not_look_whole() {
    let raw = Raw::start().await;
    let front = Front::of(raw.upstream().idle_timeout(SOON)).await;
    let mut client = front.ask(GET).await;
    let mut upstream = raw.accept().await;
    upstream.head().await;
    upstream.say("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n").await;
    client.head().await;
    assert_eq!(client.rest().await, "4\r\nhalf\r\n");
    assert_eq!(upstream.rest().await, "");
}

#[tokio::test]
async fn half_an_answer_does_not_look_whole() {
    let (front, raw) = both().await;
    for half in ["content-length: 9\r\n\r\nhalf", "transfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n"] {
        let mut client = front.ask(GET).await;
        let mut upstream = raw.accept().await;
        upstream.head().await;
        upstream.say(&format!("HTTP/1.1 200 OK\r\n{half}")).await;
        client.until("half").await;
        drop(upstream);
        assert!(!client.rest().await.contains("0\r\n\r\n"), "{half:?}");
    }
}

#[tokio::test]
async fn what_is_no_answer_is_a_502() {
    let (front, raw) = both().await;
    let (long, many) = ("x".repeat(70_000), "x: 1\r\n".repeat(201));
    for answer in [
        String::new(),
        "HTTP/1.1 200 OK\r\ncontent-le".to_owned(),
        "nonsense\r\n\r\n".to_owned(),
        "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab".to_owned(),
        "HTTP/1.1 200 OK\r\nset-cookie: a\r\n b\r\n\r\n".to_owned(),
        "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n".to_owned(),
        "HTTP/1.1 200 OK\r\ntransfer-encoding: gzip\r\n\r\nab".to_owned(),
        "HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n".to_owned(),
        format!("HTTP/1.1 200 OK\r\nx: {long}\r\n\r\n"),
        format!("HTTP/1.1 200 OK\r\n{many}\r\n"),
    ] {
        let mut client = front.ask(GET).await;
        let mut upstream = raw.accept().await;
        upstream.head().await;
        // It may have been closed before the whole of it was written.
        let _ = upstream.stream.write_all(answer.as_bytes()).await;
        drop(upstream);
        let head = client.head().await;
        assert_eq!(
            (head.status(), head.one("retry-after")),
            (502, "5"),
            "{:?}",
            &answer[..answer.len().min(60)]
        );
    }
}

#[tokio::test]
async fn an_upstream_that_resets_a_connection_is_a_502() {
    let (front, raw) = both().await;
    let mut client = front.ask(GET).await;
    let mut upstream = raw.accept().await;
    upstream.head().await;
    socket2::SockRef::from(&upstream.stream).set_linger(Some(Duration::ZERO)).unwrap();
    drop(upstream);
    assert_eq!(client.head().await.status(), 502);
}

/// A front with a connection that has answered once, and is closed when the next request is there.
async fn with_a_stale_connection(front: &Front, raw: &Raw, request: &str) -> super::Wire {
    let mut client = front.ask(GET).await;
    let mut upstream = raw.accept().await;
    upstream.head().await;
    upstream.say(OK).await;
    client.until("ok").await;
    client.say(request).await;
    upstream.head().await;
    client
}

#[tokio::test]
async fn a_request_that_changes_nothing_is_sent_again_where_a_kept_connection_was_closed() {
    let (front, raw) = both().await;
    let mut client = with_a_stale_connection(&front, &raw, GET).await;
    let mut upstream = raw.accept().await;
    assert_eq!(upstream.head().await.first(), "GET / HTTP/1.1");
    upstream.say(OK).await;
    assert_eq!(client.head().await.status(), 200);
}

#[tokio::test]
async fn a_request_is_not_sent_a_third_time() {
    let (front, raw) = both().await;
    let mut client = with_a_stale_connection(&front, &raw, GET).await;
    raw.accept().await.head().await;
    assert_eq!(client.head().await.status(), 502);
}

#[tokio::test]
async fn a_request_that_may_change_something_is_sent_once() {
    let (front, raw) = both().await;
    for request in [POST, "DELETE / HTTP/1.1\r\nhost: site\r\n\r\n"] {
        let mut client = with_a_stale_connection(&front, &raw, request).await;
        assert_eq!(client.head().await.status(), 502, "{request:?}");
    }
}
