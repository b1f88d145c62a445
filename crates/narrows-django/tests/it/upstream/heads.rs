use super::{Front, GET, OK, both};

const SPOOFED: &str = "GET / HTTP/1.1\r\nhost: site\r\nx-forwarded-for: 192.0.2.1, 192.0.2.2\r\n\
    x-forwarded-for: 192.0.2.3\r\nx-real-ip: 192.0.2.1\r\nx-forwarded-proto: https\r\nx-forwarded-host: evil\r\n\
    x-forwarded-port: 666\r\nx-forwarded-ssl: on\r\nforwarded: for=192.0.2.1;proto=https\r\nproxy: evil:80\r\n\
    x_forwarded_for: 192.0.2.1\r\nscript_name: /evil\r\n\r\n";

#[tokio::test]
async fn a_path_and_its_query_go_through_byte_for_byte() {
    let (front, raw) = both().await;
    for target in ["/a%2fb/%E4/../c//?q=%20+%zz&&=", "/", "/?", "/%", "//host/", "/a;b=c'(!)*~?/?", "*"] {
        let method = if target == "*" { "OPTIONS" } else { "GET" };
        let mut client = front.ask(&format!("{method} {target} HTTP/1.1\r\nhost: site\r\n\r\n")).await;
        let mut upstream = raw.accept().await;
        assert_eq!(upstream.head().await.first(), format!("{method} {target} HTTP/1.1"));
        upstream.say("HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n").await;
        assert_eq!(client.head().await.status(), 204);
    }
}

#[tokio::test]
async fn headers_about_a_connection_end_here_in_both_directions() {
    let (front, raw) = both().await;
    let about = "connection: keep-alive, X-Secret\r\nconnection: x-more\r\nkeep-alive: timeout=5\r\nte: trailers\r\n\
        upgrade: h2c\r\nproxy-connection: close\r\nx-secret: 1\r\nx-more: 1\r\nx-kept: 1\r\n";
    let mut client = front.ask(&format!("GET / HTTP/1.1\r\nhost: site\r\n{about}\r\n")).await;
    let mut upstream = raw.accept().await;
    let sent = upstream.head().await;
    upstream.say(&format!("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n{about}\r\n")).await;
    let back = client.head().await;
    for head in [&sent, &back] {
        for name in ["connection", "keep-alive", "te", "upgrade", "proxy-connection", "x-secret", "x-more"] {
            assert!(!head.has(name), "{name} in {head:?}");
        }
        assert_eq!(head.one("x-kept"), "1");
    }
}

#[tokio::test]
async fn what_a_client_says_of_itself_is_replaced_by_what_is_known_of_it() {
    let (front, raw) = both().await;
    let _client = front.ask(SPOOFED).await;
    let sent = raw.accept().await.head().await;
    assert_eq!(sent.one("host"), "site");
    assert_eq!(sent.one("x-forwarded-for"), "127.0.0.1");
    assert_eq!(sent.one("x-real-ip"), "127.0.0.1");
    assert_eq!(sent.one("x-forwarded-proto"), "http");
    assert_eq!(sent.one("x-forwarded-host"), "site");
    for name in
        ["x-forwarded-port", "x-forwarded-ssl", "forwarded", "proxy", "x_forwarded_for", "script_name"]
    {
        assert!(!sent.has(name), "{name}");
    }
}

#[tokio::test]
async fn a_trusted_proxy_is_believed_and_its_client_is_the_one_address_that_is_passed_on() {
    let raw = super::Raw::start().await;
    let front = Front::behind("127.0.0.1, 192.0.2.3", raw.upstream()).await;
    let _client = front
        .ask(
            "GET / HTTP/1.1\r\nhost: inner\r\nx-forwarded-for: 192.0.2.9, 192.0.2.2, 192.0.2.3\r\n\
             x-forwarded-proto: https\r\nx-forwarded-host: example.com\r\n\r\n",
        )
        .await;
    let sent = raw.accept().await.head().await;
    assert_eq!(sent.one("x-forwarded-for"), "192.0.2.2");
    assert_eq!(sent.one("x-forwarded-proto"), "https");
    assert_eq!(sent.one("x-forwarded-host"), "example.com");
    assert_eq!(sent.one("host"), "inner");
}

