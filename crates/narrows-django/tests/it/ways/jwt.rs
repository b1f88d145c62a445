use std::path::Path;
use std::time::{Duration, SystemTime};

use axum::Router;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use narrows_django::KeyKind;
use narrows_django::ways::{JwtError, JwtKey, JwtKeyError, JwtWay, JwtWayBuilder};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::kit::{Site, who};

pub(crate) const SECRET: &[u8] = b"a secret of more than thirty-two bytes";
const RSA: &[u8] = include_bytes!("../../vectors/jwt/rsa.pem");
const RSA_PUBLIC: &[u8] = include_bytes!("../../vectors/jwt/rsa_public.pem");
const EC: &[u8] = include_bytes!("../../vectors/jwt/ec.pem");
const EC_PUBLIC: &[u8] = include_bytes!("../../vectors/jwt/ec_public.pem");

/// A token signed with the secret.
pub(crate) fn hs256(claims: &Value) -> String {
    signed(Algorithm::HS256, None, claims)
}

fn signed(algorithm: Algorithm, kid: Option<&str>, claims: &Value) -> String {
    let key = match algorithm {
        Algorithm::RS256 | Algorithm::PS256 => EncodingKey::from_rsa_pem(RSA).unwrap(),
        Algorithm::ES256 => EncodingKey::from_ec_pem(EC).unwrap(),
        _ => EncodingKey::from_secret(SECRET),
    };
    let header = Header { kid: kid.map(str::to_owned), ..Header::new(algorithm) };
    jsonwebtoken::encode(&header, claims, &key).unwrap()
}

/// Any header with any claims, signed with this secret.
fn forged(header: &Value, claims: &Value, secret: &[u8]) -> String {
    let encode = |json: &Value| BASE64_URL_SAFE_NO_PAD.encode(json.to_string());
    let message = format!("{}.{}", encode(header), encode(claims));
    let key = EncodingKey::from_secret(secret);
    let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &key, Algorithm::HS256).unwrap();
    format!("{message}.{signature}")
}

const NOW: u64 = 1_700_000_000;

fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(NOW)
}

fn claims() -> Value {
    json!({"sub": "1", "exp": NOW + 60})
}

fn with(more: Value) -> Value {
    let mut claims = claims();
    claims.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    claims
}

fn secret() -> JwtWayBuilder {
    JwtWay::builder().key(JwtKey::hs256(SECRET).unwrap())
}

fn way(builder: JwtWayBuilder) -> JwtWay {
    builder.build().unwrap()
}

fn error(way: &JwtWay, token: &str) -> JwtError {
    way.read(token, now()).expect_err("it is not to be believed")
}

#[test]
fn each_algorithm_is_read_with_its_key_and_with_no_other() {
    let keys = [
        (Algorithm::HS256, way(secret())),
        (Algorithm::RS256, way(JwtWay::builder().key(JwtKey::rs256_pem(RSA_PUBLIC).unwrap()))),
        (Algorithm::ES256, way(JwtWay::builder().key(JwtKey::es256_pem(EC_PUBLIC).unwrap()))),
    ];
    for (ours, way) in &keys {
        for algorithm in [Algorithm::HS256, Algorithm::RS256, Algorithm::ES256] {
            let token = signed(algorithm, None, &claims());
            if algorithm == *ours {
                let read = way.read(&token, now()).unwrap();
                assert_eq!(Value::Object(read.claims), claims());
                assert_eq!(read.expires, now() + Duration::from_secs(70));
            } else {
                assert_eq!(error(way, &token), JwtError::UnknownKey, "{algorithm:?} for {ours:?}");
            }
        }
    }
}

#[test]
fn a_token_without_a_signature_is_none() {
    let ways = [way(secret()), way(JwtWay::builder().key(JwtKey::rs256_pem(RSA_PUBLIC).unwrap()))];
    for name in ["none", "None", "NONE", "nOnE", ""] {
        let header = json!({"alg": name, "typ": "JWT"});
        let whole = forged(&header, &claims(), SECRET);
        let bare = whole.rsplit_once('.').unwrap().0;
        for way in &ways {
            assert_eq!(error(way, &whole), JwtError::UnknownKey, "{name}");
            assert_eq!(error(way, &format!("{bare}.")), JwtError::UnknownKey, "{name}");
            assert_eq!(error(way, bare), JwtError::Malformed, "{name}");
        }
    }
    let real = hs256(&claims());
    let bare = real.rsplit_once('.').unwrap().0;
    assert_eq!(error(&ways[0], &format!("{bare}.")), JwtError::Signature);
}

