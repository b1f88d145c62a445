use std::time::{Duration, SystemTime};

use narrows_django::SecretKeys;
use narrows_django::signing::{
    AuthHash, CookieSalt, SALT, SignatureError, Signer, TimestampSigner, dumps, loads, salted_hmac,
    session_auth_hash, sign_cookie, unsign_cookie, verify_session_auth_hash,
};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Value, json};

use crate::vectors::{keys, list, now, text, vectors};

const SESSION: &str = "django.contrib.sessions.SessionStore";

#[test]
fn a_salted_hash_is_djangos() {
    for vector in list("salted_hmac").iter().filter(|vector| vector["algorithm"] == "sha256") {
        let [salt, value, secret] = ["key_salt", "value", "secret"].map(|name| text(vector, name).as_bytes());
        assert_eq!(hex(&salted_hmac(salt, value, secret)), text(vector, "hexdigest"));
    }
}

#[test]
fn signers_write_and_read_what_djangos_do() {
    for vector in list("signer") {
        let (value, signed) = (text(vector, "value"), text(vector, "signed"));
        if vector["class"] == "Signer" {
            let signer = Signer::new(&keys(), vector["salt"].as_str().unwrap_or(Signer::SALT));
            assert_eq!(signer.sign(value), signed);
            assert_eq!(signer.unsign(signed), Ok(value));
        } else {
            let signer = TimestampSigner::new(&keys(), text(vector, "salt"));
            assert_eq!(signer.sign(value, now()), signed);
            assert_eq!(signer.unsign(signed, Some(Duration::ZERO), now()), Ok(value));
        }
    }
}

#[test]
fn times_are_written_in_djangos_base_62_and_read() {
    let signer = TimestampSigner::new(&keys(), "x");
    for (number, digits) in vectors("base62").as_object().unwrap() {
        let seconds: i64 = number.parse().unwrap();
        let distance = Duration::from_secs(seconds.unsigned_abs());
        let time =
            if seconds < 0 { SystemTime::UNIX_EPOCH - distance } else { SystemTime::UNIX_EPOCH + distance };
        let signed = signer.sign("a", time);
        assert_eq!(signed.split(':').nth(1), digits.as_str());
        assert_eq!(signer.unsign(&signed, Some(Duration::ZERO), time), Ok("a"));
        assert!(signer.unsign(&signed, Some(Duration::ZERO), time + Duration::from_nanos(1)).is_err());
    }
}

#[test]
fn dumps_writes_what_djangos_does_and_loads_reads_it() {
    for vector in list("signing_dumps") {
        let (salt, signed) = (text(vector, "salt"), text(vector, "signed"));
        let compress = vector["compress"].as_bool().unwrap();
        let written = dumps(&vector["object"], salt, &keys(), compress, now()).unwrap();
        // Two implementations of zlib may write other bytes; what is in them counts.
        assert!(written == signed || (written.starts_with('.') && signed.starts_with('.')), "{written}");
        assert_eq!(loads::<Value>(&written, salt, &keys(), None, now()).as_ref(), Ok(&vector["object"]));
        assert_eq!(loads::<Value>(signed, salt, &keys(), None, now()).as_ref(), Ok(&vector["object"]));
    }
}

#[test]
fn sessions_are_read_as_django_wrote_them() {
    for vector in list("session_encode") {
        let read: Value = loads(text(vector, "encoded"), SESSION, &keys(), None, now()).unwrap();
        assert_eq!(read, vector["dict"]);
    }
}

#[test]
fn sessions_are_written_as_django_writes_them() {
    for vector in list("session_encode") {
        let compress = vector["compressed"].as_bool().unwrap();
        let written = dumps(&InOrder(text(vector, "json")), SESSION, &keys(), true, now()).unwrap();
        if compress {
            assert!(written.starts_with('.'));
            assert_eq!(loads::<Value>(&written, SESSION, &keys(), None, now()).unwrap(), vector["dict"]);
        } else {
            assert_eq!(written, text(vector, "encoded"));
        }
    }
}

