//! Sessions: what one side puts into one the other finds there, in each store.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use narrows_django::{AccountsBuilder, SecretKeys, SessionEngine, signing};
use rig::{Django, Redis};
use serde_json::{Value, json};

use super::ground::Ground;
use super::narrows_site::{NarrowsSite, VALUE};
use super::site::both_ways;
use super::{PASSWORD, on_each_database};

on_each_database!(
    who_logs_in_on_one_side_is_seen_on_the_other,
    values_go_from_one_side_to_the_other,
    what_one_side_does_not_touch_stays_as_the_other_wrote_it,
    who_logs_out_on_one_side_is_out_on_the_other,
    what_is_no_session_is_nobodys_on_either_side,
    a_session_that_is_over_is_nobodys_on_either_side,
);

/// Runs a test with both sides in each store; with the name of the store, for what it says when it fails.
async fn in_each_store(ground: &Ground, test: impl AsyncFn(&Django, &NarrowsSite, &str)) {
    let Some(redis) = Redis::start() else { return };
    let (url, folder, redis) = (ground.fresh_database(), ground.folder(), Arc::new(redis));
    let site = Django::on(&url).quick_hashers().session_files(&folder).redis_cache(&redis.url());
    let Some(django) = site.migrated() else { return };
    django.create_user("zoë", PASSWORD).await.unwrap();
    let stores = [
        ("db", SessionEngine::Database),
        ("cached_db", SessionEngine::CachedDatabase),
        ("signed_cookies", SessionEngine::SignedCookies),
        ("file", SessionEngine::Files(folder.clone())),
    ];
    for (name, engine) in stores {
        django.change_session_engine(name).await.unwrap();
        let cache = redis.clone();
        // As its documentation says, for beside a Django that reads its cache first.
        let forget =
            move |key: &str| drop(cache.cli(&["DEL", &format!(":1:django.contrib.sessions.cached_db{key}")]));
        let settings = |accounts: AccountsBuilder| match engine {
            SessionEngine::CachedDatabase => accounts.sessions(engine).on_session_change(forget),
            _ => accounts.sessions(engine),
        };
        let narrows = NarrowsSite::on(&url, settings).await;
        test(&django, &narrows, name).await;
    }
}

async fn who_logs_in_on_one_side_is_seen_on_the_other(ground: Ground) {
    in_each_store(&ground, async |django, narrows, store| {
        for (one, other) in both_ways(django, narrows) {
            assert_eq!(one.login("zoë", "wrong").await, None);
            let cookie = one.login("zoë", PASSWORD).await.unwrap();
            let seen = other.whoami(&cookie).await;
            assert_eq!(seen.user.as_deref(), Some("zoë"), "{one} to {other}, {store}");
            assert_eq!(seen.id, one.whoami(&cookie).await.id, "{one} to {other}, {store}");
            assert_eq!(seen.set_cookie, None, "{one} to {other}, {store}");
        }
    })
    .await;
}

async fn values_go_from_one_side_to_the_other(ground: Ground) {
    let values = [
        json!({"text": "Zoë 🐎 \u{0}\u{7f}\u{2028} <&\"'\\", "ключ": {"list": [[], {}, [null, true]]}}),
        json!([0, -1, 1.5, -2.5e-10, 9_007_199_254_740_993_u64, i64::MIN, u64::MAX]),
        json!({"date": "2026-02-28", "time": "2026-02-28T12:00:00.000123+00:00"}),
        json!("ä".repeat(3000)),
    ];
    in_each_store(&ground, async |django, narrows, store| {
        for (one, other) in both_ways(django, narrows) {
            let mut cookie = None;
            for value in &values {
                let set = one.set_session(cookie.as_deref(), json!({VALUE: value})).await;
                let seen = other.whoami(set.cookie.as_deref().unwrap()).await;
                assert_eq!(&seen.session[VALUE], value, "{one} to {other}, {store}");
                cookie = set.cookie;
            }
        }
    })
    .await;
}