#[test]
fn a_public_key_is_no_secret() {
    for (pem, key) in [(RSA_PUBLIC, JwtKey::rs256_pem(RSA_PUBLIC)), (EC_PUBLIC, JwtKey::es256_pem(EC_PUBLIC))]
    {
        let way = way(JwtWay::builder().key(key.unwrap()));
        for name in ["HS256", "RS256", "ES256"] {
            let token = forged(&json!({"alg": name}), &claims(), pem);
            assert!(matches!(error(&way, &token), JwtError::UnknownKey | JwtError::Signature), "{name}");
        }
        assert!(matches!(JwtKey::hs256(pem), Err(JwtKeyError::NotSecret)));
    }
}

#[test]
fn an_algorithm_of_the_same_family_is_another() {
    let rsa = way(JwtWay::builder().key(JwtKey::rs256_pem(RSA_PUBLIC).unwrap()));
    assert_eq!(error(&rsa, &signed(Algorithm::PS256, None, &claims())), JwtError::UnknownKey);
    assert_eq!(error(&way(secret()), &signed(Algorithm::HS512, None, &claims())), JwtError::UnknownKey);
}

#[test]
fn a_header_cannot_bring_its_own_key_or_ask_for_what_is_not_known() {
    let own = b"an attacker's own secret, long enough";
    let jwk = json!({"kty": "oct", "k": BASE64_URL_SAFE_NO_PAD.encode(own)});
    let header = json!({"alg": "HS256", "jwk": jwk, "jku": "https://evil.example/keys", "x5u": "https://evil.example"});
    assert_eq!(error(&way(secret()), &forged(&header, &claims(), own)), JwtError::Signature);

    let critical = json!({"alg": "HS256", "crit": ["b64"], "b64": false});
    assert_eq!(error(&way(secret()), &forged(&critical, &claims(), SECRET)), JwtError::Malformed);
}

#[test]
fn a_token_holds_for_its_time() {
    let strict = way(secret().leeway(Duration::ZERO));
    let lax = way(secret().leeway(Duration::from_secs(60)));
    let expired = hs256(&json!({"exp": NOW}));
    assert_eq!(error(&strict, &expired), JwtError::Expired);
    assert_eq!(lax.read(&expired, now()).unwrap().expires, now() + Duration::from_secs(60));
    assert!(strict.read(&hs256(&json!({"exp": NOW as f64 + 0.5})), now()).is_ok());

    let early = hs256(&with(json!({"nbf": NOW + 30})));
    assert_eq!(error(&strict, &early), JwtError::NotYet);
    assert!(lax.read(&early, now()).is_ok());
    assert!(strict.read(&hs256(&with(json!({"nbf": NOW}))), now()).is_ok());
}

#[test]
fn a_time_that_is_none_is_refused() {
    let ways = [way(secret()), way(secret().leeway(Duration::MAX))];
    let times = [
        json!(null),
        json!("1800000000"),
        json!(-1),
        json!(1e300),
        json!(u64::MAX),
        json!([NOW + 60]),
        json!({}),
    ];
    for (time, way) in times.iter().flat_map(|time| ways.iter().map(move |way| (time, way))) {
        assert_eq!(error(way, &hs256(&json!({"sub": "1", "exp": time}))), JwtError::Claim("exp"), "{time}");
    }
    assert_eq!(error(&ways[0], &hs256(&json!({"sub": "1"}))), JwtError::Claim("exp"));
    for time in &times {
        let refused = error(&ways[0], &hs256(&with(json!({"nbf": time}))));
        assert!(matches!(refused, JwtError::Claim("nbf")), "{time}");
    }
}