#[test]
fn a_session_that_an_old_key_signed_is_read_with_the_fallbacks_and_not_without() {
    let vector = vectors("session_encode_fallback_key");
    let signed = text(vector, "encoded");
    assert_eq!(loads::<Value>(signed, SESSION, &keys(), None, now()).as_ref(), Ok(&vector["decoded"]));

    let current = SecretKeys::new(keys().current());
    assert_eq!(loads::<Value>(signed, SESSION, &current, None, now()), Err(SignatureError::Bad));
}

#[test]
fn a_session_that_was_changed_on_the_way_is_not_read() {
    let signed = text(vectors("session_tampered"), "encoded");
    assert_eq!(loads::<Value>(signed, SESSION, &keys(), None, now()), Err(SignatureError::Bad));
}

#[test]
fn a_session_in_a_cookie_is_read_as_django_wrote_it() {
    let vector = vectors("signed_cookies_store");
    let salt = "django.contrib.sessions.backends.signed_cookies";
    let fortnight = Some(Duration::from_secs(1_209_600));
    assert_eq!(
        loads::<Value>(text(vector, "cookie_value"), salt, &keys(), fortnight, now()).as_ref(),
        Ok(&vector["dict"])
    );
}

#[test]
fn signed_cookies_are_djangos() {
    let vector = vectors("signed_cookie_response");
    let [name, salt, value, signed] = ["name", "salt", "value", "signed"].map(|name| text(vector, name));
    assert_eq!(sign_cookie(name, value, salt, &keys(), now()), signed);
    assert_eq!(unsign_cookie(name, signed, salt, &keys(), CookieSalt::Current, None, now()), Ok(value));
}

#[test]
fn a_cookie_with_the_legacy_salt_is_read_only_by_who_asks_for_that() {
    let vector = vectors("signed_cookie_response");
    let [name, salt, value, legacy] =
        ["name", "salt", "value", "legacy_signed"].map(|name| text(vector, name));
    let read = |which| unsign_cookie(name, legacy, salt, &keys(), which, None, now());
    assert_eq!(read(CookieSalt::OrLegacy), Ok(value));
    assert_eq!(read(CookieSalt::Current), Err(SignatureError::Bad));
}

#[test]
fn a_cookies_name_and_salt_cannot_be_taken_for_each_other() {
    let signed = sign_cookie("ab", "dark", "c", &keys(), now());
    let read = unsign_cookie("b", &signed, "ca", &keys(), CookieSalt::OrLegacy, None, now());
    assert_eq!(read, Err(SignatureError::Bad));
}

#[test]
fn a_sessions_hash_of_the_password_is_djangos_and_says_which_key_made_it() {
    for vector in list("session_auth_hash") {
        let password = text(vector, "password_field");
        let (hash, old) = (text(vector, "hash"), vector["fallback_hashes"][0].as_str().unwrap());
        assert_eq!(session_auth_hash(password, keys().current()), hash);
        assert_eq!(verify_session_auth_hash(hash, password, &keys()), Some(AuthHash::Current));
        assert_eq!(verify_session_auth_hash(old, password, &keys()), Some(AuthHash::Fallback));
        assert_eq!(verify_session_auth_hash(hash, "another", &keys()), None);
        assert_eq!(verify_session_auth_hash("", password, &keys()), None);
    }
}

#[test]
fn a_text_may_be_as_old_as_its_greatest_age_and_no_older() {
    let signed = dumps(&1, SALT, &keys(), false, now()).unwrap();
    let at = |age| loads::<u8>(&signed, SALT, &keys(), Some(Duration::from_secs(60)), now() + age);
    assert_eq!(at(Duration::from_secs(60)), Ok(1));
    assert_eq!(at(Duration::from_millis(60_001)), Err(SignatureError::Expired));
}

#[test]
fn a_text_of_a_server_whose_clock_is_ahead_is_read() {
    let signed = dumps(&1, SALT, &keys(), false, now() + Duration::from_secs(300)).unwrap();
    assert_eq!(loads::<u8>(&signed, SALT, &keys(), Some(Duration::from_secs(60)), now()), Ok(1));
}

