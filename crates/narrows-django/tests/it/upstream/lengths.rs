//! Where one message ends and the next begins, which all readers of it must agree on.

use super::{GET, OK, both};

#[tokio::test]
async fn a_length_that_others_could_read_in_another_way_is_refused() {
    let (front, raw) = both().await;
    let hidden = "0\r\n\r\nGET /hidden HTTP/1.1\r\nhost: site\r\n\r\n";
    for lengths in [
        "transfer-encoding: chunked, chunked\r\n",
        "transfer-encoding: gzip, chunked\r\n",
        "transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n",
        "transfer-encoding: xchunked\r\n",
        "transfer-encoding: chunked\x0b\r\n",
        "content-length: 4\r\ncontent-length: 5\r\n",
        "content-length: +4\r\n",
        "content-length : 4\r\n",
        "content-length: 4\n transfer-encoding: chunked\r\n",
    ] {
        let mut client = front.ask(&format!("POST /x HTTP/1.1\r\nhost: site\r\n{lengths}\r\n{hidden}")).await;
        assert_eq!(client.head().await.status(), 400, "{lengths:?}");
    }
    // The upstream hears of none of them: its first request is this one.
    let _client = front.ask(GET).await;
    assert_eq!(raw.accept().await.head().await.first(), "GET / HTTP/1.1");
}

#[tokio::test]
async fn a_length_beside_a_coding_counts_for_nothing_and_nothing_follows_on_that_connection() {
    let (front, raw) = both().await;
    for lengths in [
        "content-length: 3\r\ntransfer-encoding: chunked",
        "transfer-encoding: chunked\r\ncontent-length: 3",
        "content-length: 60\r\ntransfer-encoding: chunked",
    ] {
        let hidden = "0\r\n\r\nGET /hidden HTTP/1.1\r\nhost: site\r\n\r\n";
        let mut client =
            front.ask(&format!("POST / HTTP/1.1\r\nhost: site\r\n{lengths}\r\n\r\n{hidden}")).await;
        let mut upstream = raw.accept().await;
        let sent = upstream.head().await;
        assert_eq!((sent.one("transfer-encoding"), sent.has("content-length")), ("chunked", false));
        assert_eq!(upstream.until("0\r\n\r\n").await, "0\r\n\r\n");
        upstream.say("HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok").await;
        assert_eq!(client.rest().await.matches("HTTP/1.1").count(), 1, "{lengths:?}");
    }
    let _client = front.ask(GET).await;
    assert_eq!(raw.accept().await.head().await.first(), "GET / HTTP/1.1");
}

#[tokio::test]
async fn a_body_is_framed_anew_and_its_trailers_are_dropped() {
    let (front, raw) = both().await;
    for method in ["POST", "GET"] {
        let mut client = front
            .ask(&format!(
                "{method} / HTTP/1.1\r\nhost: site\r\ntransfer-encoding: Chunked\r\ntrailer: x-late\r\n\r\n\
                 2;name=value\r\nab\r\n0\r\nx-late: 1\r\ntransfer-encoding: chunked\r\n\r\n"
            ))
            .await;
        let mut upstream = raw.accept().await;
        let sent = upstream.head().await;
        assert_eq!((sent.one("transfer-encoding"), sent.has("trailer")), ("chunked", false));
        assert_eq!(upstream.until("0\r\n\r\n").await, "2\r\nab\r\n0\r\n\r\n");
        upstream.say("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nbye").await;
        drop(upstream);
        assert_eq!(client.head().await.one("transfer-encoding"), "chunked");
        assert_eq!(client.until("0\r\n\r\n").await, "3\r\nbye\r\n0\r\n\r\n");
    }
}

