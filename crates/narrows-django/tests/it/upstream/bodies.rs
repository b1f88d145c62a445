use std::time::Duration;

use narrows_django::Upstream;
use tokio::io::AsyncWriteExt;

use super::wire::{Wire, in_time};
use super::{Front, GET, OK, Raw, both};

const CHUNKED: &str = "POST /up HTTP/1.1\r\nhost: site\r\ntransfer-encoding: chunked\r\n\r\n";

async fn limited(bytes: u64) -> (Front, Raw) {
    let raw = Raw::start().await;
    (Front::of(raw.upstream().max_body_bytes(bytes)).await, raw)
}

#[tokio::test]
async fn an_answer_is_passed_on_as_it_comes() {
    let (front, raw) = both().await;
    let mut client = front.ask(GET).await;
    let mut upstream = raw.accept().await;
    upstream.head().await;
    upstream.say("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\none\r\n").await;
    assert_eq!(client.head().await.status(), 200);
    assert_eq!(client.until("one\r\n").await, "3\r\none\r\n");
    upstream.say("3\r\ntwo\r\n0\r\n\r\n").await;
    assert_eq!(client.until("0\r\n\r\n").await, "3\r\ntwo\r\n0\r\n\r\n");
}

#[tokio::test]
async fn a_request_is_passed_on_as_it_comes() {
    let (front, raw) = both().await;
    let mut client = front.ask(&format!("{CHUNKED}3\r\none\r\n")).await;
    let mut upstream = raw.accept().await;
    upstream.head().await;
    assert_eq!(upstream.until("one\r\n").await, "3\r\none\r\n");
    client.say("3\r\ntwo\r\n0\r\n\r\n").await;
    assert_eq!(upstream.until("0\r\n\r\n").await, "3\r\ntwo\r\n0\r\n\r\n");
    upstream.say(OK).await;
    assert_eq!(client.head().await.status(), 200);
}

/// Writes until nobody takes more; gives how many bytes were taken.
async fn fill(stream: &mut tokio::net::TcpStream, most: usize) -> usize {
    let (block, mut taken) = (vec![b'x'; 64 * 1024], 0);
    while taken < most {
        let block = &block[..block.len().min(most - taken)];
        match tokio::time::timeout(Duration::from_secs(1), stream.write(block)).await {
            Ok(written) => taken += written.unwrap(),
            Err(_) => break,
        }
    }
    taken
}

const LARGE: usize = 64 << 20;

#[tokio::test]
async fn an_upstream_waits_for_a_client_that_does_not_read_and_nothing_is_lost() {
    let (front, raw) = both().await;
    let mut client = front.ask(GET).await;
    let mut upstream = raw.accept().await;
    upstream.head().await;
    upstream.say(&format!("HTTP/1.1 200 OK\r\ncontent-length: {LARGE}\r\n\r\n")).await;
    let taken = fill(&mut upstream.stream, LARGE).await;
    assert!(taken < LARGE / 2, "{taken} bytes were taken for a client that reads none");
    let writing = tokio::spawn(async move {
        upstream.stream.write_all(&vec![b'x'; LARGE - taken]).await.unwrap();
        upstream
    });
    assert_eq!(client.head().await.one("content-length"), LARGE.to_string());
    assert_eq!(client.bytes(LARGE).await.len(), LARGE);
    writing.await.unwrap();
}

#[tokio::test]
async fn a_client_waits_for_an_upstream_that_does_not_read_and_nothing_is_lost() {
    let (front, raw) = both().await;
    let mut client =
        front.ask(&format!("POST / HTTP/1.1\r\nhost: site\r\ncontent-length: {LARGE}\r\n\r\n")).await;
    let mut upstream = raw.accept().await;
    let taken = fill(&mut client.stream, LARGE).await;
    assert!(taken < LARGE / 2, "{taken} bytes were taken for an upstream that reads none");
    let writing = tokio::spawn(async move {
        client.stream.write_all(&vec![b'x'; LARGE - taken]).await.unwrap();
        client
    });
    upstream.head().await;
    assert_eq!(upstream.bytes(LARGE).await.len(), LARGE);
    upstream.say(OK).await;
    assert_eq!(writing.await.unwrap().head().await.status(), 200);
}

#[tokio::test]
async fn a_client_that_asks_whether_to_go_on_is_told_so_here() {
    let (front, raw) = both().await;
    let head = "POST / HTTP/1.1\r\nhost: site\r\ncontent-length: 2\r\nexpect: 100-continue\r\n\r\n";
    let mut client = front.ask(head).await;
    let mut upstream = raw.accept().await;
    assert!(!upstream.head().await.has("expect"));
    assert_eq!(client.head().await.status(), 100);
    client.say("ab").await;
    assert_eq!(upstream.bytes(2).await, "ab");
    upstream.say(OK).await;
    assert_eq!(client.head().await.status(), 200);
}

