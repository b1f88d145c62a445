//! In, out, and whose a session is.

use narrows_django::signing::session_auth_hash;
use narrows_django::{ChangePasswordError, Session, UserId};
use serde_json::Value;

use crate::site::{PASSWORD, Site};
use crate::vectors::{keys, list, text};

const ID: &str = "_auth_user_id";
const BACKEND: &str = "_auth_user_backend";
const HASH: &str = "_auth_user_hash";
const GOOD: &str = "a quiet green field";

/// The session with this key has this value.
async fn set(site: &Site, key: &str, name: &str, value: impl Into<Value>) {
    let session = site.accounts.session(Some(key)).await.unwrap();
    session.insert(name, value.into()).unwrap();
    session.save().await.unwrap();
}

async fn is_there(site: &Site, key: &str) -> bool {
    !site.accounts.session(Some(key)).await.unwrap().is_empty()
}

async fn with(site: &Site, name: &str, value: &str) -> Session {
    let session = site.accounts.session(None).await.unwrap();
    session.insert(name, value).unwrap();
    session.save().await.unwrap();
    session
}

#[tokio::test]
async fn a_log_in_is_written_into_the_session_as_django_does() {
    let site = Site::open().await;
    let key = site.logged_in("alice").await;
    let session = site.accounts.session(Some(&key)).await.unwrap();
    let get = |name| session.get::<String>(name).unwrap();
    assert_eq!(get(ID), "1");
    assert_eq!(get(BACKEND), "django.contrib.auth.backends.ModelBackend");
    assert_eq!(get(HASH), text(&list("session_auth_hash")[0], "hash"));
    assert_eq!(site.who(&key).await, "alice");
    let alice = site.accounts.user_by_name("alice").await.unwrap().unwrap();
    let ago = chrono::Utc::now() - alice.last_login.unwrap();
    assert!((0..600).contains(&ago.num_seconds()), "the time of the log-in is noted: {ago}");
}

#[tokio::test]
async fn who_chose_a_key_for_somebody_is_not_in_their_session() {
    let site = Site::open().await;
    let session = with(&site, "cart", "a book").await;
    let chosen = session.key().unwrap();
    let alice = site.accounts.user_by_name("alice").await.unwrap().unwrap();
    site.accounts.log_in(&session, &alice).await.unwrap();

    let key = session.key().unwrap();
    assert_ne!(key, chosen);
    assert_eq!(session.get::<String>("cart").as_deref(), Some("a book"), "what was in it stays");
    assert!(!is_there(&site, &chosen).await);
    assert_eq!((site.who(&chosen).await.as_str(), site.who(&key).await.as_str()), ("nobody", "alice"));
}

#[tokio::test]
async fn a_session_of_somebody_else_or_of_an_old_password_is_emptied_first() {
    let site = Site::open().await;
    site.run("UPDATE auth_user SET is_active = 1").await;
    for (name, change) in [("bob", ""), ("alice", "the hash is of another password")] {
        let session = with(&site, "cart", "a book").await;
        let alice = site.accounts.user_by_name("alice").await.unwrap().unwrap();
        site.accounts.log_in(&session, &alice).await.unwrap();
        let old = session.key().unwrap();
        if !change.is_empty() {
            session.insert(HASH, change).unwrap();
        }
        let user = site.accounts.user_by_name(name).await.unwrap().unwrap();
        site.accounts.log_in(&session, &user).await.unwrap();
        assert!(!session.contains("cart"), "{name}");
        assert!(!is_there(&site, &old).await, "{name}");
        assert_eq!(site.who(&session.key().unwrap()).await, name);
    }
}

#[tokio::test]
async fn the_same_user_again_keeps_the_session_and_its_key() {
    let site = Site::open().await;
    let key = site.logged_in("alice").await;
    set(&site, &key, "cart", "a book").await;
    let session = site.accounts.session(Some(&key)).await.unwrap();
    let alice = site.accounts.user_by_name("alice").await.unwrap().unwrap();
    site.accounts.log_in(&session, &alice).await.unwrap();
    assert_eq!((session.key(), session.contains("cart")), (Some(key), true));
}