#[test]
fn a_token_is_for_the_site_that_it_names() {
    let (named, nameless) = (way(secret().audience("us").audience("also us")), way(secret()));
    for ours in [json!("us"), json!("also us"), json!(["them", "us"])] {
        let token = hs256(&with(json!({"aud": ours})));
        assert!(named.read(&token, now()).is_ok(), "{ours}");
        assert_eq!(error(&nameless, &token), JwtError::Claim("aud"), "{ours}");
    }
    for theirs in [
        json!("them"),
        json!(["them"]),
        json!([]),
        json!(1),
        json!(null),
        json!({"us": "us"}),
        json!([["us"]]),
    ] {
        assert_eq!(error(&named, &hs256(&with(json!({"aud": theirs})))), JwtError::Claim("aud"), "{theirs}");
    }
    assert_eq!(error(&named, &hs256(&claims())), JwtError::Claim("aud"));
}

#[test]
fn a_token_is_of_an_issuer_that_is_believed() {
    let way = way(secret().issuer("https://id.example"));
    assert!(way.read(&hs256(&with(json!({"iss": "https://id.example"}))), now()).is_ok());
    for issuer in [json!("https://id.example/"), json!(["https://id.example"]), json!(1), json!(null)] {
        assert_eq!(error(&way, &hs256(&with(json!({"iss": issuer})))), JwtError::Claim("iss"), "{issuer}");
    }
    assert_eq!(error(&way, &hs256(&claims())), JwtError::Claim("iss"));
}

#[test]
fn a_claim_may_be_required() {
    let way = way(secret().require("token_type", "access"));
    assert!(way.read(&hs256(&with(json!({"token_type": "access"}))), now()).is_ok());
    assert_eq!(error(&way, &hs256(&with(json!({"token_type": "refresh"})))), JwtError::Required);
    assert_eq!(error(&way, &hs256(&claims())), JwtError::Required);
}

#[test]
fn a_key_with_an_id_reads_tokens_that_name_it() {
    let key = || JwtKey::hs256(SECRET).unwrap().with_id("2026");
    let way = way(JwtWay::builder().key(key()));
    assert!(way.read(&signed(Algorithm::HS256, Some("2026"), &claims()), now()).is_ok());
    assert!(way.read(&signed(Algorithm::HS256, None, &claims()), now()).is_ok());
    assert_eq!(error(&way, &signed(Algorithm::HS256, Some("2025"), &claims())), JwtError::UnknownKey);
}

#[test]
fn keys_that_are_none_are_refused() {
    assert!(matches!(JwtKey::hs256(b"short"), Err(JwtKeyError::Short)));
    let short = include_bytes!("../../vectors/jwt/rsa_short_public.pem");
    assert!(matches!(JwtKey::rs256_pem(short), Err(JwtKeyError::Short)));
    let other_curve: &[u8] = include_bytes!("../../vectors/jwt/ec_p384_public.pem");
    for pem in
        [other_curve, &b""[..], RSA_PUBLIC, b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"]
    {
        assert!(matches!(JwtKey::es256_pem(pem), Err(JwtKeyError::Malformed(_))), "{}", pem.escape_ascii());
    }
    assert!(matches!(JwtKey::rs256_pem(EC_PUBLIC), Err(JwtKeyError::Malformed(_))));
    assert!(matches!(JwtWay::builder().build().map(|_| ()), Err(JwtKeyError::NoKey)));
}

#[test]
fn an_rsa_key_may_be_in_either_form() {
    let pkcs1 = JwtKey::rs256_pem(include_bytes!("../../vectors/jwt/rsa_pkcs1_public.pem")).unwrap();
    assert!(
        way(JwtWay::builder().key(pkcs1)).read(&signed(Algorithm::RS256, None, &claims()), now()).is_ok()
    );
}

/// The public keys as an identity provider publishes them.
fn key_set(rsa: &str, ec: &str) -> Value {
    let jwk = |key: &EncodingKey, algorithm, kid: &str| {
        let mut jwk = jsonwebtoken::jwk::Jwk::from_encoding_key(key, algorithm).unwrap();
        jwk.common.key_id = Some(kid.to_owned());
        serde_json::to_value(jwk).unwrap()
    };
    let unknown =
        [json!({"kty": "new"}), json!({"kty": "OKP", "crv": "Ed25519", "x": "AAAA", "kid": rsa}), json!(5)];
    let mut keys = unknown.to_vec();
    keys.push(jwk(&EncodingKey::from_rsa_pem(RSA).unwrap(), Algorithm::RS256, rsa));
    keys.push(jwk(&EncodingKey::from_ec_pem(EC).unwrap(), Algorithm::ES256, ec));
    json!({"keys": keys})
}

fn write(path: &Path, content: &str, seconds: u64) {
    std::fs::write(path, content).unwrap();
    let file = std::fs::File::options().write(true).open(path).unwrap();
    file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)).unwrap();
}