#[test]
fn a_time_before_1970_is_signed_and_read() {
    let before = SystemTime::UNIX_EPOCH - Duration::from_secs(5);
    let signer = TimestampSigner::new(&keys(), "x");
    let signed = signer.sign("hello", before);
    assert!(signed.starts_with("hello:-5:"));
    assert_eq!(signer.unsign(&signed, Some(Duration::from_secs(1)), before), Ok("hello"));
}

#[test]
fn another_salt_is_another_signature() {
    let signed = dumps(&1, SALT, &keys(), false, now()).unwrap();
    assert_eq!(loads::<u8>(&signed, "another", &keys(), None, now()), Err(SignatureError::Bad));
}

#[test]
fn what_is_of_another_shape_is_not_read() {
    let signed = dumps(&json!({"a": 1}), SALT, &keys(), false, now()).unwrap();
    assert_eq!(loads::<u8>(&signed, SALT, &keys(), None, now()), Err(SignatureError::Content));
}

/// Each was written by Python 3.11: `json.dumps(value, separators=(",", ":"))`.
#[test]
fn json_is_written_as_python_writes_it() {
    let cases = [
        (
            json!("é€😀\u{7f}\u{0}\n\t\"\\/\u{8}\u{c}\r"),
            r#""\u00e9\u20ac\ud83d\ude00\u007f\u0000\n\t\"\\/\b\f\r""#,
        ),
        (json!([1.0, -0.0, 0.1, 1.5e300, 1e16, 1e15]), "[1.0,-0.0,0.1,1.5e+300,1e+16,1000000000000000.0]"),
        (json!([1e-4, 1e-5, 1.25e-7, 5e-324]), "[0.0001,1e-05,1.25e-07,5e-324]"),
        (
            json!([9007199254740993.0, 123456789012345680.0, 1e22]),
            "[9007199254740992.0,1.2345678901234568e+17,1e+22]",
        ),
        (
            json!([u64::MAX, i64::MIN, null, true, {}, []]),
            "[18446744073709551615,-9223372036854775808,null,true,{},[]]",
        ),
        (json!({"ключ": {"b": [], "a": ""}}), r#"{"\u043a\u043b\u044e\u0447":{"a":"","b":[]}}"#),
    ];
    for (value, expected) in cases {
        assert_eq!(unsigned_json(&value), expected);
    }
}

/// The JSON in what `dumps` writes.
fn unsigned_json(value: &Value) -> String {
    use base64::Engine;
    let signed = dumps(value, SALT, &keys(), false, now()).unwrap();
    let text = signed.split(':').next().unwrap();
    String::from_utf8(base64::prelude::BASE64_URL_SAFE_NO_PAD.decode(text).unwrap()).unwrap()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// An object whose keys keep the order in which they stand in this JSON.
struct InOrder<'a>(&'a str);

impl Serialize for InOrder<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let object: Value = serde_json::from_str(self.0).expect("a vector's text is JSON");
        let mut keys: Vec<_> = object.as_object().expect("a session is an object").iter().collect();
        keys.sort_by_key(|(key, _)| self.0.find(&format!("\"{key}\":")));
        let mut map = serializer.serialize_map(Some(keys.len()))?;
        for (key, value) in keys {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

#[test]
fn a_number_comes_back_to_the_last_digit() {
    for number in
        [0.1 + 0.2, 1_700_000_000.123_456_7, 5e-324, f64::MAX, 1.797_693_134_862_315_3e308, 2.2e-308, 9.5e-5]
    {
        let signed = dumps(&number, SALT, &keys(), false, now()).unwrap();
        assert_eq!(loads::<f64>(&signed, SALT, &keys(), None, now()), Ok(number));
        let value: Value = loads(&signed, SALT, &keys(), None, now()).unwrap();
        assert_eq!(value.as_f64(), Some(number));
    }
}
