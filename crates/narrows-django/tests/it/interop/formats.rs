//! Passwords, signatures and tokens as texts, whatever table they are in.

use std::time::{Duration, SystemTime};

use chrono::{DateTime, Utc};
use narrows_django::SecretKeys;
use narrows_django::password::{Hasher, Hashing};
use narrows_django::sesame::{Holder, Packer, Sesame, SesameSettings, TokenVersion};
use narrows_django::signing::{self, SignatureError};
use rig::{Django, DjangoOptions};
use serde_json::{Value, json};

use super::ground::Ground;

const PASSWORD: &str = "correct horse, Zoë 🐎";

fn start(ground: &Ground, options: impl FnOnce(DjangoOptions) -> DjangoOptions) -> Option<Django> {
    options(Django::on(&ground.fresh_database())).start()
}

#[tokio::test]
async fn every_hash_that_django_writes_is_verified() {
    let ground = Ground::sqlite();
    let hashers = ["PBKDF2", "PBKDF2SHA1", "Argon2", "BCryptSHA256", "BCrypt", "Scrypt"];
    let costly = hashers.map(|name| format!("{name}PasswordHasher"));
    let costly = costly.each_ref().map(String::as_str);
    let Some(quick) = start(&ground, DjangoOptions::quick_hashers) else { return };
    let Some(costly) = start(&ground, |site| site.hashers(&costly)) else { return };
    let hashing = Hashing::new(Hasher::pbkdf2_sha256(1000).unwrap());
    let names = ["pbkdf2_sha256", "pbkdf2_sha1", "argon2", "bcrypt_sha256", "bcrypt", "scrypt"];
    for (name, django) in names.iter().flat_map(|name| [(name, &quick), (name, &costly)]) {
        let text = django.make_password(PASSWORD, name).await.unwrap();
        let verified = hashing.verify(PASSWORD, &text);
        assert!(verified.matches, "{text}");
        assert_eq!(verified.outdated, !text.starts_with("pbkdf2_sha256$1000$"), "{text}");
    }
}

#[tokio::test]
async fn django_verifies_every_hash_that_is_written_and_keeps_it() {
    let ground = Ground::sqlite();
    let hashers = [
        ("PBKDF2PasswordHasher", Hasher::pbkdf2_sha256(1_000_000).unwrap()),
        ("Argon2PasswordHasher", Hasher::argon2()),
    ];
    for (name, hasher) in hashers {
        let Some(django) = start(&ground, |site| site.hashers(&[name])) else { return };
        let text = Hashing::new(hasher).hash(PASSWORD);
        assert!(django.check_password(PASSWORD, &text).await.unwrap(), "{text}");
        assert!(!django.check_password("correct horse", &text).await.unwrap(), "{text}");
        let code = "result = hashers.verify_password(password, text)[1]";
        let arguments = json!({"password": PASSWORD, "text": text});
        assert_eq!(django.run(code, arguments).await.unwrap(), false, "to be written again: {text}");
    }
}

#[tokio::test]
async fn signed_texts_are_read_on_the_other_side() {
    let ground = Ground::sqlite();
    let Some(django) = start(&ground, |site| site.secret_key("new").secret_key_fallbacks(&["old"])) else {
        return;
    };
    let long = "ä".repeat(1000);
    let (new, old) = (SecretKeys::new("new"), SecretKeys::new("old"));
    let both = SecretKeys::new("new").fallbacks(["old"]);
    let now = SystemTime::now();
    for value in [json!({"ü": [1, -2.5, null, "🐎\u{7f}"], "n": u64::MAX}), json!("text"), json!(long)] {
        for compress in [false, true] {
            for keys in [&new, &old] {
                let text = signing::dumps(&value, "a salt", keys, compress, now).unwrap();
                assert_eq!(django.loads(&text, "a salt", None).await.unwrap(), value, "{text}");
            }
            let text = django.dumps(value.clone(), "a salt", compress).await.unwrap();
            let minute = Some(Duration::from_secs(60));
            assert_eq!(signing::loads(&text, "a salt", &both, minute, now), Ok(value.clone()), "{text}");
            let refused = signing::loads::<Value>(&text, "a salt", &old, None, now);
            assert_eq!(refused, Err(SignatureError::Bad), "{text}");
            let later = now + Duration::from_secs(120);
            let refused = signing::loads::<Value>(&text, "a salt", &both, minute, later);
            assert_eq!(refused, Err(SignatureError::Expired), "{text}");
        }
    }
    let old = signing::dumps(&1, "a salt", &new, false, now - Duration::from_secs(61)).unwrap();
    let refused = django.loads(&old, "a salt", Some(Duration::from_secs(60))).await.unwrap_err();
    assert_eq!(refused.class, "SignatureExpired");
}

/// What is in a token of this user, as Django has it.
struct Person {
    key: String,
    password: String,
    email: String,
    last_login: Option<DateTime<Utc>>,
}

