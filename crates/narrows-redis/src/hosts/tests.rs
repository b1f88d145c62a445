use proptest::prelude::*;
use serde_json::json;

use super::*;

fn ok(url: &str) -> Host {
    url.parse().unwrap_or_else(|e| panic!("{url}: {e}"))
}

fn error(url: &str) -> ParseHostError {
    url.parse::<Host>().expect_err(url)
}

fn of_json(value: serde_json::Value) -> Result<Host, String> {
    serde_json::from_value(value).map_err(|e| e.to_string())
}

// URLs.

#[test]
fn a_server_is_read() {
    for (url, host) in [
        ("redis://localhost", Host::default()),
        ("redis://localhost/", Host::default()),
        ("redis://", Host::default()),
        ("redis://:6380", Host::new("localhost", 6380)),
        ("redis:///3", Host::default().db(3)),
        ("redis://10.0.0.1:6380/3", Host::new("10.0.0.1", 6380).db(3)),
        ("redis://a:", Host::new("a", 6379)),
        ("redis://[::1]", Host::new("::1", 6379)),
        ("redis://[2001:db8::2]:7000/1", Host::new("2001:db8::2", 7000).db(1)),
        ("redis://me@a", Host::new("a", 6379).username("me")),
        ("redis://me:pw@a", Host::new("a", 6379).username("me").password("pw")),
        ("redis://:pw@a", Host::new("a", 6379).password("pw")),
        ("redis://:@a", Host::new("a", 6379)),
        ("redis://m%40e:p%3Aw%2F%C3%A9:x@a", Host::new("a", 6379).username("m@e").password("p:w/é:x")),
        ("redis://p@w:p@w@a", Host::new("a", 6379).username("p@w").password("p@w")),
        ("redis://a?db=2", Host::new("a", 6379).db(2)),
        ("redis://a/1?db=2", Host::new("a", 6379).db(2)),
        ("redis://me@a?password=p%26+w&username=you&", Host::new("a", 6379).username("me").password("p& w")),
    ] {
        assert_eq!(ok(url), host, "{url}");
    }
}

#[test]
fn tls_is_read() {
    for (url, tls) in [
        ("rediss://a", Tls::new()),
        ("rediss://a?ssl_ca_certs=/etc/ca%20.pem", Tls::new().ca("/etc/ca .pem")),
        ("rediss://a?ssl_certfile=c&ssl_keyfile=k", Tls::new().client_cert("c", "k")),
        ("rediss://a?ssl_cert_reqs=none", Tls::new().danger_accept_any_certificate()),
        ("rediss://a?ssl_cert_reqs=required&ssl_check_hostname=true", Tls::new()),
        ("rediss://a?ssl_check_hostname=False", Tls::new().danger_accept_any_hostname()),
    ] {
        assert_eq!(ok(url), Host::new("a", 6379).tls(tls), "{url}");
    }
    let host = ok("rediss://a?ssl_certfile=both.pem");
    assert_eq!(host.tls.map(|tls| (tls.cert, tls.key)), Some((Some("both.pem".into()), None)));
}

#[test]
fn a_unix_socket_is_read() {
    for (url, host) in [
        ("unix:///run/redis.sock", Host::unix("/run/redis.sock")),
        ("unix:///run/my%20redis@1.sock?db=3", Host::unix("/run/my redis@1.sock").db(3)),
        ("unix://me:p%2Fw@/run/redis.sock", Host::unix("/run/redis.sock").username("me").password("p/w")),
    ] {
        assert_eq!(ok(url), host, "{url}");
    }
}

#[test]
fn sentinels_are_read() {
    let one = || Host::sentinel([("a", 26379)], "mymaster");
    for (url, host) in [
        ("redis+sentinel://a/mymaster", one()),
        ("redis+sentinel://a/mymaster/", one()),
        ("redis+sentinel://a/mymaster/2", one().db(2)),
        ("redis+sentinel://a/my%2Fmaster?db=1", Host::sentinel([("a", 26379)], "my/master").db(1)),
        (
            "redis+sentinel://me:pw@a,b:1,[::1],[::2]:2/m",
            Host::sentinel([("a", 26379), ("b", 1), ("::1", 26379), ("::2", 2)], "m")
                .username("me")
                .password("pw"),
        ),
        (
            "rediss+sentinel://a/mymaster?sentinel_username=s&sentinel_password=t",
            one().tls(Tls::new()).sentinel_login(Some("s".into()), Some("t".into())),
        ),
    ] {
        assert_eq!(ok(url), host, "{url}");
    }
}

