//! Signed texts, cookies, django-sesame's tokens and JSON Web Tokens: whatever comes is read or refused, nothing that the
//! site did not sign is believed, and what it signed comes back as it was.
//!
//! The first byte says which of them the rest is for.
#![no_main]

use std::sync::LazyLock;
use std::time::{Duration, SystemTime};

use libfuzzer_sys::fuzz_target;
use narrows_django::SecretKeys;
use narrows_django::sesame::{Holder, Packer, Sesame, SesameSettings};
use narrows_django::signing::{
    CookieSalt, SALT, SignatureError, Signer, TimestampSigner, dumps, loads, sign_cookie, unsign_cookie,
};
use narrows_django::ways::{JwtError, JwtKey, JwtWay};
use serde_json::Value;

const SECRET: &str = "a secret of more than thirty-two bytes";

static KEYS: LazyLock<SecretKeys> = LazyLock::new(|| SecretKeys::new(SECRET).fallbacks(["an older secret"]));

static JWT: LazyLock<JwtWay> = LazyLock::new(|| {
    let key = JwtKey::hs256(SECRET.as_bytes()).expect("the secret is long enough");
    JwtWay::builder().key(key).build().expect("there is a key")
});

/// The same for every run, so that a find can be run again.
fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000)
}

fuzz_target!(|data: &[u8]| {
    let Some((kind, rest)) = data.split_first() else { return };
    let Ok(text) = std::str::from_utf8(rest) else { return };
    match kind % 7 {
        0 => unsigned(text),
        1 => signed(text),
        2 => stamped(text),
        3 => written(text),
        4 => link(text),
        5 => link_of(text),
        _ => web_token(text),
    }
});

/// What nobody signed.
fn unsigned(text: &str) {
    assert_eq!(loads::<Value>(text, SALT, &KEYS, None, now()), Err(SignatureError::Bad));
    assert_eq!(Signer::new(&KEYS, Signer::SALT).unsign(text), Err(SignatureError::Bad));
    let cookie = unsign_cookie("name", text, "salt", &KEYS, CookieSalt::OrLegacy, None, now());
    assert_eq!(cookie, Err(SignatureError::Bad));
}

/// What the key signed, but perhaps not as a value.
fn signed(text: &str) {
    let text = TimestampSigner::new(&KEYS, SALT).sign(text, now());
    if let Ok(value) = loads::<Value>(&text, SALT, &KEYS, Some(Duration::ZERO), now()) {
        come_back(&value);
    }
}

/// What the key signed as if it were stamped with a time.
fn stamped(text: &str) {
    let signed = Signer::new(&KEYS, SALT).sign(text);
    let _ = loads::<Value>(&signed, SALT, &KEYS, Some(Duration::from_secs(60)), now());
    let _ = loads::<Value>(&signed, SALT, &KEYS, Some(Duration::MAX), SystemTime::UNIX_EPOCH);
}

/// What the site writes: texts, and any JSON.
fn written(text: &str) {
    come_back(&Value::String(text.to_owned()));
    if let Ok(value) = serde_json::from_str::<Value>(text) {
        come_back(&value);
    }
    let (name, value) = text.split_once('=').unwrap_or((text, ""));
    let cookie = sign_cookie(name, value, name, &KEYS, now());
    assert_eq!(unsign_cookie(name, &cookie, name, &KEYS, CookieSalt::Current, None, now()), Ok(value));
}

fn come_back(value: &Value) {
    for compress in [false, true] {
        let text = dumps(value, SALT, &KEYS, compress, now()).expect("a value is JSON");
        assert!(text.is_ascii());
        assert_eq!(loads::<Value>(&text, SALT, &KEYS, Some(Duration::ZERO), now()).as_ref(), Ok(value));
    }
}

fn sesames() -> &'static [Sesame] {
    static ALL: LazyLock<Vec<Sesame>> = LazyLock::new(|| {
        let packers =
            [Packer::Integer, Packer::BigInteger, Packer::Uuid, Packer::Text, Packer::UnsignedShort];
        let ages = [None, Some(Duration::from_secs(600))];
        let all = packers.into_iter().flat_map(|packer| ages.map(|age| (packer, age)));
        let sesame = all.map(|(packer, age)| {
            let mut settings = SesameSettings::default();
            (settings.packer, settings.max_age) = (packer, age);
            Sesame::new(settings, &KEYS).expect("the settings can be used")
        });
        sesame.collect()
    });
    &ALL
}

fn holder(key: &str) -> Holder<'_> {
    Holder { key, password: "argon2$a$hash", email: "", last_login: None }
}

/// What is no token of this site.
fn link(text: &str) {
    for sesame in sesames() {
        if let Ok(token) = sesame.read(text, now()) {
            let key = token.key().to_owned();
            assert!(sesame.verify(&token, &holder(&key), "").is_err());
        }
    }
}

/// Tokens for this key and scope.
fn link_of(text: &str) {
    let (key, scope) = text.split_once('\n').unwrap_or((text, ""));
    for sesame in sesames() {
        let Ok(text) = sesame.token(&holder(key), scope, now()) else { continue };
        let token = sesame.read(&text, now()).expect("it was made here");
        assert_eq!(sesame.verify(&token, &holder(key), scope), Ok(()));
        assert!(sesame.verify(&token, &holder(key), &format!("{scope}x")).is_err());
    }
}

/// A token that nobody signed, and one with any header and claims that somebody with the key did.
fn web_token(text: &str) {
    assert!(JWT.read(text, now()).is_err());
    let (header, claims) = text.split_once('\n').unwrap_or(("{\"alg\":\"HS256\"}", text));
    let (header, claims) = (base64(header), base64(claims));
    let message = format!("{header}.{claims}");
    let signature = jsonwebtoken::crypto::sign(
        message.as_bytes(),
        &jsonwebtoken::EncodingKey::from_secret(SECRET.as_bytes()),
        jsonwebtoken::Algorithm::HS256,
    );
    let signature = signature.expect("a secret signs");
    match JWT.read(&format!("{message}.{signature}"), now()) {
        Ok(read) => assert!(read.expires > now() && read.claims.contains_key("exp")),
        Err(error) => assert_ne!(error, JwtError::Signature),
    }
}

fn base64(text: &str) -> String {
    use base64::Engine;
    base64::prelude::BASE64_URL_SAFE_NO_PAD.encode(text)
}
