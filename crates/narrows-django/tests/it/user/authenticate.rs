//! Names and passwords.

use std::net::IpAddr;
use std::num::NonZeroUsize;

use axum::response::IntoResponse;
use http::StatusCode;
use http::header::RETRY_AFTER;
use narrows_django::password::{HashThreads, HashWork, Hasher, Hashing};
use narrows_django::{Accounts, LogInError, Rate, ThrottleSettings};

use crate::site::{PASSWORD, Site};

const HERE: Option<IpAddr> = Some(IpAddr::V4(std::net::Ipv4Addr::LOCALHOST));
const THERE: Option<IpAddr> = Some(IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1)));

async fn refusal(accounts: &Accounts, username: &str, password: &str) -> LogInError {
    accounts.authenticate(username, password, HERE).await.expect_err("it is refused")
}

/// What one log-in costs.
async fn work(site: &Site, username: &str, password: &str) -> HashWork {
    let before = site.hashing.work();
    // Whether it is right is not the question here.
    let _outcome = site.accounts.authenticate(username, password, None).await;
    let mut work = site.hashing.work();
    work.runs -= before.runs;
    work.iterations -= before.iterations;
    work
}

#[tokio::test]
async fn the_right_password_is_the_user_and_anything_else_is_not() {
    let site = Site::open().await;
    let alice = site.accounts.authenticate("alice", PASSWORD, HERE).await.expect("it is her password");
    assert_eq!(alice.id.as_str(), "1");
    assert!(matches!(refusal(&site.accounts, "alice", "wrong").await, LogInError::Wrong));
    assert!(matches!(refusal(&site.accounts, "nobody", PASSWORD).await, LogInError::Wrong));
    assert!(matches!(refusal(&site.accounts, "alice\0", PASSWORD).await, LogInError::Wrong));
}

#[tokio::test]
async fn who_may_not_log_in_looks_like_a_wrong_password_from_outside() {
    let site = Site::open().await;
    let (inactive, wrong) =
        (refusal(&site.accounts, "bob", PASSWORD).await, refusal(&site.accounts, "bob", "wrong").await);
    assert!(matches!((&inactive, &wrong), (LogInError::Inactive, LogInError::Wrong)));
    assert_eq!(inactive.to_string(), wrong.to_string());
    assert_eq!(inactive.into_response().status(), wrong.into_response().status());
}

#[tokio::test]
async fn nobody_costs_the_same_hash_as_somebody() {
    let site = Site::open_with(|builder| builder).await;
    site.run("INSERT INTO auth_user SELECT 3, '!x', NULL, 0, 'none', '', '', 0, 1, '2024-01-01', ''").await;
    site.run("INSERT INTO auth_user SELECT 4, password, NULL, 0, 'off', '', '', 0, 0, '2024-01-01', '' FROM auth_user \
              WHERE id = 1").await;
    let known = work(&site, "alice", "wrong").await;
    assert_eq!((known.runs, known.iterations), (1, 1000));
    for name in ["nobody", "none", "off", "", &"x".repeat(5000)] {
        assert_eq!(work(&site, name, "wrong").await, known, "{name}");
    }
}

#[tokio::test]
async fn a_weak_text_is_written_again_when_its_user_logs_in() {
    let site = Site::open_with(|builder| {
        builder.hashing(Hashing::new(Hasher::pbkdf2_sha256(2000).expect("some iterations")))
    })
    .await;
    let alice = site.accounts.authenticate("alice", PASSWORD, None).await.expect("it is her password");
    let text = site.text("SELECT password FROM auth_user WHERE id = 1").await;
    assert!(text.starts_with("pbkdf2_sha256$2000$"), "{text}");
    let again = site.accounts.authenticate("alice", PASSWORD, None).await.expect("it still is");
    assert_eq!(again, alice, "the user has the new text, which the session's hash is of");
}

#[tokio::test]
async fn five_wrong_passwords_at_one_address_keep_nobody_out_at_another() {
    let site = Site::open().await;
    for _ in 0..5 {
        refusal(&site.accounts, "alice", "wrong").await;
    }
    let LogInError::Throttled(throttled) = refusal(&site.accounts, "Alice", PASSWORD).await else {
        panic!("the sixth is not tried")
    };
    assert!(!throttled.retry_after.is_zero());
    let response = LogInError::from(throttled).into_response();
    assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
    assert!(
        response.headers()[RETRY_AFTER].to_str().is_ok_and(|text| text.parse::<u32>().is_ok_and(|n| n > 0))
    );
    site.accounts.authenticate("alice", PASSWORD, THERE).await.expect("she is somewhere else");
}

#[tokio::test]
async fn the_right_password_forgets_the_wrong_ones() {
    let site = Site::open().await;
    for _ in 0..4 {
        for _ in 0..4 {
            refusal(&site.accounts, "alice", "wrong").await;
        }
        site.accounts.authenticate("alice", PASSWORD, HERE).await.expect("it is her password");
    }
}

#[tokio::test]
async fn without_the_database_nothing_is_counted_and_nobody_is_refused() {
    let mut settings = ThrottleSettings::default();
    settings.account = Rate { burst: 1, every: std::time::Duration::from_secs(3600) };
    let site = Site::open_with(|builder| builder.throttle(settings)).await;
    site.run("ALTER TABLE auth_user RENAME TO away").await;
    for _ in 0..3 {
        let error = refusal(&site.accounts, "alice", PASSWORD).await;
        assert!(matches!(error, LogInError::Unavailable(_)), "{error}");
        assert_eq!(error.into_response().status(), StatusCode::SERVICE_UNAVAILABLE);
    }
    site.run("ALTER TABLE away RENAME TO auth_user").await;
    site.accounts.authenticate("alice", PASSWORD, HERE).await.expect("it is her password");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn too_many_at_once_are_told_to_come_again_and_none_is_forgotten() {
    let mut threads = HashThreads::default();
    (threads.threads, threads.waiting) = (NonZeroUsize::MIN, 1);
    let site = Site::open_with(|builder| builder.hash_threads(threads)).await;
    let tries: Vec<_> = (0..50)
        .map(|n| {
            let accounts = site.accounts.clone();
            tokio::spawn(async move { accounts.authenticate(&format!("nobody{n}"), "wrong", None).await })
        })
        .collect();
    let (mut wrong, mut busy) = (0, 0);
    for one in tries {
        match one.await.expect("no panic").expect_err("nobody has the name") {
            LogInError::Wrong => wrong += 1,
            LogInError::Busy(_) => busy += 1,
            error => panic!("{error}"),
        }
    }
    assert!(wrong >= 1 && wrong + busy == 50);
    assert_eq!(site.hashing.work().runs, wrong, "who was told to come again cost nothing");
    site.accounts.authenticate("alice", PASSWORD, HERE).await.expect("all places are free again");
}

#[tokio::test]
async fn who_hangs_up_gives_up_the_place() {
    let mut threads = HashThreads::default();
    (threads.threads, threads.waiting) = (NonZeroUsize::MIN, 0);
    let site = Site::open_with(|builder| builder.hash_threads(threads)).await;
    for _ in 0..20 {
        let login = site.accounts.authenticate("alice", "wrong", THERE);
        let _gone = tokio::time::timeout(std::time::Duration::ZERO, login).await;
    }
    // What ran when they hung up goes on to its end.
    while let Err(error) = site.accounts.authenticate("alice", PASSWORD, HERE).await {
        assert!(matches!(error, LogInError::Busy(_)), "{error}");
        tokio::task::yield_now().await;
    }
}