#[test]
fn a_cluster_is_read() {
    for (url, host) in [
        ("redis+cluster://a", Host::cluster([("a", 6379)])),
        ("redis+cluster://a,b:7000,[::1]:7001/0", Host::cluster([("a", 6379), ("b", 7000), ("::1", 7001)])),
        (
            "rediss+cluster://:pw@a?ssl_ca_certs=c",
            Host::cluster([("a", 6379)]).password("pw").tls(Tls::new().ca("c")),
        ),
    ] {
        assert_eq!(ok(url), host, "{url}");
    }
}

#[test]
fn what_is_wrong_with_a_url_is_named() {
    for (url, text) in [
        ("localhost:6379", "a Redis host is a URL such as redis://localhost:6379"),
        ("", "a Redis host is a URL such as redis://localhost:6379"),
        (
            "http://a",
            "http:// is no scheme of Redis; use redis, rediss, unix, redis+sentinel, rediss+sentinel, redis+cluster or rediss+cluster",
        ),
        (
            "unix+sentinel:///run/x/m",
            "unix+sentinel:// is no scheme of Redis; use redis, rediss, unix, redis+sentinel, rediss+sentinel, redis+cluster or rediss+cluster",
        ),
        ("redis://a:b", r#"the port "b" is not a number from 1 to 65535"#),
        ("redis://a:0", r#"the port "0" is not a number from 1 to 65535"#),
        ("redis://a:65536", r#"the port "65536" is not a number from 1 to 65535"#),
        ("redis://a:+1", r#"the port "+1" is not a number from 1 to 65535"#),
        (
            "redis://::1:6379",
            r#""::1:6379" is no host; an IPv6 address stands in brackets, as in [::1]:6379"#,
        ),
        ("redis://[::1", r#""[::1" is no host; an IPv6 address stands in brackets, as in [::1]:6379"#),
        ("redis://[a]:1", r#""[a]:1" is no host; an IPv6 address stands in brackets, as in [::1]:6379"#),
        (
            "redis://[::1]6379",
            r#""[::1]6379" is no host; an IPv6 address stands in brackets, as in [::1]:6379"#,
        ),
        ("redis://a b", r#""a b" is no host; an IPv6 address stands in brackets, as in [::1]:6379"#),
        (
            "redis://a,b",
            "one URL is for one host; give several URLs, or a list to redis+cluster:// or redis+sentinel:// if it is one",
        ),
        ("redis://a/b", r#"the database "b" is not a number from 0 up"#),
        ("redis://a/-1", r#"the database "-1" is not a number from 0 up"#),
        (
            "redis://a?db=99999999999999999999",
            r#"the database "99999999999999999999" is not a number from 0 up"#,
        ),
        (
            "redis://a/1/2",
            r#"the path "/1/2" is too long: behind the host stands /db, or with sentinels /master/db"#,
        ),
        ("redis://a?db=1&db=2", "the option db is given twice"),
        (
            "redis://a?socket_timeout=1",
            r#"there is no option "socket_timeout" here; use db, username or password"#,
        ),
        (
            "redis://a?sentinel_username=1",
            r#"there is no option "sentinel_username" here; use db, username or password"#,
        ),
        ("redis://a?ssl_ca_certs=1", "the option ssl_ca_certs is for TLS; use rediss:// or ssl"),
        (
            "unix:///a?ssl_ca_certs=1",
            r#"there is no option "ssl_ca_certs" here; use db, username or password"#,
        ),
        ("rediss://a?ssl_cert_reqs=maybe", r#"the option ssl_cert_reqs is "maybe"; use none or required"#),
        ("rediss://a?ssl_check_hostname=1", r#"the option ssl_check_hostname is "1"; use true or false"#),
        ("rediss://a?ssl_keyfile=k", "ssl_keyfile needs ssl_certfile"),
        ("unix://", "a Unix socket is given by its path, as in unix:///run/redis.sock"),
        ("unix://run/redis.sock", "a Unix socket is given by its path, as in unix:///run/redis.sock"),
        (
            "redis+sentinel://a",
            "the name of the sentinels' master is missing, as in redis+sentinel://host/mymaster",
        ),
        (
            "redis+sentinel://a//1",
            "the name of the sentinels' master is missing, as in redis+sentinel://host/mymaster",
        ),
        ("redis+sentinel://a/m/x", r#"the database "x" is not a number from 0 up"#),
        (
            "redis+sentinel://a/m/1/2",
            r#"the path "/m/1/2" is too long: behind the host stands /db, or with sentinels /master/db"#,
        ),
        ("redis+sentinel:///m", "a host is missing"),
        ("redis+sentinel://a,,b/m", "a host is missing"),
        ("redis+cluster://", "a host is missing"),
        ("redis+cluster://a,", "a host is missing"),
        ("redis+cluster://a,:1", "a host is missing"),
        ("redis+cluster://a/1", "a cluster has no database 1, only 0"),
        ("redis+cluster://a?db=1", "a cluster has no database 1, only 0"),
        ("redis://%ff@a", "the user of the URL is not UTF-8"),
    ] {
        assert_eq!(error(url).to_string(), text, "{url}");
    }
}

#[test]
fn a_host_made_in_code_is_checked_when_it_is_used() {
    let empty: [(&str, u16); 0] = [];
    for (host, error) in [
        (Host::new("", 1), ParseHostError::NoHost),
        (Host::new("a", 0), ParseHostError::Port { port: "0".into() }),
        (Host::new("a", 1).db(-1), ParseHostError::Db { db: "-1".into() }),
        (Host::unix(""), ParseHostError::NoPath),
        (Host::unix("/a").tls(Tls::new()), ParseHostError::TlsOnUnix),
        (Host::cluster(empty), ParseHostError::NoHost),
        (Host::cluster([("a", 1)]).db(1), ParseHostError::ClusterDb { db: 1 }),
        (Host::sentinel(empty, "m"), ParseHostError::NoHost),
        (Host::sentinel([("a", 1)], ""), ParseHostError::NoMaster),
    ] {
        assert_eq!(host.check(), Err(error), "{host}");
    }
    assert_eq!(Host::unix("/a").db(15).check(), Ok(()));
}

// Secrets.

#[test]
fn secrets_are_not_shown() {
    for url in [
        "redis://me:hunter2@a:1/2",
        "rediss://a?password=hunter2&ssl_ca_certs=c",
        "unix://:hunter2@/run/redis.sock?db=1",
        "redis+sentinel://:hunter2@a,b/m/2?sentinel_password=hunter2",
        "redis+cluster://:hunter2@a,[::1]:7",
    ] {
        let host = ok(url);
        let shown = format!("{host} {host:?} {host:#?}");
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}

#[test]
fn an_error_shows_nothing_of_a_password_that_was_not_escaped() {
    for url in [
        "redis://me:hun/ter2@a:1",
        "redis://me:hun?ter2@a:1",
        "redis://me:hun#ter2@a:1",
        "redis://me:hun/ter2:x?@a:1/z",
        "redis+sentinel://me:hun/ter2@a,b/m",
        "redis+cluster://me:hun/ter2@a,b",
        "unix://me:hun/ter2@/run/redis.sock",
        "unix://me:hun?ter2@/run/redis.sock",
        "unix://me:hun#ter2@/run/redis.sock",
        "hunter2@a",
        "redis://me:hunter2@a:b",
        "redis://me:hunter2@a,b",
        "redis://me:hunter2@/b",
        "redis://me:hunter2%ff@a",
        "redis://a?password=hunter2&db=x",
    ] {
        let error = error(url);
        let shown = format!("{error} {error:?}");
        assert!(!shown.contains("hun") && !shown.contains("ter2"), "{url} {shown}");
    }
    let error = parse_hosts("redis://me:hun ter2@a:1").unwrap_err();
    assert_eq!(error, ParseHostError::Unescaped);
}

#[test]
fn an_error_shows_nothing_of_a_password_that_is_no_text() {
    for value in [json!(4711), json!(-4711), json!(47.11), json!([4711]), json!({"4711": 4711})] {
        for setting in [
            json!({"password": value}),
            json!({"sentinels": [["a", 1]], "master_name": "m", "sentinel_kwargs": {"password": value}}),
        ] {
            let error = of_json(setting).unwrap_err();
            assert!(error.contains("a password is a text") && !error.contains('7'), "{error}");
        }
    }
}

#[test]
fn a_host_shows_its_address() {
    for url in [
        "redis://localhost:6379",
        "rediss://localhost:6379/3",
        "redis://[::1]:6379",
        "unix:///run/redis.sock",
        "unix:///run/redis.sock?db=2",
        "redis+sentinel://a:26379,[::1]:1/mymaster/4",
        "rediss+cluster://a:6379,b:7000",
    ] {
        assert_eq!(ok(url).to_string(), url);
    }
    assert_eq!(
        format!("{:?}", ok("redis://me:pw@a")),
        r#"Host { place: a:6379, username: Some("me"), password: Some("…"), db: 0, tls: None }"#
    );
}

// Several.

#[test]
fn several_hosts_stand_in_one_text() {
    let [a, b] = [Host::new("a", 6379), Host::new("b", 1)];
    let cluster = Host::cluster([("c", 6379), ("d", 2)]);
    for text in [
        "redis://a redis://b:1 redis+cluster://c,d:2",
        "redis://a,redis://b:1,redis+cluster://c,d:2",
        "  redis://a, redis://b:1 ,\n redis+cluster://c,d:2, ",
    ] {
        assert_eq!(parse_hosts(text).unwrap(), [a.clone(), b.clone(), cluster.clone()], "{text}");
    }
    assert_eq!(parse_hosts("redis+cluster://c,d:2,redis://a").unwrap(), [cluster, a.clone()]);
    assert_eq!(parse_hosts("redis://:p,w@a").unwrap(), [a.password("p,w")]);
    for none in ["", " ", ", ,"] {
        assert_eq!(parse_hosts(none), Err(ParseHostError::NoHost));
    }
    assert_eq!(parse_hosts("redis://a b"), Err(ParseHostError::NotAUrl));
    assert_eq!(parse_hosts("redis://a,b redis://c"), Err(ParseHostError::SeveralHosts));
}

// Settings.

#[test]
fn the_forms_of_channels_redis_are_read() {
    for (setting, host) in [
        (json!("redis://a/1"), Host::new("a", 6379).db(1)),
        (json!(["a", 6380]), Host::new("a", 6380)),
        (json!(["::1", 6380, "more"]), Host::new("::1", 6380)),
        (json!({}), Host::default()),
        (
            json!({"address": "rediss://a", "db": 2, "password": "p"}),
            Host::new("a", 6379).tls(Tls::new()).db(2).password("p"),
        ),
        (
            json!({"address": "redis://:q@a/1", "db": 2, "password": "p"}),
            Host::new("a", 6379).db(1).password("q"),
        ),
        (json!({"address": "redis://a", "ssl": true}), Host::new("a", 6379).tls(Tls::new())),
        (json!({"address": "unix:///a", "db": 2}), Host::unix("/a").db(2)),
        (json!({"address": "redis+cluster://a,b"}), Host::cluster([("a", 6379), ("b", 6379)])),
        (
            json!({"host": "a", "port": 1, "db": 2, "username": "u", "password": null, "ssl": false}),
            Host::new("a", 1).db(2).username("u"),
        ),
        (
            json!({"host": "a", "ssl": true, "ssl_ca_certs": "c", "ssl_certfile": "d", "ssl_keyfile": "k", "ssl_cert_reqs": "none", "ssl_check_hostname": false}),
            Host::new("a", 6379).tls(
                Tls::new()
                    .ca("c")
                    .client_cert("d", "k")
                    .danger_accept_any_certificate()
                    .danger_accept_any_hostname(),
            ),
        ),
        (
            json!({"sentinels": [["a", 1], ["b", 2]], "master_name": "m", "db": 3, "password": "p"}),
            Host::sentinel([("a", 1), ("b", 2)], "m").db(3).password("p"),
        ),
        (
            json!({"sentinels": [["a", 1]], "master_name": "m", "sentinel_kwargs": {"username": "s", "password": "t"}}),
            Host::sentinel([("a", 1)], "m").sentinel_login(Some("s".into()), Some("t".into())),
        ),
    ] {
        assert_eq!(of_json(setting.clone()), Ok(host), "{setting}");
    }
}

#[test]
fn what_is_wrong_with_a_setting_is_named() {
    for (setting, text) in [
        (json!({"hots": "a"}), "unknown field `hots`"),
        (
            json!({"sentinels": [["a", 1]], "master_name": "m", "sentinel_kwargs": {"pasword": "x"}}),
            "unknown field `pasword`",
        ),
        (json!({"address": "redis://a", "host": "b"}), "address and host exclude each other"),
        (
            json!({"address": "unix:///a", "sentinels": [["b", 1]], "master_name": "m"}),
            "address and sentinels exclude each other",
        ),
        (
            json!({"sentinels": [["b", 1]], "master_name": "m", "port": 1}),
            "sentinels and port exclude each other",
        ),
        (json!({"sentinels": [["b", 1]]}), "the name of the sentinels' master is missing"),
        (json!({"sentinels": [], "master_name": "m"}), "a host is missing"),
        (json!({"host": "b", "master_name": "m"}), "master_name needs sentinels"),
        (json!({"address": "redis://b", "sentinel_kwargs": {}}), "sentinel_kwargs needs sentinels"),
        (json!({"address": "unix:///b", "ssl": true}), "a Unix socket has no TLS"),
        (json!({"address": "rediss://b", "ssl": false}), "rediss:// and ssl = false exclude each other"),
        (json!({"address": "redis+cluster://b", "db": 1}), "a cluster has no database 1, only 0"),
        (json!({"host": "b", "ssl_ca_certs": "c"}), "the option ssl_ca_certs is for TLS"),
        (
            json!({"host": "b", "ssl": true, "ssl_cert_reqs": "some"}),
            r#"the option ssl_cert_reqs is "some"; use none or required"#,
        ),
        (json!({"host": "b", "db": -1}), r#"the database "-1" is not a number from 0 up"#),
        (json!({"host": "b", "port": 0}), r#"the port "0" is not"#),
        (json!({"host": "b", "port": 70000}), "invalid value: integer `70000`"),
        (json!(["a"]), "invalid length 1, expected a host and a port"),
        (json!([]), "invalid length 0, expected a host and a port"),
        (json!(["a", "6379"]), "invalid type: string"),
        (json!(7), "expected a Redis host: a URL, [host, port], or a map"),
        (json!("a"), "a Redis host is a URL such as redis://localhost:6379"),
    ] {
        let error = of_json(setting.clone()).unwrap_err();
        assert!(error.contains(text), "{setting}: {error}");
    }
}

proptest! {
    #[test]
    fn junk_is_an_error_and_never_a_panic(junk: String, tail in "[a-z0-9:@/?#,.%=&\\[\\] -]{0,40}") {
        prop_assert!(junk.contains("://") || junk.parse::<Host>().is_err());
        for scheme in ["redis", "rediss", "unix", "redis+sentinel", "redis+cluster"] {
            for rest in [&junk, &tail] {
                let url = format!("{scheme}://{rest}");
                if let Ok(host) = url.parse::<Host>() {
                    prop_assert_eq!(host.check(), Ok(()));
                }
                if let Ok(hosts) = parse_hosts(&url) {
                    prop_assert!(!hosts.is_empty());
                }
            }
        }
    }

    #[test]
    fn any_user_and_password_come_through_percent_encoded(user: String, password: String) {
        let encode = |text: &str| text.bytes().map(|byte| format!("%{byte:02x}")).collect::<String>();
        let host = ok(&format!("redis://{}:{}@a", encode(&user), encode(&password)));
        prop_assert_eq!(host.username.unwrap_or_default(), user);
        prop_assert_eq!(host.password.unwrap_or_default(), password);
    }
}