#[test]
fn keys_of_a_file_are_told_apart_by_their_ids() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys.json");
    write(&path, &key_set("a", "b").to_string(), 1);
    let way = way(JwtWay::builder().key_file(&path));
    for (algorithm, kid) in [(Algorithm::RS256, "a"), (Algorithm::ES256, "b")] {
        assert!(way.read(&signed(algorithm, Some(kid), &claims()), now()).is_ok());
        assert!(way.read(&signed(algorithm, None, &claims()), now()).is_ok());
        assert_eq!(error(&way, &signed(algorithm, Some("c"), &claims())), JwtError::UnknownKey);
    }
    // The id of a key for another algorithm.
    assert_eq!(error(&way, &signed(Algorithm::RS256, Some("b"), &claims())), JwtError::UnknownKey);
}

#[test]
fn a_file_without_a_key_for_us_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys.json");
    let open = || JwtWay::builder().key_file(&path).build().map(|_| ());
    assert!(matches!(open(), Err(JwtKeyError::File(_))));
    for (content, encryption) in [(json!({"keys": []}), false), (key_set("a", "b"), true)] {
        let mut content = content;
        for key in
            content["keys"].as_array_mut().unwrap().iter_mut().filter(|key| key.is_object() && encryption)
        {
            key["use"] = json!("enc");
        }
        write(&path, &content.to_string(), 1);
        assert!(matches!(open(), Err(JwtKeyError::NoKey)), "{content}");
    }
    let short = json!({"keys": [{"kty": "oct", "k": BASE64_URL_SAFE_NO_PAD.encode("short")}]});
    write(&path, &short.to_string(), 1);
    assert!(matches!(open(), Err(JwtKeyError::Short)));
    write(&path, "{", 1);
    assert!(matches!(open(), Err(JwtKeyError::Malformed(_))));
    write(&path, &" ".repeat(1024 * 1024 + 1), 1);
    assert!(matches!(open(), Err(JwtKeyError::TooLarge)));
}

#[test]
fn a_file_is_read_again_by_a_call() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys.json");
    write(&path, &key_set("old", "b").to_string(), 1);
    let way = way(JwtWay::builder().key_file(&path));
    let new = signed(Algorithm::RS256, Some("new"), &claims());
    assert_eq!(error(&way, &new), JwtError::UnknownKey);

    write(&path, &key_set("new", "b").to_string(), 1);
    way.reload().unwrap();
    assert!(way.read(&new, now()).is_ok());

    write(&path, "half a fi", 1);
    assert!(way.reload().is_err());
    assert!(way.read(&new, now()).is_ok());
}

fn app(site: &Site, way: JwtWay) -> Router {
    Site::views().layer(site.accounts.way_in(way)).layer(site.accounts.layer())
}

/// For requests, which come now.
fn lasting(more: Value) -> Value {
    let end = SystemTime::now() + Duration::from_secs(600);
    let mut claims = json!({"exp": end.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs()});
    claims.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    claims
}

#[tokio::test]
async fn a_file_is_read_again_when_it_has_changed() {
    let (site, folder) = (Site::new().await, tempfile::tempdir().unwrap());
    let path = folder.path().join("keys.json");
    write(&path, &key_set("old", "b").to_string(), 1);
    let app = app(&site, way(JwtWay::builder().key_file(&path).look_every(Duration::ZERO)));
    let token = format!("Bearer {}", signed(Algorithm::RS256, Some("new"), &lasting(json!({"sub": "1"}))));
    assert_eq!(who(&app, &token).await, "nobody");

    write(&path, &key_set("new", "b").to_string(), 2);
    assert_eq!(who(&app, &token).await, "alice");

    // Keys that cannot be read do not take the place of those that could.
    write(&path, "half a fi", 3);
    assert_eq!(who(&app, &token).await, "alice");
    std::fs::remove_file(&path).unwrap();
    assert_eq!(who(&app, &token).await, "alice");
}

