use std::net::SocketAddr;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::routing::get as on_get;
use narrows::scope::{Handshake, ParseTrustedProxiesError, TrustedProxies};
use narrows::serve::settings::Settings;
use narrows::{Channels, InvalidSettings, Limits, OriginPolicy};
use serde_json::json;
use tower::ServiceExt;

use crate::real_site::{Client, Site};
use crate::scope::Tell;

/// What a handler sees as client, scheme and server, of a request to `site.example`.
async fn seen(trusted: &str, peer: &str, headers: &[(&str, &str)]) -> [String; 3] {
    let channels = Channels::builder().trusted_proxies(trusted.parse().unwrap()).build();
    let tell = |told: Handshake| async move {
        let client = told.client().map(|client| client.to_string()).unwrap_or_default();
        [client, told.scheme().to_string(), told.server().unwrap_or_default().to_owned()].join("|")
    };
    let app: Router = Router::new().route("/", on_get(tell)).layer(channels.scope_layer());
    let mut request = http::Request::get("/").header("host", "site.example");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let mut request = request.body(Body::empty()).unwrap();
    request.extensions_mut().insert(ConnectInfo(peer.parse::<SocketAddr>().unwrap()));
    let body = app.oneshot(request).await.unwrap().into_body();
    let body = axum::body::to_bytes(body, 1 << 16).await.unwrap();
    let parts: Vec<String> = std::str::from_utf8(&body).unwrap().split('|').map(str::to_owned).collect();
    parts.try_into().unwrap()
}

async fn client(trusted: &str, peer: &str, headers: &[(&str, &str)]) -> String {
    let [client, _, _] = seen(trusted, peer, headers).await;
    client
}