#[tokio::test]
async fn a_body_that_is_too_long_is_refused_before_it_is_sent() {
    let (front, raw) = limited(4).await;
    let head = "POST / HTTP/1.1\r\nhost: site\r\ncontent-length: 5\r\nexpect: 100-continue\r\n\r\n";
    assert_eq!(front.ask(head).await.head().await.status(), 413);
    let mut client = front.ask("POST /four HTTP/1.1\r\nhost: site\r\ncontent-length: 4\r\n\r\nabcd").await;
    let mut upstream = raw.accept().await;
    assert_eq!(upstream.head().await.first(), "POST /four HTTP/1.1");
    upstream.say(OK).await;
    assert_eq!(client.head().await.status(), 200);
}

#[tokio::test]
async fn a_body_of_unknown_length_is_refused_where_it_becomes_too_long() {
    let (front, raw) = limited(4).await;
    let mut client = front.ask(&format!("{CHUNKED}3\r\none\r\n")).await;
    let mut upstream = raw.accept().await;
    upstream.until("one\r\n").await;
    client.say("3\r\ntwo\r\n").await;
    assert_eq!(client.head().await.status(), 413);
    assert_eq!(upstream.rest().await, "", "the request of the upstream is cut, with no end of its own");
}

#[tokio::test]
async fn a_client_that_goes_away_takes_its_request_along() {
    let (front, raw) = both().await;
    let client = front.ask(GET).await;
    let mut upstream = raw.accept().await;
    upstream.head().await;
    drop(client);
    assert_eq!(upstream.rest().await, "");
}

#[tokio::test]
async fn a_client_that_goes_away_within_its_body_takes_its_request_along() {
    let (front, raw) = both().await;
    let client = front.ask(&format!("{CHUNKED}3\r\none\r\n")).await;
    let mut upstream = raw.accept().await;
    upstream.until("one\r\n").await;
    drop(client);
    assert_eq!(upstream.rest().await, "", "there is no last chunk, which would make it a whole request");
}

#[tokio::test]
async fn a_client_that_goes_away_within_an_answer_ends_it() {
    let (front, raw) = both().await;
    let mut client = front.ask(GET).await;
    let mut upstream = raw.accept().await;
    upstream.head().await;
    upstream.say("HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\nbegin").await;
    client.until("begin").await;
    drop(client);
    assert_eq!(upstream.rest().await, "");
}

#[tokio::test]
async fn an_answer_that_comes_before_the_whole_request_is_passed_on() {
    let (front, raw) = both().await;
    let mut client = front.ask(&format!("{CHUNKED}3\r\none\r\n")).await;
    let mut upstream = raw.accept().await;
    upstream.until("one\r\n").await;
    upstream.say("HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").await;
    assert_eq!(client.head().await.status(), 403);
}

#[tokio::test]
async fn connections_are_kept_for_the_next_request_whoever_asks() {
    let (front, raw) = both().await;
    let mut first = front.ask(GET).await;
    let mut upstream = raw.accept().await;
    for path in ["/two", "/three"] {
        upstream.head().await;
        upstream.say(OK).await;
        first.until("ok").await;
        first = front.ask(&format!("GET {path} HTTP/1.1\r\nhost: site\r\n\r\n")).await;
    }
    assert_eq!(upstream.head().await.first(), "GET /three HTTP/1.1");
}

#[tokio::test]
async fn a_connection_that_nobody_uses_is_closed() {
    let raw = Raw::start().await;
    let front = Front::of(raw.upstream().keep_alive(Duration::from_millis(100))).await;
    let mut client = front.ask(GET).await;
    let mut upstream = raw.accept().await;
    upstream.head().await;
    upstream.say(OK).await;
    client.until("ok").await;
    assert_eq!(upstream.rest().await, "");
}

#[tokio::test]
async fn an_upstream_may_be_a_unix_socket() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("site.sock");
    let front = Front::of(Upstream::new(&format!("unix:{}", path.display())).unwrap()).await;
    assert_eq!(front.ask(GET).await.head().await.status(), 502);
    let listener = tokio::net::UnixListener::bind(&path).unwrap();
    let mut client = front.ask("GET /x HTTP/1.0\r\n\r\n").await;
    let mut upstream = Wire::new(in_time(listener.accept()).await.unwrap().0);
    let sent = upstream.head().await;
    assert_eq!((sent.first(), sent.one("host")), ("GET /x HTTP/1.1", "localhost"));
    upstream.say(OK).await;
    assert_eq!(client.head().await.status(), 200);
}
