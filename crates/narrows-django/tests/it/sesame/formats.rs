use std::time::Duration;

use narrows_django::SecretKeys;
use narrows_django::sesame::{
    Holder, Sesame, SesameError, SesameSettings, SesameSettingsError, SesameTokenError, TokenVersion,
};
use serde_json::Value;

use super::{VERSIONS, alice, enter, packer, sesame, settings, time, with};
use crate::vectors::{keys, list, now, parse, text, vectors};

/// Both ways: the token is made, read, and believed of its holder and of nobody else.
fn check(mut settings: SesameSettings, holder: &Holder<'_>, scope: &str, token: &str, version: TokenVersion) {
    settings.versions = vec![version];
    let sesame = sesame(settings);
    assert_eq!(sesame.token(holder, scope, now()).as_deref(), Ok(token));
    assert_eq!(sesame.read(token, now()).expect("it is a token").key(), holder.key);
    assert_eq!(enter(&sesame, token, holder, scope), Ok(()));
    assert_eq!(enter(&sesame, token, holder, "elsewhere"), Err(SesameError::Invalid));
}

#[test]
fn tokens_are_django_sesames() {
    for case in vectors("sesame")["cases"].as_array().unwrap() {
        let holder = Holder {
            key: &case["user_pk"].to_string(),
            password: text(case, "password"),
            email: text(case, "email"),
            last_login: time(text(case, "last_login")),
        };
        for (version, name) in VERSIONS.into_iter().zip(["v1_token", "v2_token"]) {
            // Version 1 has no scopes, so not every case has a token of it.
            let Some(token) = case[name].as_str() else { continue };
            check(settings(&case["settings"]), &holder, text(case, "scope"), token, version);
        }
    }
}

static MORE: &str = include_str!("../../vectors/sesame.json");

fn holder(case: &Value) -> Holder<'_> {
    let [key, password, email] = ["key", "password", "email"].map(|name| text(case, name));
    Holder { key, password, email, last_login: case["last_login"].as_str().and_then(time) }
}

#[test]
fn tokens_of_all_types_of_keys_all_passwords_and_all_settings_are_django_sesames() {
    for case in parse(MORE)["cases"].as_array().unwrap().iter().filter(|case| !is_old(case)) {
        for (version, name) in VERSIONS.into_iter().zip(["v1", "v2"]) {
            let Some(token) = case[name].as_str() else { continue };
            let mut settings = settings(&case["settings"]);
            settings.packer = packer(text(case, "packer"));
            check(settings, &holder(case), text(case, "scope"), token, version);
        }
    }
}

fn is_old(case: &Value) -> bool {
    text(case, "label").starts_with("old key")
}

#[test]
fn tokens_of_an_old_key_are_read_with_the_fallbacks_and_not_without() {
    let cases = parse(MORE);
    let old: Vec<_> = cases["cases"].as_array().unwrap().iter().filter(|case| is_old(case)).collect();
    assert_eq!(old.len(), 2);
    for (case, name) in old.into_iter().flat_map(|case| [(case, "v1"), (case, "v2")]) {
        let (holder, token) = (holder(case), text(case, name));
        assert_eq!(enter(&sesame(settings(&case["settings"])), token, &holder, ""), Ok(()));

        let current = SecretKeys::new(keys().current());
        let forgetful = Sesame::new(settings(&case["settings"]), &current).unwrap();
        assert_eq!(enter(&forgetful, token, &holder, ""), Err(SesameError::Invalid));
    }
}

#[test]
fn both_versions_are_read_where_both_are_allowed() {
    let case = &vectors("sesame")["cases"][0];
    let password = text(case, "password");
    let holder = Holder { password, ..alice() };
    for token in [text(case, "v1_token"), text(case, "v2_token")] {
        assert_eq!(enter(&with(|_| ()), token, &holder, ""), Ok(()));
    }
    let only = with(|settings| settings.versions = vec![TokenVersion::V2]);
    assert_eq!(enter(&only, text(case, "v1_token"), &holder, ""), Err(SesameError::Malformed));
}