#[tokio::test]
async fn forwarded_headers_of_an_untrusted_peer_are_ignored() {
    let headers = [
        ("x-forwarded-for", "192.0.2.1"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", "evil.example"),
        ("x-forwarded-port", "8443"),
        ("forwarded", "for=192.0.2.1;proto=https;host=evil.example"),
    ];
    for trusted in ["", "10.0.0.2", "unix"] {
        let seen = seen(trusted, "10.0.0.1:5", &headers).await;
        assert_eq!(seen, ["10.0.0.1:5", "http", "site.example"], "{trusted}");
    }
}

#[tokio::test]
async fn the_first_address_that_is_not_trusted_is_the_client_whatever_stands_before_it() {
    let spoofed = "1.1.1.1, 10.0.0.9, 192.0.2.7:99, 10.0.0.2";
    assert_eq!(client("10.0.0.0/24", "10.0.0.1:5", &[("x-forwarded-for", spoofed)]).await, "192.0.2.7:99");
    assert_eq!(client("10.0.0.1", "10.0.0.1:5", &[("x-forwarded-for", spoofed)]).await, "10.0.0.2");
    // Several lines are one list.
    let lines =
        [("x-forwarded-for", "1.1.1.1"), ("x-forwarded-for", "192.0.2.7"), ("x-forwarded-for", "10.0.0.2")];
    assert_eq!(client("10.0.0.0/24", "10.0.0.1:5", &lines).await, "192.0.2.7");
    // All trusted: the furthest that is known.
    assert_eq!(
        client("10.0.0.0/8", "10.0.0.1:5", &[("x-forwarded-for", "10.9.0.1, 10.0.0.2")]).await,
        "10.9.0.1"
    );
    assert_eq!(client("10.0.0.1", "10.0.0.1:5", &[]).await, "10.0.0.1:5");
}

#[tokio::test]
async fn an_entry_that_is_no_address_ends_the_walk() {
    for (list, found) in [
        ("192.0.2.7, unknown, 10.0.0.2", "10.0.0.2"),
        ("192.0.2.7, , 10.0.0.2", "10.0.0.2"),
        ("192.0.2.7, 999.1.1.1", "10.0.0.1:5"),
        ("", "10.0.0.1:5"),
    ] {
        assert_eq!(client("10.0.0.0/24", "10.0.0.1:5", &[("x-forwarded-for", list)]).await, found, "{list}");
    }
}

#[tokio::test]
async fn proto_host_and_port_are_those_of_the_hop_that_the_client_spoke_to() {
    let trusted = "10.0.0.0/24";
    let peer = "10.0.0.1:5";
    let chain = ("x-forwarded-for", "1.1.1.1, 192.0.2.7, 10.0.0.2");
    let each = ("x-forwarded-proto", "http, https, http");
    assert_eq!(seen(trusted, peer, &[chain, each]).await[1], "https");
    assert_eq!(seen(trusted, peer, &[chain, ("x-forwarded-proto", "WSS")]).await[1], "https");
    // Not one for each hop: the word of the nearest proxy.
    assert_eq!(seen(trusted, peer, &[chain, ("x-forwarded-proto", "https, http")]).await[1], "http");
    assert_eq!(seen(trusted, peer, &[("x-forwarded-proto", "gopher")]).await[1], "http");
    for (headers, server) in [
        (&[("x-forwarded-host", "shop.example:444")][..], "shop.example:444"),
        (&[("x-forwarded-host", "a@b")], "site.example"),
        (&[("x-forwarded-port", "8443")], "site.example:8443"),
        (&[("x-forwarded-port", "443"), ("x-forwarded-proto", "https")], "site.example"),
        (&[("x-forwarded-port", "443"), ("x-forwarded-proto", "http")], "site.example:443"),
        (&[("x-forwarded-port", "9"), ("x-forwarded-host", "[::1]")], "[::1]:9"),
        (&[("x-forwarded-port", "9"), ("x-forwarded-host", "shop.example:1")], "shop.example:1"),
    ] {
        assert_eq!(seen(trusted, peer, headers).await[2], server, "{headers:?}");
    }
}

#[tokio::test]
async fn the_standard_header_is_walked_in_the_same_way() {
    let spoofed =
        r#"for=1.1.1.1;proto=http, For="[2001:db8::7]:4711";Proto=https;host="shop.example", for=10.0.0.2"#;
    let seen = seen("10.0.0.0/24", "10.0.0.1:5", &[("forwarded", spoofed)]).await;
    assert_eq!(seen, ["[2001:db8::7]:4711", "https", "shop.example"]);
    for hidden in
        ["for=1.1.1.1, for=_hidden", "for=1.1.1.1, for=unknown", "for=1.1.1.1, proto=https", "\"", ","]
    {
        let client = client("10.0.0.0/24", "10.0.0.1:5", &[("forwarded", hidden)]).await;
        assert_eq!(client, "10.0.0.1:5", "{hidden}");
    }
}

#[tokio::test]
async fn headers_that_contradict_each_other_are_both_not_believed() {
    let both = [
        ("x-forwarded-for", "192.0.2.7"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", "shop.example"),
        ("forwarded", "for=1.1.1.1;proto=http;host=evil.example"),
    ];
    assert_eq!(seen("10.0.0.1", "10.0.0.1:5", &both).await, ["10.0.0.1:5", "http", "site.example"]);
    let agreed = [("x-forwarded-for", "192.0.2.7"), ("forwarded", "for=\"192.0.2.7:80\";proto=https")];
    assert_eq!(seen("10.0.0.1", "10.0.0.1:5", &agreed).await, ["192.0.2.7", "https", "site.example"]);
}

#[tokio::test]
async fn no_header_makes_the_walk_panic() {
    let odd =
        ["", ",", ";", "=", "\"", "\\", "for", "for=", "for=\"\\", ",,,", "for=\"[\"", "é", "[", "]:1", ":"];
    for value in odd {
        for other in odd {
            for name in
                ["x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "x-forwarded-port", "forwarded"]
            {
                seen("10.0.0.1", "10.0.0.1:5", &[(name, value), ("forwarded", other)]).await;
            }
        }
    }
}

async fn site(builder: narrows::ChannelsBuilder) -> Site {
    let channels = builder.shards(1).build();
    let anyone = channels.consumer::<Tell>().origin(OriginPolicy::any()).route();
    let own = channels.consumer::<Tell>().origin(OriginPolicy::same_origin()).route();
    let app = Router::new().route("/any", anyone).route("/own", own);
    Site::start(app, &channels).await
}

#[tokio::test]
async fn a_consumer_sees_the_client_behind_a_proxy_on_tcp_and_on_a_unix_socket() {
    let site = site(Channels::builder().trusted_proxies("127.0.0.1, unix".parse().unwrap())).await;
    let headers = [("x-forwarded-for", "192.0.2.7"), ("x-forwarded-proto", "https")];
    let mut by_tcp = Client::over(site.tcp().await, "/any", &headers).await.unwrap();
    let mut by_unix = Client::over(site.unix().await, "/any", &headers).await.unwrap();
    for told in [by_tcp.hear_json().await, by_unix.hear_json().await] {
        assert_eq!((&told["client"], &told["scheme"]), (&json!("192.0.2.7"), &json!("wss")));
    }
}

#[tokio::test]
async fn a_unix_socket_is_believed_only_when_it_is_named() {
    let site = site(Channels::builder().trusted_proxies("127.0.0.1".parse().unwrap())).await;
    let mut socket =
        Client::over(site.unix().await, "/any", &[("x-forwarded-for", "192.0.2.7")]).await.unwrap();
    assert_eq!(socket.hear_json().await["client"], json!(null));
}

#[tokio::test]
async fn the_limit_for_an_address_counts_the_clients_behind_a_proxy_and_not_the_proxy() {
    let limits = Limits::default().max_connections_per_address(1);
    let proxies: TrustedProxies = "127.0.0.1".parse().unwrap();
    let site = site(Channels::builder().limits(limits.clone()).trusted_proxies(proxies)).await;
    let connect =
        async |list: &str| Client::over(site.tcp().await, "/any", &[("x-forwarded-for", list)]).await;
    let first = connect("192.0.2.1").await.unwrap();
    let second = connect("192.0.2.2").await.unwrap();
    // A spoofed first entry changes nothing.
    assert_eq!(connect("9.9.9.9, 192.0.2.1").await.err(), Some(429));
    drop((first, second));
    let site = self::site(Channels::builder().limits(limits)).await;
    let first = Client::over(site.tcp().await, "/any", &[("x-forwarded-for", "192.0.2.1")]).await.unwrap();
    let second = Client::over(site.tcp().await, "/any", &[("x-forwarded-for", "192.0.2.2")]).await;
    assert_eq!(second.err(), Some(429));
    drop(first);
}

#[tokio::test]
async fn the_same_origin_is_that_of_the_address_which_the_client_used() {
    let site = site(Channels::builder().trusted_proxies("127.0.0.1".parse().unwrap())).await;
    let backend = ("host", "127.0.0.1:8000");
    let host = ("x-forwarded-host", "shop.example");
    let tls = ("x-forwarded-proto", "https");
    for (headers, status) in [
        (&[backend, host, tls, ("origin", "https://shop.example")][..], None),
        (&[backend, host, tls, ("origin", "http://shop.example")], Some(403)),
        (&[backend, host, tls, ("origin", "https://127.0.0.1:8000")], Some(403)),
        (&[backend, host, ("origin", "http://shop.example")], None),
        (&[tls, ("origin", "https://site.example")], None),
        (&[tls, ("origin", "http://site.example")], Some(403)),
        (&[("x-forwarded-port", "8443"), ("origin", "https://site.example:8443")], None),
        (&[("origin", "https://site.example")], None),
    ] {
        let answer = Client::over(site.tcp().await, "/own", headers).await;
        assert_eq!(answer.err(), status, "{headers:?}");
    }
}

#[tokio::test]
async fn an_untrusted_peer_cannot_choose_the_host_that_origins_are_compared_with() {
    let site = site(Channels::builder()).await;
    let headers = [("x-forwarded-host", "evil.example"), ("origin", "http://evil.example")];
    assert_eq!(Client::over(site.tcp().await, "/own", &headers).await.err(), Some(403));
}

#[test]
fn proxies_are_read_as_addresses_networks_and_unix() {
    let proxies: TrustedProxies =
        "10.0.0.0/9, 192.0.2.1 ,unix, 2001:db8::/33, ::ffff:198.51.100.0/120".parse().unwrap();
    for (address, trusted) in [
        ("10.127.255.255", true),
        ("10.128.0.0", false),
        ("192.0.2.1", true),
        ("192.0.2.2", false),
        ("::ffff:192.0.2.1", true),
        ("2001:db8:7fff::1", true),
        ("2001:db8:8000::1", false),
        ("198.51.100.7", true),
        ("198.51.101.7", false),
    ] {
        assert_eq!(proxies.trusts(address.parse().unwrap()), trusted, "{address}");
    }
    assert!(proxies.trusts_unix());
    assert_eq!(proxies.to_string().parse(), Ok(proxies));
    let all: TrustedProxies = "0.0.0.0/0,::/0".parse().unwrap();
    assert!(
        all.trusts("1.2.3.4".parse().unwrap()) && all.trusts("::1".parse().unwrap()) && !all.trusts_unix()
    );
}

#[test]
fn what_is_no_proxy_is_refused_with_what_would_be_right() {
    let error = |text: &str| text.parse::<TrustedProxies>().unwrap_err();
    for entry in ["proxy", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/+8", "::/129", "10.0.0.1:80", "*"] {
        assert_eq!(error(entry), ParseTrustedProxiesError::Entry { entry: entry.to_owned() });
    }
    assert_eq!(
        error("10.0.0.7/8").to_string(),
        "\"10.0.0.7/8\" is an address inside a network; write 10.0.0.0/8, or 10.0.0.7 for this one only",
    );
}

#[test]
fn settings_that_name_no_proxies_make_no_node() {
    let mut settings = Settings::default();
    settings.trusted_proxies = vec!["proxy".to_owned()];
    let error = Channels::builder().settings(&settings).unwrap_err();
    assert!(matches!(error, InvalidSettings::TrustedProxies(_)), "{error}");
}