#[tokio::test]
async fn a_known_length_stays_known_and_none_stays_none() {
    let (front, raw) = both().await;
    for (headers, length) in [("content-length: 2\r\n", "2"), ("content-length: 0\r\n", "0"), ("", "")] {
        let body = if length == "2" { "ab" } else { "" };
        let mut client = front.ask(&format!("POST / HTTP/1.1\r\nhost: site\r\n{headers}\r\n{body}")).await;
        let mut upstream = raw.accept().await;
        let sent = upstream.head().await;
        assert_eq!((sent.one("content-length"), sent.has("transfer-encoding")), (length, false));
        assert_eq!(upstream.bytes(body.len()).await, body);
        upstream.say("HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok").await;
        assert_eq!(client.head().await.one("content-length"), "2");
    }
}

#[tokio::test]
async fn an_answer_with_two_lengths_is_read_by_its_chunks() {
    let (front, raw) = both().await;
    let mut client = front.ask(GET).await;
    let mut upstream = raw.accept().await;
    upstream.head().await;
    upstream
        .say("HTTP/1.1 200 OK\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n")
        .await;
    let back = client.head().await;
    assert!(!back.has("content-length"));
    assert_eq!(client.until("0\r\n\r\n").await, "2\r\nab\r\n0\r\n\r\n");
}

#[tokio::test]
async fn what_comes_behind_an_answer_is_nobodys_answer() {
    let (front, raw) = both().await;
    let mut client = front.ask(GET).await;
    let mut upstream = raw.accept().await;
    upstream.head().await;
    upstream.say(&format!("{OK}HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nwrong")).await;
    assert_eq!(client.head().await.status(), 200);
    assert_eq!(client.bytes(2).await, "ok");
    // The connection is not used again.
    client.say(GET).await;
    let mut second = raw.accept().await;
    second.head().await;
    second.say(OK).await;
    assert_eq!(client.head().await.one("content-length"), "2");
}

#[tokio::test]
async fn an_answer_to_head_has_a_length_and_no_body() {
    let (front, raw) = both().await;
    let mut client = front.ask("HEAD / HTTP/1.1\r\nhost: site\r\n\r\n").await;
    let mut upstream = raw.accept().await;
    assert_eq!(upstream.head().await.first(), "HEAD / HTTP/1.1");
    upstream.say("HTTP/1.1 200 OK\r\ncontent-length: 1234\r\n\r\n").await;
    assert_eq!(client.head().await.one("content-length"), "1234");
    // Both connections go on.
    client.say(GET).await;
    upstream.head().await;
    upstream.say(OK).await;
    assert_eq!(client.head().await.one("content-length"), "2");
}

#[tokio::test]
async fn ranges_and_answers_that_nothing_changed_go_through() {
    let (front, raw) = both().await;
    let mut client =
        front.ask("GET / HTTP/1.1\r\nhost: site\r\nrange: bytes=1-2\r\nif-none-match: \"a\"\r\n\r\n").await;
    let mut upstream = raw.accept().await;
    let sent = upstream.head().await;
    assert_eq!((sent.one("range"), sent.one("if-none-match")), ("bytes=1-2", "\"a\""));
    upstream
        .say("HTTP/1.1 206 Partial Content\r\ncontent-range: bytes 1-2/9\r\ncontent-length: 2\r\n\r\nbc")
        .await;
    let back = client.head().await;
    assert_eq!((back.status(), back.one("content-range")), (206, "bytes 1-2/9"));
    assert_eq!(client.bytes(2).await, "bc");
    client.say(GET).await;
    upstream.head().await;
    upstream.say("HTTP/1.1 304 Not Modified\r\netag: \"a\"\r\n\r\n").await;
    let back = client.head().await;
    assert_eq!((back.status(), back.one("etag")), (304, "\"a\""));
    client.say(GET).await;
    upstream.head().await;
    upstream.say(OK).await;
    assert_eq!(client.head().await.status(), 200);
}

#[tokio::test]
async fn answers_before_the_answer_are_left_out() {
    let (front, raw) = both().await;
    let mut client = front.ask(GET).await;
    let mut upstream = raw.accept().await;
    upstream.head().await;
    upstream.say("HTTP/1.1 103 Early Hints\r\nlink: </a.css>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n").await;
    upstream.say(OK).await;
    assert_eq!(client.head().await.status(), 200);
}