impl Person {
    async fn of(django: &Django, name: &str) -> Self {
        let fields = django.fields(name).await.unwrap();
        let text = |key: &str| fields[key].as_str().unwrap_or_default().to_owned();
        let key = fields["id"].as_str().map_or_else(|| fields["id"].to_string(), str::to_owned);
        let last_login = fields["last_login"].as_str().map(|time| time.parse().unwrap());
        Self { key, password: text("password"), email: text("email"), last_login }
    }

    fn holder(&self) -> Holder<'_> {
        let Self { key, password, email, last_login } = self;
        Holder { key, password, email, last_login: *last_login }
    }
}

/// Settings of django-sesame's, by name and as ours.
fn sesame_settings() -> Vec<(Vec<(&'static str, Value)>, SesameSettings)> {
    let with = |change: fn(&mut SesameSettings)| {
        let mut settings = SesameSettings::default();
        change(&mut settings);
        settings
    };
    vec![
        (vec![], SesameSettings::default()),
        (vec![("SESAME_MAX_AGE", json!(600))], with(|s| s.max_age = Some(Duration::from_secs(600)))),
        (vec![("SESAME_ONE_TIME", json!(true))], with(|s| s.one_time = true)),
        (
            vec![("SESAME_INVALIDATE_ON_EMAIL_CHANGE", json!(true)), ("SESAME_KEY", json!("ü"))],
            with(|s| (s.invalidate_on_email_change, s.key) = (true, "ü".to_owned())),
        ),
        (vec![("SESAME_SIGNATURE_SIZE", json!(32))], with(|s| s.signature_size = 32)),
        (vec![("SESAME_TOKENS", json!(["sesame.tokens_v1"]))], with(|s| s.versions = vec![TokenVersion::V1])),
    ]
}

#[tokio::test]
async fn tokens_of_sesame_are_read_on_the_other_side() {
    let ground = Ground::sqlite();
    let site = Django::on(&ground.fresh_database()).quick_hashers().secret_key("a secret");
    let Some(django) = site.migrated() else { return };
    django.create_user_with("zoë", PASSWORD, json!({"email": "zoe@example.com"})).await.unwrap();
    django.login("zoë", PASSWORD).await.unwrap();
    for (settings, ours) in sesame_settings() {
        for (name, value) in &settings {
            django.change_setting(name, value.clone()).await.unwrap();
        }
        let is_v1 = ours.versions == [TokenVersion::V1];
        let sesame = Sesame::new(ours, &SecretKeys::new("a secret")).unwrap();
        let now = SystemTime::now();
        for scope in if is_v1 { vec![""] } else { vec!["", "chät"] } {
            // Read anew, as Django notes the time when it lets somebody in with a token for one time.
            let zoe = Person::of(&django, "zoë").await;
            let theirs = django.sesame_token("zoë", scope).await.unwrap();
            let read = sesame.read(&theirs, now).unwrap();
            assert_eq!(read.key(), zoe.key, "{settings:?}");
            assert_eq!(sesame.verify(&read, &zoe.holder(), scope), Ok(()), "{settings:?} {scope}");
            assert!(sesame.verify(&read, &zoe.holder(), "other").is_err(), "{settings:?} {scope}");
            let ours = sesame.token(&zoe.holder(), scope, now).unwrap();
            let user = django.sesame_user(&ours, scope, None).await.unwrap();
            assert_eq!(user.as_deref(), Some("zoë"), "{settings:?} {scope}");
        }
        for (name, _) in &settings {
            django.forget_setting(name).await.unwrap();
        }
    }
}

type Model = fn(DjangoOptions) -> DjangoOptions;

#[tokio::test]
async fn tokens_of_sesame_hold_the_keys_of_each_user_model() {
    let ground = Ground::sqlite();
    let models: [(Model, &str, Packer); 3] = [
        (DjangoOptions::uuid_users, "ann", Packer::Uuid),
        (DjangoOptions::big_users, "ann", Packer::BigInteger),
        (DjangoOptions::email_users, "ann@example.com", Packer::BigInteger),
    ];
    for (model, name, packer) in models {
        let site = Django::on(&ground.fresh_database()).quick_hashers().secret_key("a secret");
        let Some(django) = model(site).migrated() else { return };
        django.create_user(name, PASSWORD).await.unwrap();
        let ann = Person::of(&django, name).await;
        let mut settings = SesameSettings::default();
        settings.packer = packer;
        let sesame = Sesame::new(settings, &SecretKeys::new("a secret")).unwrap();
        let theirs = django.sesame_token(name, "").await.unwrap();
        let read = sesame.read(&theirs, SystemTime::now()).unwrap();
        assert_eq!(read.key(), ann.key);
        assert_eq!(sesame.verify(&read, &ann.holder(), ""), Ok(()));
        let ours = sesame.token(&ann.holder(), "", SystemTime::now()).unwrap();
        assert_eq!(django.sesame_user(&ours, "", None).await.unwrap().as_deref(), Some(name));
    }
}