#[tokio::test]
async fn several_cookies_are_joined_on_the_way_there_and_stay_several_on_the_way_back() {
    let (front, raw) = both().await;
    let mut client =
        front.ask("GET / HTTP/1.1\r\nhost: site\r\ncookie: a=1\r\ncookie: b=2; c=3\r\n\r\n").await;
    let mut upstream = raw.accept().await;
    assert_eq!(upstream.head().await.one("cookie"), "a=1; b=2; c=3");
    upstream
        .say("HTTP/1.1 302 Found\r\nset-cookie: a=1; Path=/\r\nset-cookie: b=\r\nlocation: /x\r\ncontent-length: 0\r\n\r\n")
        .await;
    let back = client.head().await;
    assert_eq!(back.all("set-cookie"), ["a=1; Path=/", "b="]);
    assert_eq!(back.one("location"), "/x");
}

#[tokio::test]
async fn a_client_of_http_1_0_needs_no_host_and_one_of_1_1_has_exactly_one() {
    let (front, raw) = both().await;
    let mut old = front.ask("GET / HTTP/1.0\r\n\r\n").await;
    let mut upstream = raw.accept().await;
    let sent = upstream.head().await;
    assert_eq!(sent.first(), "GET / HTTP/1.1");
    assert_eq!(sent.one("host"), raw.0.local_addr().unwrap().to_string());
    upstream.say(OK).await;
    assert_eq!(old.head().await.status(), 200);
    for headers in ["", "host: a\r\nhost: b\r\n", "host: a\r\nhost: a\r\n"] {
        let mut client = front.ask(&format!("GET / HTTP/1.1\r\n{headers}\r\n")).await;
        assert_eq!(client.head().await.status(), 400, "{headers:?}");
    }
}

#[tokio::test]
async fn the_host_in_an_address_counts_before_the_header() {
    let (front, raw) = both().await;
    let _client = front.ask("GET http://other/x?y HTTP/1.1\r\nhost: site\r\n\r\n").await;
    let sent = raw.accept().await.head().await;
    assert_eq!((sent.first(), sent.one("host")), ("GET /x?y HTTP/1.1", "other"));
    let mut client = front.ask("GET http://user@other/ HTTP/1.1\r\nhost: site\r\n\r\n").await;
    assert_eq!(client.head().await.status(), 400);
}

#[tokio::test]
async fn a_socket_without_a_route_is_a_404_and_the_upstream_is_not_asked() {
    let (front, raw) = both().await;
    let mut client = front
        .ask(
            "GET /ws/ HTTP/1.1\r\nhost: site\r\nconnection: Upgrade\r\nupgrade: WebSocket\r\n\
             sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        )
        .await;
    assert_eq!(client.head().await.status(), 404);
    let mut next = front.ask(GET).await;
    let mut upstream = raw.accept().await;
    assert_eq!(upstream.head().await.first(), "GET / HTTP/1.1");
    upstream.say(OK).await;
    assert_eq!(next.head().await.status(), 200);
}

#[tokio::test]
async fn methods_that_are_for_proxies_are_not_passed_on_and_unknown_ones_are() {
    let (front, raw) = both().await;
    for request in
        ["TRACE / HTTP/1.1\r\nhost: site\r\n\r\n", "CONNECT site:80 HTTP/1.1\r\nhost: site:80\r\n\r\n"]
    {
        assert_eq!(front.ask(request).await.head().await.status(), 501, "{request}");
    }
    let _client = front.ask("PROPFIND /dav HTTP/1.1\r\nhost: site\r\n\r\n").await;
    assert_eq!(raw.accept().await.head().await.first(), "PROPFIND /dav HTTP/1.1");
}

#[tokio::test]
async fn a_request_that_comes_around_again_ends_with_508() {
    let (front, raw) = both().await;
    let _client = front.ask("GET / HTTP/1.1\r\nhost: site\r\nvia: 1.1 other\r\n\r\n").await;
    let sent = raw.accept().await.head().await;
    let via = sent.all("via");
    assert_eq!((via.len(), via[0]), (2, "1.1 other"));
    let around = format!("GET / HTTP/1.1\r\nhost: site\r\nvia: {}\r\n\r\n", via.join(", "));
    assert_eq!(front.ask(&around).await.head().await.status(), 508);
}
