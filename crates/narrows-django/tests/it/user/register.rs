//! New users, and changes to them.

use narrows_django::password::PasswordProblem;
use narrows_django::{ChangePasswordError, LogInError, NameProblem, NewUser, RegisterError};

use crate::site::Site;

const GOOD: &str = "a quiet green field";

fn new(username: &str, email: &str, password: &str) -> NewUser {
    NewUser { username: username.to_owned(), email: email.to_owned(), password: password.to_owned() }
}

async fn names(username: &str, email: &str) -> Vec<NameProblem> {
    match Site::open().await.accounts.register(&new(username, email, GOOD)).await {
        Err(RegisterError::Problems { names, passwords }) if passwords.is_empty() => names,
        other => panic!("{username} gave {other:?}"),
    }
}

#[tokio::test]
async fn who_registers_is_in_the_table_as_django_writes_it_and_can_log_in() {
    let site = Site::open().await;
    let user = site.accounts.register(&new("zoë", " Zoë@EXAMPLE.com ", GOOD)).await.expect("she registers");
    assert_eq!((user.id.as_str(), &*user.email), ("3", "Zoë@example.com"));
    assert!(user.is_active && !user.is_staff && !user.is_superuser);
    let joined = site.text("SELECT date_joined FROM auth_user WHERE id = 3").await;
    assert!(joined.len() == 26 && joined.as_bytes()[10] == b' ' || joined.len() == 19, "{joined}");
    let text = site.text("SELECT password FROM auth_user WHERE id = 3").await;
    assert!(text.starts_with("pbkdf2_sha256$1000$"), "{text}");
    assert_eq!(site.accounts.authenticate("zoë", GOOD, None).await.expect("it is her password").id, user.id);
}

#[tokio::test]
async fn a_name_has_one_form() {
    let site = Site::open().await;
    // Letters of double width, which NFKC makes plain.
    let user = site.accounts.register(&new("ｍａｒｉｅ", "", GOOD)).await.expect("she registers");
    assert_eq!(user.username, "marie");
    let error = site.accounts.register(&new("marie", "", GOOD)).await.expect_err("it is the same name");
    assert!(matches!(error, RegisterError::Taken));
    site.accounts
        .authenticate("ｍａｒｉｅ", GOOD, None)
        .await
        .expect("the form is made when she logs in, too");
}

#[tokio::test]
async fn names_and_emails_that_django_refuses_are_refused() {
    for name in ["two words", "a/b", "a\n", "<b>", "a\0b", "名!"] {
        assert_eq!(names(name, "").await, [NameProblem::Characters], "{name}");
    }
    assert_eq!(names("", "").await, [NameProblem::Empty]);
    assert_eq!(names(&"a".repeat(151), "").await, [NameProblem::TooLong]);
    assert_eq!(
        names(&"\u{fdfa}".repeat(150), "").await,
        [NameProblem::TooLong],
        "18 characters each in NFKC"
    );
    for email in [
        "nobody",
        "a b@example.com",
        "@example.com",
        "a@",
        "a@b\r\nBcc: c@d",
        &format!("{}@b", "a".repeat(254)),
    ] {
        assert_eq!(names("ann", email).await, [NameProblem::Email], "{email}");
    }
    let long = "ü".repeat(150);
    let site = Site::open().await;
    for name in [&*long, "名前", "a.b+c-d_e@f", "٣"] {
        assert_eq!(
            site.accounts.register(&new(name, "", GOOD)).await.expect("it is a good name").username,
            name
        );
    }
}

#[tokio::test]
async fn all_that_is_wrong_with_a_form_is_said_at_once() {
    let error =
        Site::open().await.accounts.register(&new("a b", "x", "1234")).await.expect_err("nothing is right");
    assert!(error.to_string().contains("; "), "{error}");
    let RegisterError::Problems { names, passwords } = error else { panic!("{error}") };
    assert_eq!(names, [NameProblem::Characters, NameProblem::Email]);
    assert_eq!(passwords, [PasswordProblem::TooShort { min_length: 8 }, PasswordProblem::EntirelyNumeric]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_who_want_one_name_at_once_one_gets_it() {
    let site = Site::open().await;
    let tries = (0..8).map(|_| {
        let accounts = site.accounts.clone();
        tokio::spawn(async move { accounts.register(&new("ann", "", GOOD)).await })
    });
    let mut made = 0;
    for one in tries.collect::<Vec<_>>() {
        match one.await.expect("no panic") {
            Ok(_) => made += 1,
            Err(RegisterError::Taken) => {}
            Err(error) => panic!("{error}"),
        }
    }
    assert_eq!(made, 1);
    assert_eq!(site.text("SELECT CAST(COUNT(*) AS text) FROM auth_user WHERE username = 'ann'").await, "1");
}

#[tokio::test]
async fn a_superuser_may_do_everything() {
    let site = Site::open().await;
    let root = site.accounts.create_superuser(&new("root", "", GOOD)).await.expect("root registers");
    assert!(root.is_superuser && root.is_staff);

    let ann = site.accounts.register(&new("ann", "", GOOD)).await.expect("she registers");
    assert!(site.accounts.make_superuser(&ann.id).await.expect("no error"));
    let ann = site.accounts.user_by_id(&ann.id).await.expect("no error").expect("she is there");
    assert!(ann.is_superuser && ann.is_staff);
    assert!(!site.accounts.make_superuser(&narrows_django::UserId::new("77")).await.expect("no error"));
}

#[tokio::test]
async fn a_password_is_set_and_taken_away() {
    let site = Site::open().await;
    let alice = site.accounts.user_by_name("alice").await.expect("no error").expect("alice is there");
    let problems = site.accounts.set_password(&alice, "alice1234").await.expect_err("it is her name");
    assert!(matches!(problems, ChangePasswordError::Problems(_)));
    site.accounts.set_password(&alice, GOOD).await.expect("it is a good one");
    assert!(matches!(
        site.accounts.authenticate("alice", crate::site::PASSWORD, None).await,
        Err(LogInError::Wrong)
    ));
    site.accounts.authenticate("alice", GOOD, None).await.expect("it is her password now");

    assert!(site.accounts.set_unusable_password(&alice.id).await.expect("no error"));
    assert!(matches!(site.accounts.authenticate("alice", GOOD, None).await, Err(LogInError::Wrong)));
    let text = site.text("SELECT password FROM auth_user WHERE id = 1").await;
    assert!(text.starts_with('!') && text.len() == 41);
}
