//! Which sockets still hold.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime};

use narrows::{Identity, Standing};
use narrows_django::signing::session_auth_hash;
use narrows_django::{Accounts, Database, SessionEngine, UserId};
use sea_orm::ConnectionTrait;

use crate::site::Site;
use crate::vectors::{keys, list, text};

fn of(key: &str, user: &str) -> Identity {
    Identity::new().with_session(key).with_user(user)
}

async fn standing(site: &Site, identity: Identity) -> Standing {
    site.accounts.identity_check().check(&[identity]).await.unwrap()[0]
}

async fn ended(site: &Site, key: &str, user: &str) -> bool {
    standing(site, of(key, user)).await == Standing::Ended
}

#[tokio::test]
async fn a_socket_holds_until_its_session_ends() {
    let site = Site::open().await;
    let key = site.logged_in("alice").await;
    let Standing::Holds(Some(until)) = standing(&site, of(&key, "1")).await else { panic!("it holds") };
    let left = until.duration_since(SystemTime::now()).unwrap();
    assert!(
        left > Duration::from_secs(13 * 24 * 3600) && left <= Duration::from_secs(14 * 24 * 3600),
        "{left:?}"
    );
    assert!(matches!(standing(&site, Identity::new().with_session(&*key)).await, Standing::Holds(Some(_))));
}

#[tokio::test]
async fn what_ends_a_session_ends_its_sockets() {
    for end in [
        "DELETE FROM django_session",
        "UPDATE django_session SET expire_date = '2020-01-01 00:00:00'",
        "UPDATE django_session SET session_data = 'x'",
        "UPDATE auth_user SET is_active = 0",
        "DELETE FROM auth_user",
        "UPDATE auth_user SET password = password || 'x'",
        "UPDATE auth_user SET id = id + 100",
    ] {
        let site = Site::open().await;
        let key = site.logged_in("alice").await;
        assert!(!ended(&site, &key, "1").await, "{end}");
        site.run(end).await;
        assert!(ended(&site, &key, "1").await, "{end}");
    }
}

#[tokio::test]
async fn a_session_that_is_somebody_elses_by_now_ends_the_sockets_of_before() {
    let site = Site::open().await;
    site.run("UPDATE auth_user SET is_active = 1").await;
    let key = site.logged_in("alice").await;
    assert!(ended(&site, &key, "2").await);
    assert!(ended(&site, "another-key-of-nobody", "1").await);
    let session = site.accounts.session(Some(&key)).await.unwrap();
    session.insert("_auth_user_backend", "some.other.Backend").unwrap();
    session.save().await.unwrap();
    assert!(ended(&site, &key, "1").await);
}

#[tokio::test]
async fn a_hash_by_an_old_key_still_holds() {
    let site = Site::open().await;
    let key = site.logged_in("alice").await;
    let session = site.accounts.session(Some(&key)).await.unwrap();
    session.insert("_auth_user_hash", list("session_auth_hash")[0]["fallback_hashes"][0].clone()).unwrap();
    session.save().await.unwrap();
    assert!(!ended(&site, &key, "1").await);
}

#[tokio::test]
async fn without_the_database_nothing_is_said_and_so_nobody_closed() {
    let site = Site::open().await;
    let key = site.logged_in("alice").await;
    for table in ["django_session", "auth_user"] {
        site.run(&format!("ALTER TABLE {table} RENAME TO {table}_away")).await;
        assert!(site.accounts.identity_check().check(&[of(&key, "1")]).await.is_err(), "{table}");
        site.run(&format!("ALTER TABLE {table}_away RENAME TO {table}")).await;
    }
    assert!(!ended(&site, &key, "1").await);
    let check = site.accounts.identity_check();
    drop(site);
    assert!(check.check(&[of(&key, "1")]).await.is_err(), "the accounts are gone, too");
}