#[tokio::test]
async fn a_logged_out_session_is_gone_whoever_kept_its_key() {
    let site = Site::open().await;
    let key = site.logged_in("alice").await;
    let session = site.accounts.session(Some(&key)).await.unwrap();
    site.accounts.log_out(&session).await.unwrap();
    assert!(session.is_empty() && session.key().is_none());
    assert!(!is_there(&site, &key).await);
    assert_eq!(site.who(&key).await, "nobody");
}

#[tokio::test]
async fn a_session_that_names_nobody_who_may_log_in_is_nobodys() {
    let site = Site::open().await;
    for (name, value) in [(ID, "77"), (ID, "x"), (BACKEND, "some.other.Backend"), (BACKEND, "")] {
        let key = site.logged_in("alice").await;
        set(&site, &key, name, value).await;
        assert_eq!(site.who(&key).await, "nobody", "{name} {value}");
        assert!(is_there(&site, &key).await, "it is kept, as by Django");
    }
    let key = site.logged_in("bob").await;
    assert_eq!(site.who(&key).await, "nobody", "bob is not active");
    assert!(is_there(&site, &key).await, "it is kept, as by Django");
}

#[tokio::test]
async fn other_backends_can_be_allowed() {
    let site = Site::open_with(|builder| builder.backends(["site.Own", "some.other.Backend"])).await;
    let key = site.logged_in("alice").await;
    let session = site.accounts.session(Some(&key)).await.unwrap();
    assert_eq!(session.get::<String>(BACKEND).as_deref(), Some("site.Own"));
    set(&site, &key, BACKEND, "some.other.Backend").await;
    assert_eq!(site.who(&key).await, "alice");
    set(&site, &key, BACKEND, "django.contrib.auth.backends.ModelBackend").await;
    assert_eq!(site.who(&key).await, "nobody");
}

#[tokio::test]
async fn without_the_hash_of_the_password_the_session_is_emptied() {
    let site = Site::open().await;
    let alice = site.accounts.user_by_name("alice").await.unwrap().unwrap();
    let unknown_key =
        session_auth_hash(text(&list("auth_user_rows")[0], "password"), "a key that nobody had");
    for value in [Value::Null, "".into(), "x".into(), 7.into(), unknown_key.into()] {
        let session = site.accounts.session(None).await.unwrap();
        site.accounts.log_in(&session, &alice).await.unwrap();
        let key = session.key().unwrap();
        set(&site, &key, HASH, value.clone()).await;
        let seen = site.get(Some(&key), "/who").await;
        assert_eq!(seen.who, "nobody", "{value}");
        assert!(
            seen.cookie.is_some_and(|cookie| cookie.contains("Max-Age=0")),
            "the cookie is deleted: {value}"
        );
        assert!(!is_there(&site, &key).await, "{value}");
    }
}

#[tokio::test]
async fn a_session_with_a_hash_by_an_old_key_is_renewed_and_not_ended() {
    let site = Site::open().await;
    let key = site.logged_in("alice").await;
    let old_hash = list("session_auth_hash")[0]["fallback_hashes"][0].as_str().unwrap();
    set(&site, &key, HASH, old_hash).await;
    set(&site, &key, "cart", "a book").await;

    let seen = site.get(Some(&key), "/who").await;
    assert_eq!(seen.who, "alice");
    let cookie = seen.cookie.expect("the browser is given the new key");
    let new = cookie.split(['=', ';']).nth(1).unwrap();
    assert!(new != key && !is_there(&site, &key).await, "the old key is no longer one");
    let session = site.accounts.session(Some(new)).await.unwrap();
    assert_eq!(session.get::<String>(HASH).as_deref(), Some(text(&list("session_auth_hash")[0], "hash")));
    assert!(session.contains("cart"));
    assert!(site.get(Some(new), "/who").await.cookie.is_none(), "once is enough");
}

