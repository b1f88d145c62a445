use axum::{body::to_bytes, response::IntoResponse};
use http::{HeaderMap, HeaderValue, StatusCode, Uri};
use narrows::{AllowedOrigins, MissingOrigin, OriginPolicy, OriginRefused, ParseOriginPolicyError};
use proptest::prelude::*;
use serde::Deserialize;

#[derive(Deserialize)]
struct Vector {
    allowed: Vec<String>,
    origin: Option<String>,
    ok: serde_json::Value,
}

fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        headers.append(*name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
    }
    headers
}

fn check(policy: &OriginPolicy, pairs: &[(&'static str, &str)]) -> Result<(), OriginRefused> {
    policy.check(&headers(pairs), &Uri::from_static("/ws/"))
}

fn is_same_origin(origin: &str, host: &str) -> bool {
    check(&OriginPolicy::same_origin(), &[("host", host), ("origin", origin)]).is_ok()
}

#[test]
fn an_allow_list_agrees_with_channels() {
    let vectors: Vec<Vector> = serde_json::from_str(include_str!("../vectors/origin.json")).unwrap();
    assert!(vectors.len() > 200);
    for Vector { allowed, origin, ok } in vectors {
        let list = AllowedOrigins::new(allowed.clone());
        // Where Channels raises a ValueError, Narrows refuses.
        let expected = ok.as_bool().unwrap_or(false);
        assert_eq!(list.allows(origin.as_deref()), expected, "{allowed:?} {origin:?}");
    }
}

#[test]
fn one_bad_pattern_of_a_list_does_not_spoil_the_others() {
    let list = AllowedOrigins::new(["http://example.com:port", "[example.com", "example.com"]);
    assert!(list.allows(Some("http://example.com")));
    assert!(!list.allows(Some("http://[example.com")));
}

#[test]
fn patterns_that_cannot_match_are_named_with_a_hint() {
    let fine = ["example.com", ".example.com", "https://.example.com:8443", "*", "[::1]", "127.0.0.1", "::1"];
    assert_eq!(AllowedOrigins::new(fine).suspicious(), []);
    let bad = [
        ("", "empty"),
        ("example.com:8080", "write `https://example.com:8080`"),
        ("localhost:8000", "write `https://localhost:8000`"),
        ("127.0.0.1:8000", "the port is not looked at"),
        ("*.example.com", "write `.example.com`"),
        ("http://*", "write `.example.com`"),
        ("null", "always refused"),
        (" example.com", "white space"),
        ("bücher.de", "xn--"),
        ("//example.com", "begins with a scheme"),
        ("https://example.com:99999", "not valid"),
        ("https://[::1", "not valid"),
    ];
    for (pattern, hint) in bad {
        let found = AllowedOrigins::new([pattern]).suspicious();
        assert_eq!(found.len(), 1, "{pattern}");
        assert!(found[0].hint.contains(hint), "{pattern}: {}", found[0].hint);
        assert_eq!(found[0].pattern, pattern);
    }
}

#[test]
fn the_own_page_may_connect() {
    for (origin, host) in [
        ("http://example.com", "example.com"),
        ("https://example.com", "example.com"),
        ("https://example.com", "example.com:443"),
        ("http://example.com:80", "example.com"),
        ("ws://example.com", "example.com:80"),
        ("wss://example.com", "example.com"),
        ("https://EXAMPLE.com:8443", "example.COM:8443"),
        ("http://127.0.0.1:8000", "127.0.0.1:8000"),
        ("http://[::1]:8000", "[::1]:8000"),
        ("http://[0:0::1]", "[::1]"),
        ("http://my_host", "my_host"),
    ] {
        assert!(is_same_origin(origin, host), "{origin} {host}");
    }
}

#[test]
fn a_page_of_another_origin_may_not_connect() {
    for (origin, host) in [
        ("https://evil.example", "example.com"),
        ("https://sub.example.com", "example.com"),
        ("https://example.com", "sub.example.com"),
        ("https://example.com.evil.example", "example.com"),
        ("https://notexample.com", "example.com"),
        ("https://example.com.", "example.com"),
        ("http://example.com", "example.com:443"),
        ("http://example.com:8000", "example.com"),
        ("http://example.com", "example.com:8000"),
        ("http://[::2]", "[::1]"),
    ] {
        assert!(!is_same_origin(origin, host), "{origin} {host}");
    }
}

#[test]
fn what_is_no_origin_is_refused() {
    for origin in [
        "null",
        "",
        "example.com",
        "//example.com",
        "file://example.com",
        "custom://example.com",
        "https:example.com",
        "https:///example.com",
        "https://example.com/",
        "https://example.com/path",
        "https://example.com?",
        "https://example.com#",
        "https://user@example.com",
        "https://example.com@evil.example",
        "https://evil.example\\@example.com",
        "https://example.com:",
        "https://example.com:abc",
        "https://example.com:+443",
        "https://example.com:65979",
        "https://example.com:443:443",
        "https://[example.com]",
        "https://example%2ecom",
        " https://example.com",
        "https://example.com https://example.com",
        "https://example.com, https://example.com",
        "https://exämple.com",
        "https://",
    ] {
        assert!(!is_same_origin(origin, "example.com"), "{origin}");
    }
    assert!(!is_same_origin("https://", ""));
    assert!(!is_same_origin("https://[::1%25eth0]", "[::1%25eth0]"));
}

#[test]
fn two_origins_or_two_hosts_are_refused() {
    let own = ("origin", "https://example.com");
    let same = OriginPolicy::same_origin();
    let listed = OriginPolicy::allow(AllowedOrigins::new(["example.com"]));
    let host = ("host", "example.com");
    assert!(matches!(check(&same, &[host, own, own]), Err(OriginRefused::Several { .. })));
    assert!(matches!(check(&listed, &[host, own, own]), Err(OriginRefused::Several { .. })));
    assert!(matches!(check(&same, &[host, host, own]), Err(OriginRefused::Host { .. })));
    assert!(matches!(check(&same, &[own]), Err(OriginRefused::Host { .. })));
}

#[test]
fn the_authority_of_the_uri_stands_for_the_host_header() {
    let policy = OriginPolicy::same_origin();
    let uri = Uri::from_static("https://example.com/ws/");
    let own = ("origin", "https://example.com");
    assert_eq!(policy.check(&headers(&[own]), &uri), Ok(()));
    assert_eq!(policy.check(&headers(&[own, ("host", "example.com")]), &uri), Ok(()));
    let other = ("origin", "https://evil.example");
    assert!(policy.check(&headers(&[other]), &uri).is_err());
    assert!(policy.check(&headers(&[own, ("host", "evil.example")]), &uri).is_err());
    assert!(policy.check(&headers(&[other, ("host", "evil.example")]), &uri).is_err());
}

#[test]
fn a_missing_origin_is_decided_by_its_own_setting() {
    let cookie = ("cookie", "sessionid=abc");
    for policy in [OriginPolicy::same_origin(), OriginPolicy::allow(AllowedOrigins::new(["example.com"]))] {
        assert_eq!(check(&policy, &[]), Ok(()));
        assert!(matches!(check(&policy, &[cookie]), Err(OriginRefused::MissingWithCookies { .. })));
        let strict = policy.clone().missing(MissingOrigin::Refuse);
        assert!(matches!(check(&strict, &[]), Err(OriginRefused::Missing { .. })));
        assert_eq!(check(&policy.missing(MissingOrigin::Allow), &[cookie]), Ok(()));
    }
    assert_eq!(check(&OriginPolicy::any(), &[cookie]), Ok(()));
    assert!(check(&OriginPolicy::any().missing(MissingOrigin::Refuse), &[]).is_err());
}

#[test]
fn any_origin_means_any() {
    for origin in ["null", "", "https://evil.example", "\u{e9}"] {
        assert_eq!(check(&OriginPolicy::any(), &[("origin", origin)]), Ok(()));
    }
}

#[tokio::test]
async fn a_refusal_is_logged_in_full_but_answered_without_an_echo() {
    let policy = OriginPolicy::allow(AllowedOrigins::new(["secret.example"]));
    let refused = check(&policy, &[("origin", "https://<b>é")]).unwrap_err();
    let log = refused.to_string();
    assert!(log.contains("https://<b>\\xc3\\xa9") && log.contains("secret.example"), "{log}");

    let response = refused.into_response();
    assert_eq!(response.status(), StatusCode::FORBIDDEN);
    assert_eq!(response.headers()["content-type"], "text/plain; charset=utf-8");
    let body = to_bytes(response.into_body(), 4096).await.unwrap();
    let body = std::str::from_utf8(&body).unwrap();
    assert!(body.contains("allowed origins"));
    assert!(!body.contains("<b>") && !body.contains("secret"));
}

#[test]
fn an_endless_origin_does_not_fill_the_log() {
    let refused = check(&OriginPolicy::same_origin(), &[("host", "a"), ("origin", &"x".repeat(9000))]);
    assert!(refused.unwrap_err().to_string().len() < 400);
}

#[test]
fn a_policy_is_read_from_settings() {
    assert_eq!(" same ".parse(), Ok(OriginPolicy::same_origin()));
    assert_eq!("any".parse(), Ok(OriginPolicy::any()));
    assert_eq!("a.com, *".parse(), Ok(OriginPolicy::any()));
    assert_eq!("a.com,, .b.com,".parse(), Ok(OriginPolicy::allow(AllowedOrigins::new(["a.com", ".b.com"]))));
    assert_eq!(" , ".parse::<OriginPolicy>(), Err(ParseOriginPolicyError::Empty));
    let mixed = Err(ParseOriginPolicyError::NotAlone { word: "same".to_owned() });
    assert_eq!("a.com, same".parse::<OriginPolicy>(), mixed);
    assert_eq!("a.com:80".parse::<OriginPolicy>().unwrap().suspicious().len(), 1);
}

proptest! {
    #[test]
    fn no_bytes_make_a_check_panic(
        origin in proptest::collection::vec(any::<u8>(), 0..60),
        host in proptest::collection::vec(any::<u8>(), 0..60),
        pattern in any::<String>(),
    ) {
        let mut headers = HeaderMap::new();
        for (name, value) in [("origin", origin), ("host", host)] {
            if let Ok(value) = HeaderValue::from_bytes(&value) {
                headers.insert(name, value);
            }
        }
        let listed = AllowedOrigins::new([pattern]);
        let _suspicions = listed.suspicious();
        for policy in [OriginPolicy::same_origin(), OriginPolicy::allow(listed), OriginPolicy::any()] {
            let _decision = policy.check(&headers, &Uri::from_static("/"));
        }
    }

    #[test]
    fn no_text_that_looks_like_an_origin_makes_a_check_panic(
        origin in r"(https?:)?/{0,3}[a-z@:\[\].%*0-9 \\/é]{0,20}",
        pattern in r"(https?:)?/{0,3}[a-z@:\[\].%*0-9 \\/é]{0,20}",
    ) {
        let listed = AllowedOrigins::new([pattern.clone()]);
        let _suspicions = listed.suspicious();
        let _allowed = listed.allows(Some(&origin));
        let _same = is_same_origin(&origin, &pattern);
    }

    #[test]
    fn same_origin_never_accepts_another_host(
        scheme in "https?|wss?",
        host in r"[aA]\.?[bB]?(\.c)?|\[::[12]\]",
        other in r"([a@]@)?[aA]\.?[bB]?(\.c)?(@b|/|\.|\\)?|\[::[12]\]",
        port in r"(:80|:443|:1)?",
    ) {
        let accepted = is_same_origin(&format!("{scheme}://{other}{port}"), &format!("{host}{port}"));
        prop_assert_eq!(accepted, host.eq_ignore_ascii_case(&other));
    }

    #[test]
    fn same_origin_takes_the_host_to_the_letter(
        origin in r"https?://[ab.:@/\[\]\\?#%-]{0,8}",
    ) {
        if is_same_origin(&origin, "a.b") {
            prop_assert!(["http://a.b", "https://a.b"].contains(&origin.as_str()));
        }
    }
}