#[tokio::test]
async fn a_session_in_its_cookie_holds_by_its_time_and_the_users_password() {
    let site = Site::open_with(|builder| builder.sessions(SessionEngine::SignedCookies)).await;
    let hash = session_auth_hash(text(&list("auth_user_rows")[0], "password"), keys().current());
    let check = site.accounts.identity_check();
    let of = |hash: &str, until| Identity::new().with_user("1").until(until).checked_by(check.clone(), hash);
    let (now, later) = (SystemTime::now(), SystemTime::now() + Duration::from_secs(60));
    assert_eq!(standing(&site, of(&hash, later)).await, Standing::Holds(Some(later)));
    assert_eq!(standing(&site, of(&hash, now)).await, Standing::Ended);
    assert_eq!(standing(&site, of("x", later)).await, Standing::Ended);
    site.run("UPDATE auth_user SET is_active = 0").await;
    assert_eq!(standing(&site, of(&hash, later)).await, Standing::Ended);
}

#[tokio::test]
async fn sessions_in_files_are_checked_too() {
    let folder = tempfile::tempdir().unwrap();
    let site =
        Site::open_with(|builder| builder.sessions(SessionEngine::Files(folder.path().to_owned()))).await;
    let keys = [site.logged_in("alice").await, site.logged_in("alice").await];
    let session = site.accounts.session(Some(&keys[0])).await.unwrap();
    site.accounts.log_out(&session).await.unwrap();
    assert!(ended(&site, &keys[0], "1").await);
    assert!(!ended(&site, &keys[1], "1").await);
}

/// The answers are in the order of the questions, and there are few queries.
#[tokio::test]
async fn ten_thousand_sockets_are_a_handful_of_queries() {
    let site = Site::open().await;
    site.run(
        "WITH RECURSIVE n(i) AS (SELECT 3 UNION ALL SELECT i + 1 FROM n WHERE i < 10002) INSERT INTO auth_user \
         SELECT i, '!', NULL, 0, 'user' || i, '', '', 0, 1, '2024-01-01', '' FROM n",
    )
    .await;
    let hash = session_auth_hash("!", keys().current());
    let connection = site.accounts.database().connection();
    connection.execute_unprepared("CREATE TABLE made (session_key text, id integer)").await.unwrap();
    let now = SystemTime::now();
    let identities: Vec<_> = (3..=10_002_u32)
        .map(|id| {
            let salt = "django.contrib.sessions.SessionStore";
            let values = serde_json::json!({
                "_auth_user_id": id.to_string(), "_auth_user_hash": hash,
                "_auth_user_backend": "django.contrib.auth.backends.ModelBackend",
            });
            let data = narrows_django::signing::dumps(&values, salt, &keys(), true, now).unwrap();
            (
                of(&format!("session{id}"), &id.to_string()),
                format!("('session{id}', '{data}', '2999-01-01 00:00:00')"),
            )
        })
        .collect();
    for rows in identities.chunks(1000) {
        let rows: Vec<_> = rows.iter().map(|(_, row)| row.as_str()).collect();
        site.run(&format!("INSERT INTO django_session VALUES {}", rows.join(","))).await;
    }
    site.run("DELETE FROM django_session WHERE session_key = 'session77'").await;
    site.run("UPDATE auth_user SET is_active = 0 WHERE id = 9999").await;

    let queries = Arc::new(AtomicU32::new(0));
    let mut counted = connection.clone();
    let count = queries.clone();
    counted.set_metric_callback(move |_| {
        count.fetch_add(1, Ordering::Relaxed);
    });
    let accounts = Accounts::builder(keys(), Database::from(counted)).build();
    let identities: Vec<_> = identities.into_iter().map(|(identity, _)| identity).collect();
    let standings = accounts.identity_check().check(&identities).await.unwrap();

    let ended: Vec<_> =
        (3_usize..).zip(&standings).filter(|(_, s)| **s == Standing::Ended).map(|(id, _)| id).collect();
    assert_eq!(ended, [77, 9999]);
    assert_eq!(standings.len(), 10_000);
    let queries = queries.load(Ordering::Relaxed);
    assert!((2..=4).contains(&queries), "{queries} queries");
    assert!(site.accounts.user_by_id(&UserId::new("77")).await.unwrap().is_some());
}