#[tokio::test]
async fn what_is_not_signed_by_the_site_is_nobodys() {
    let site = Site::open().await;
    let key = site.logged_in("alice").await;
    site.run("UPDATE django_session SET session_data = replace(session_data, 'a', 'b')").await;
    assert_eq!(site.who(&key).await, "nobody");
    let other = narrows_django::Accounts::builder(
        narrows_django::SecretKeys::new("another site's key"),
        site.accounts.database().clone(),
    );
    let session = other.build().session(None).await.unwrap();
    for (name, value) in [(ID, "1"), (BACKEND, "django.contrib.auth.backends.ModelBackend")] {
        session.insert(name, value).unwrap();
    }
    session.insert(HASH, text(&list("session_auth_hash")[0], "hash")).unwrap();
    session.save().await.unwrap();
    assert_eq!(site.who(&session.key().unwrap()).await, "nobody");
}

#[tokio::test]
async fn a_changed_password_ends_the_other_sessions_and_renews_this_one() {
    let site = Site::open().await;
    let (other, mine) = (site.logged_in("alice").await, site.logged_in("alice").await);
    let session = site.accounts.session(Some(&mine)).await.unwrap();
    let alice = site.accounts.user_by_name("alice").await.unwrap().unwrap();
    site.accounts.change_password(&session, &alice, PASSWORD, GOOD).await.unwrap();

    let renewed = session.key().unwrap();
    assert_ne!(renewed, mine);
    for (key, who) in [(&renewed, "alice"), (&mine, "nobody"), (&other, "nobody")] {
        assert_eq!(site.who(key).await, who);
    }
    site.accounts.authenticate("alice", GOOD, None).await.unwrap();
}

#[tokio::test]
async fn a_password_is_changed_only_by_who_knows_the_old_one_and_for_a_good_one() {
    let site = Site::open().await;
    let key = site.logged_in("alice").await;
    let session = site.accounts.session(Some(&key)).await.unwrap();
    let alice = site.accounts.user_by_name("alice").await.unwrap().unwrap();
    let change =
        async |old, new| site.accounts.change_password(&session, &alice, old, new).await.unwrap_err();
    assert!(matches!(change("wrong", GOOD).await, ChangePasswordError::Wrong));
    assert!(matches!(change(PASSWORD, "alice123").await, ChangePasswordError::Problems(_)));
    for _ in 0..5 {
        assert!(matches!(change("wrong", GOOD).await, ChangePasswordError::Wrong));
    }
    assert!(
        matches!(change(PASSWORD, GOOD).await, ChangePasswordError::Throttled(_)),
        "guessing is counted here too"
    );
    assert_eq!(site.who(&key).await, "alice", "the session is what it was");
}

#[tokio::test]
async fn a_weak_text_that_is_written_again_keeps_the_session_of_this_log_in() {
    let strong = narrows_django::password::Hashing::new(
        narrows_django::password::Hasher::pbkdf2_sha256(2000).unwrap(),
    );
    let site = Site::open_with(|builder| builder.hashing(strong)).await;
    let before = site.logged_in("alice").await;
    let session = site.accounts.session(None).await.unwrap();
    let alice = site.accounts.authenticate("alice", PASSWORD, None).await.unwrap();
    site.accounts.log_in(&session, &alice).await.unwrap();
    assert_eq!(site.who(&session.key().unwrap()).await, "alice");
    assert_eq!(site.who(&before).await, "nobody", "as with Django, which sees another password");
}

#[tokio::test]
async fn who_may_not_log_in_any_more_is_nobody_at_once() {
    let site = Site::open().await;
    let key = site.logged_in("alice").await;
    assert!(site.accounts.set_active(&UserId::new("1"), false).await.unwrap());
    assert_eq!(site.who(&key).await, "nobody");
    assert!(site.accounts.set_active(&UserId::new("1"), true).await.unwrap());
    assert_eq!(site.who(&key).await, "alice");
    assert!(!site.accounts.set_active(&UserId::new("77"), false).await.unwrap());
    assert_eq!(keys().current(), site.accounts.keys().current());
}