#[test]
fn a_token_of_either_version_expires() {
    for version in VERSIONS {
        let sesame = with(|settings| {
            settings.max_age = Some(Duration::from_secs(60));
            settings.versions = vec![version];
        });
        let token = sesame.token(&alice(), "", now()).unwrap();
        let read =
            |seconds| sesame.read(&token, now() + Duration::from_secs(seconds)).map(|token| token.expires());
        assert_eq!(read(59), Ok(Some(now() + Duration::from_secs(60))));
        assert_eq!(read(61), Err(SesameError::Expired));
    }
}

#[test]
fn a_greatest_age_may_be_changed_after_tokens_were_made() {
    let minute = with(|settings| settings.max_age = Some(Duration::from_secs(60)));
    let hour = with(|settings| settings.max_age = Some(Duration::from_secs(3600)));
    let token = minute.token(&alice(), "", now()).unwrap();
    let later = now() + Duration::from_secs(600);
    assert_eq!(hour.verify(&hour.read(&token, later).unwrap(), &alice(), ""), Ok(()));
}

#[test]
fn what_should_end_a_token_ends_it() {
    let last_login = time("2026-11-01T12:00:00Z");
    type Change = fn(&mut SesameSettings);
    let changes: [(Change, Holder<'_>); 3] = [
        (|_| (), Holder { password: "argon2$argon2id$salt$another", ..alice() }),
        (
            |settings| settings.invalidate_on_email_change = true,
            Holder { email: "new@example.com", ..alice() },
        ),
        (|settings| settings.one_time = true, Holder { last_login, ..alice() }),
    ];
    for (version, (change, changed)) in
        VERSIONS.into_iter().flat_map(|version| changes.map(|change| (version, change)))
    {
        let sesame = with(|settings| {
            change(settings);
            settings.versions = vec![version];
        });
        let token = sesame.token(&alice(), "", now()).unwrap();
        assert_eq!(enter(&sesame, &token, &alice(), ""), Ok(()));
        assert_eq!(enter(&sesame, &token, &changed, ""), Err(SesameError::Invalid), "{changed:?}");
    }
}

#[test]
fn settings_with_which_a_token_would_never_end_are_refused() {
    let with = |change: fn(&mut SesameSettings)| {
        let mut settings = SesameSettings::default();
        change(&mut settings);
        Sesame::new(settings, &keys()).map(|_| ())
    };
    assert_eq!(
        with(|settings| settings.invalidate_on_password_change = false),
        Err(SesameSettingsError::Endless)
    );
    assert_eq!(with(|settings| settings.signature_size = 0), Err(SesameSettingsError::SignatureSize));
    assert_eq!(with(|settings| settings.signature_size = 65), Err(SesameSettingsError::SignatureSize));
    assert_eq!(with(|settings| settings.versions.clear()), Err(SesameSettingsError::NoVersion));
}

#[test]
fn what_does_not_fit_into_a_token_is_an_error() {
    let aged = |settings: &mut SesameSettings| settings.max_age = Some(Duration::from_secs(60));
    let key = |key| with(aged).token(&Holder { key, ..alice() }, "", now());
    assert_eq!(key("alice"), Err(SesameTokenError::Key));
    assert_eq!(key("2147483648"), Err(SesameTokenError::Key));

    let far = now() + Duration::from_secs(1 << 32);
    assert_eq!(with(aged).token(&alice(), "", far), Err(SesameTokenError::Time));

    let first = with(|settings| settings.versions = vec![TokenVersion::V1]);
    assert_eq!(first.token(&alice(), "scope", now()), Err(SesameTokenError::Scope));
}

#[test]
fn the_number_of_vectors_is_what_it_was() {
    assert_eq!(vectors("sesame")["cases"].as_array().unwrap().len(), 8);
    assert_eq!(parse(MORE)["cases"].as_array().unwrap().len(), 52);
    assert_eq!(list("SECRET_KEY_FALLBACKS").len(), 1);
}
