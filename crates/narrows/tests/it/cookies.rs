use std::collections::BTreeMap;

use axum::extract::FromRequestParts;
use http::{HeaderMap, HeaderValue, Request, header::COOKIE};
use narrows::scope::Cookies;
use proptest::prelude::*;
use serde::Deserialize;

#[derive(Deserialize)]
struct Vector {
    #[serde(rename = "in")]
    header: String,
    out: BTreeMap<String, String>,
}

fn headers<const N: usize>(lines: [&[u8]; N]) -> HeaderMap {
    lines.iter().map(|line| (COOKIE, HeaderValue::from_bytes(line).unwrap())).collect()
}

#[test]
fn cookies_are_read_as_django_reads_them() {
    let vectors: Vec<Vector> = serde_json::from_str(include_str!("../vectors/parse_cookie.json")).unwrap();
    assert!(!vectors.is_empty());
    for Vector { header, out } in vectors {
        let cookies = Cookies::parse(&header);
        let found: BTreeMap<_, _> = cookies.iter().map(|(n, v)| (n.to_owned(), v.to_owned())).collect();
        assert_eq!(found, out, "{header}");
        for (name, value) in &out {
            assert_eq!(cookies.get(name), Some(value.as_str()), "{header}");
        }
    }
}

#[test]
fn all_cookie_headers_count_and_the_last_of_a_name_wins() {
    let cookies = Cookies::from_headers(&headers([b"a=1; b=2", b"c=3; a=4"]));
    assert_eq!(cookies.iter().collect::<Vec<_>>(), [("a", "4"), ("b", "2"), ("c", "3")]);
    assert_eq!(cookies.len(), 3);
}

#[test]
fn a_header_is_utf8_where_it_can_be_and_latin1_where_not() {
    let cookies = Cookies::from_headers(&headers(["a=é".as_bytes(), b"b=\xe9"]));
    assert_eq!((cookies.get("a"), cookies.get("b")), (Some("é"), Some("é")));
}

#[test]
fn escapes_are_undone_in_quoted_values_only() {
    let cookies = Cookies::parse(r#"a="\\\"\101\400\é\"; b=\101; c="; d="""#);
    assert_eq!(cookies.get("a"), Some("\\\"A400é\\"));
    assert_eq!(cookies.get("b"), Some("\\101"));
    assert_eq!(cookies.get("c"), Some("\""));
    assert_eq!(cookies.get("d"), Some(""));
}

#[test]
fn the_debug_form_hides_the_values() {
    assert_eq!(format!("{:?}", Cookies::parse("sessionid=secret")), r#"Cookies{"sessionid"}"#);
}

#[tokio::test]
async fn the_extractor_finds_no_cookies_where_none_were_sent() {
    let mut parts = Request::new(()).into_parts().0;
    let cookies = Cookies::from_request_parts(&mut parts, &()).await.unwrap();
    assert!(cookies.is_empty());
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_a_panic(line in proptest::collection::vec(any::<u8>(), 0..80)) {
        if let Ok(line) = HeaderValue::from_bytes(&line) {
            let cookies = Cookies::from_headers(&[(COOKIE, line)].into_iter().collect());
            for (name, value) in cookies.iter() {
                prop_assert_eq!(cookies.get(name), Some(value));
            }
        }
    }

    #[test]
    fn any_text_is_read_without_a_panic(text in r#"[a-c"\\0-4=; é]{0,60}"#) {
        let cookies = Cookies::parse(&text);
        prop_assert_eq!(cookies.iter().count(), cookies.len());
    }
}