async fn what_one_side_does_not_touch_stays_as_the_other_wrote_it(ground: Ground) {
    in_each_store(&ground, async |django, narrows, store| {
        let hard = "{'n': 2**70 + 1, 'm': -2**63, 'f': 1e22, 'x': 0.1, 'u': '\\U0001f40e\\x00'}";
        let code = format!(
            "from importlib import import_module\n\
             store = import_module(settings.SESSION_ENGINE).SessionStore()\n\
             store['kept'] = {hard}\nstore.save()\nresult = store.session_key"
        );
        let cookie = django.run(&code, json!({})).await.unwrap();
        let changed = narrows.post("/session/", cookie.as_str(), &json!({VALUE: 1})).await;
        let code = format!(
            "from importlib import import_module\n\
             store = import_module(settings.SESSION_ENGINE).SessionStore(cookie)\n\
             from django.core.cache import cache\ncache.clear()\n\
             result = [store['kept'] == {hard}, store['value']]"
        );
        let kept = django.run(&code, json!({"cookie": changed.cookie})).await.unwrap();
        assert_eq!(kept, json!([true, 1]), "{store}");
    })
    .await;
}

async fn who_logs_out_on_one_side_is_out_on_the_other(ground: Ground) {
    in_each_store(&ground, async |django, narrows, store| {
        for (one, other) in both_ways(django, narrows) {
            let cookie = one.login("zoë", PASSWORD).await.unwrap();
            assert_eq!(other.logout(&cookie).await.cookie, None, "{other}, {store}");
            let expected = if store == "signed_cookies" {
                // All of it is with the browser: who kept the cookie keeps the session.
                Some("zoë")
            } else {
                None
            };
            assert_eq!(one.whoami(&cookie).await.user.as_deref(), expected, "{other} to {one}, {store}");
            assert_eq!(other.whoami(&cookie).await.user.as_deref(), expected, "{other}, {store}");
        }
    })
    .await;
}

async fn what_is_no_session_is_nobodys_on_either_side(ground: Ground) {
    in_each_store(&ground, async |django, narrows, store| {
        for (one, other) in both_ways(django, narrows) {
            let cookie = one.login("zoë", PASSWORD).await.unwrap();
            let tampered =
                format!("{}{}", &cookie[..cookie.len() - 1], if cookie.ends_with('a') { 'b' } else { 'a' });
            let long = "a".repeat(4000);
            for bad in [&*tampered, "", "nonsense", "../../../etc/passwd", "a:b:c", ".eJw:1:x", &long] {
                assert_eq!(other.whoami(bad).await.user, None, "{one} to {other}, {store}: {bad}");
            }
            assert_eq!(other.whoami(&cookie).await.user.as_deref(), Some("zoë"), "{one} to {other}, {store}");
        }
    })
    .await;
}

/// Makes all sessions in the database and in files two weeks older than they are.
const AGE: &str = "
import glob, os
from datetime import timedelta
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.db.models import F
age = timedelta(days=15)
for session in Session.objects.all():
    Session.objects.filter(pk=session.pk).update(expire_date=session.expire_date - age)
for path in glob.glob(os.path.join(settings.SESSION_FILE_PATH, '*')):
    time = os.stat(path).st_mtime - age.total_seconds()
    os.utime(path, (time, time))
cache.clear()
";

async fn a_session_that_is_over_is_nobodys_on_either_side(ground: Ground) {
    in_each_store(&ground, async |django, narrows, store| {
        for (one, other) in both_ways(django, narrows) {
            let mut cookie = one.login("zoë", PASSWORD).await.unwrap();
            if store == "signed_cookies" {
                cookie = aged(&cookie);
            }
            django.run(AGE, json!({})).await.unwrap();
            assert_eq!(other.whoami(&cookie).await.user, None, "{one} to {other}, {store}");
        }
    })
    .await;
}

/// The same signed session as it would have been written two weeks ago.
fn aged(cookie: &str) -> String {
    let (keys, salt) =
        (SecretKeys::new(Django::SECRET_KEY), "django.contrib.sessions.backends.signed_cookies");
    let then = SystemTime::now() - Duration::from_secs(15 * 24 * 60 * 60);
    let value: Value = signing::loads(cookie, salt, &keys, None, SystemTime::now()).unwrap();
    signing::dumps(&value, salt, &keys, true, then).unwrap()
}