#[tokio::test]
async fn a_token_lets_in_the_user_whom_it_names() {
    let site = Site::new().await;
    for (builder, more) in [
        (secret(), json!({"sub": "1"})),
        (secret(), json!({"sub": 1})),
        (secret().user_id_claim("user_id"), json!({"user_id": 1, "sub": "2"})),
        (secret().username_claim("name"), json!({"name": "alice"})),
    ] {
        let app = app(&site, way(builder));
        assert_eq!(who(&app, &format!("Bearer {}", hs256(&lasting(more.clone())))).await, "alice", "{more}");
    }
}

#[tokio::test]
async fn a_token_of_nobody_who_is_active_lets_nobody_in() {
    let site = Site::new().await;
    let by_id = app(&site, way(secret()));
    for sub in [
        json!("2"),
        json!("3"),
        json!(""),
        json!("1 "),
        json!(1.5),
        json!(-1),
        json!(true),
        json!(["1"]),
        json!(null),
    ] {
        let token = hs256(&lasting(json!({"sub": sub})));
        assert_eq!(who(&by_id, &format!("Bearer {token}")).await, "nobody", "{sub}");
    }
    assert_eq!(who(&by_id, &format!("Bearer {}", hs256(&lasting(json!({}))))).await, "nobody");
    let by_name = app(&site, way(secret().username_claim("name")));
    for name in [json!("bob"), json!("carol"), json!(1), json!(""), json!("a\0")] {
        let token = hs256(&lasting(json!({"name": name})));
        assert_eq!(who(&by_name, &format!("Bearer {token}")).await, "nobody", "{name}");
    }
}

#[tokio::test]
async fn users_may_have_keys_of_any_type() {
    for (kind, ids) in [
        (KeyKind::BigInteger, ["1099511627776", "2"]),
        (KeyKind::Uuid, ["01234567-89ab-cdef-0123-456789abcdef", "11234567-89ab-cdef-0123-456789abcdef"]),
        (KeyKind::Text, ["a", "b"]),
    ] {
        let site = Site::with_keys(kind, ids).await;
        let token = hs256(&lasting(json!({"sub": ids[0]})));
        assert_eq!(who(&app(&site, way(secret())), &format!("Bearer {token}")).await, "alice", "{kind:?}");
    }
}

#[test]
fn what_is_no_token_is_an_error() {
    let way = way(secret());
    let whole = hs256(&claims());
    for length in 0..whole.len() {
        assert!(way.read(&whole[..length], now()).is_err(), "{length}");
    }
    let deep = BASE64_URL_SAFE_NO_PAD.encode("[".repeat(5000));
    let long = "A".repeat(1_000_000);
    for text in [
        "",
        ".",
        "..",
        "...",
        "a.b.c",
        &format!("{whole}."),
        &format!("{whole}.{whole}"),
        &format!("{deep}.a.b"),
        &long,
    ] {
        assert_eq!(error(&way, text), JwtError::Malformed, "{text:.40}");
    }
    let many =
        forged(&json!({"alg": "HS256"}), &json!({"exp": NOW + 60, "more": "x".repeat(20_000)}), SECRET);
    assert_eq!(error(&way, &many), JwtError::Malformed);
}

proptest! {
    #[test]
    fn nothing_that_nobody_signed_is_believed(header in ".{0,80}", claims in ".{0,80}", rest in "[A-Za-z0-9_.-]{0,80}") {
        let way = way(secret().key(JwtKey::es256_pem(EC_PUBLIC).unwrap()));
        let encode = |text: &str| BASE64_URL_SAFE_NO_PAD.encode(text);
        let unsigned = format!("{}.{}.{rest}", encode(&header), encode(&claims));
        let meant = format!("{}.{}.{rest}", encode(r#"{"alg":"ES256"}"#), encode(&claims));
        for token in [rest, unsigned, meant] {
            prop_assert!(way.read(&token, now()).is_err());
        }
    }
}
