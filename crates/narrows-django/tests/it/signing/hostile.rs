use std::io::Write;
use std::time::{Duration, SystemTime};

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use narrows_django::signing::{
    CookieSalt, MAX_INFLATED_BYTES, SALT, SecretKeys, SignatureError, Signer, TimestampSigner, dumps, loads,
    unsign_cookie,
};
use proptest::prelude::*;
use serde_json::Value;

use crate::vectors::{keys, now};

fn read(text: &str) -> Result<Value, SignatureError> {
    loads(text, SALT, &keys(), None, now())
}

/// What the site's own key signed, whatever it is.
fn signed(value: &str) -> String {
    TimestampSigner::new(&keys(), SALT).sign(value, now())
}

fn deflated(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn a_text_that_was_cut_short_is_not_believed() {
    let whole = dumps(&"hello", SALT, &keys(), false, now()).unwrap();
    for length in 0..whole.len() {
        assert_eq!(read(&whole[..length]), Err(SignatureError::Bad), "{length} bytes");
    }
}

#[test]
fn one_changed_character_is_enough() {
    let whole = dumps(&"hello", SALT, &keys(), false, now()).unwrap();
    for at in 0..whole.len() {
        let mut changed = whole.clone().into_bytes();
        changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
        assert_eq!(read(std::str::from_utf8(&changed).unwrap()), Err(SignatureError::Bad), "byte {at}");
    }
}

#[test]
fn a_text_that_inflates_without_end_is_refused_and_costs_no_more_than_the_limit() {
    let bomb = deflated(&vec![b' '; 4 * MAX_INFLATED_BYTES]);
    assert!(bomb.len() < 100_000);
    assert_eq!(
        read(&signed(&format!(".{}", BASE64_URL_SAFE_NO_PAD.encode(bomb)))),
        Err(SignatureError::Content)
    );
}

#[test]
fn what_is_too_long_to_be_inflated_is_written_plain_and_read_again() {
    let long = "x".repeat(MAX_INFLATED_BYTES);
    let text = dumps(&long, SALT, &keys(), true, now()).unwrap();
    assert!(!text.starts_with('.'));
    assert_eq!(read(&text), Ok(Value::String(long)));
}

#[test]
fn what_a_key_signed_but_nobody_wrote_is_an_error() {
    let deflated = BASE64_URL_SAFE_NO_PAD.encode(deflated(b"[1"));
    let cut = BASE64_URL_SAFE_NO_PAD.encode(&self::deflated(b"[1,2,3]")[..8]);
    let not_utf8 = BASE64_URL_SAFE_NO_PAD.encode(b"\"\xff\"");
    let deep = BASE64_URL_SAFE_NO_PAD.encode("[".repeat(100_000));
    for content in ["", ".", "!", "A", ".AAAA", &format!(".{deflated}"), &format!(".{cut}"), &not_utf8, &deep]
    {
        assert_eq!(read(&signed(content)), Err(SignatureError::Content), "{content:.40}");
    }
}

#[test]
fn a_time_that_is_none_is_an_error() {
    for stamp in ["", "-", "--1", "-0-", "é", "zzzzzzzzzzzz", "1r31e!"] {
        let text = Signer::new(&keys(), SALT).sign(&format!("MQ:{stamp}"));
        assert_eq!(read(&text), Err(SignatureError::Content), "{stamp}");
    }
}

#[test]
fn the_ends_of_time_are_times() {
    for stamp in ["AzL8n0Y58m7", "-AzL8n0Y58m7", "-AzL8n0Y58m8", "0", "-0"] {
        let text = Signer::new(&keys(), SALT).sign(&format!("MQ:{stamp}"));
        for now in [SystemTime::UNIX_EPOCH, now()] {
            let read = loads::<u8>(&text, SALT, &keys(), Some(Duration::MAX), now);
            assert_eq!(read, Ok(1), "{stamp}");
        }
    }
}

#[test]
fn a_signed_text_without_a_time_is_an_error() {
    assert_eq!(read(&Signer::new(&keys(), SALT).sign("MQ")), Err(SignatureError::Content));
}

proptest! {
    #[test]
    fn nothing_that_the_site_did_not_sign_is_believed(text in ".{0,200}") {
        prop_assert_eq!(read(&text), Err(SignatureError::Bad));
        let cookie = unsign_cookie("name", &text, "", &keys(), CookieSalt::OrLegacy, None, now());
        prop_assert_eq!(cookie, Err(SignatureError::Bad));
    }

    #[test]
    fn every_number_comes_back_to_the_last_digit(number in any::<f64>().prop_filter("JSON has no others", |x| x.is_finite())) {
        let written = dumps(&number, SALT, &keys(), false, now()).unwrap();
        prop_assert_eq!(loads::<f64>(&written, SALT, &keys(), None, now()), Ok(number));
    }

    #[test]
    fn every_text_comes_back_as_it_was_signed(text in any::<String>(), compress: bool, seconds in -1_000_000_000_i64..1_000_000_000) {
        let offset = Duration::from_secs(seconds.unsigned_abs());
        let then = if seconds < 0 { now() - offset } else { now() + offset };
        let written = dumps(&text, SALT, &keys(), compress, then).unwrap();
        prop_assert_eq!(loads::<String>(&written, SALT, &keys(), Some(Duration::ZERO), then), Ok(text));
    }
}

#[test]
fn the_empty_key_neither_signs_nor_verifies() {
    let [one, other] = [SecretKeys::new(""), SecretKeys::new("")];
    assert!(one.current().len() >= 32 && one != other);
    assert_eq!(SecretKeys::new("new").fallbacks(["", "old"]).all().collect::<Vec<_>>(), ["new", "old"]);
}
