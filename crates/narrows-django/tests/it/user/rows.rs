//! Users in Django's tables.

use narrows_django::{KeyKind, NewUser, UserId, UserModel};

use crate::site::Site;

fn person(username: &str) -> NewUser {
    NewUser {
        username: username.to_owned(),
        email: String::new(),
        password: "a quiet green field".to_owned(),
    }
}

#[tokio::test]
async fn a_user_that_django_wrote_is_read_whole() {
    let site = Site::open().await;
    let alice =
        site.accounts.user_by_name("alice").await.expect("the database is there").expect("alice is there");
    assert_eq!((alice.id.as_str(), &*alice.username, &*alice.email), ("1", "alice", "alice@example.com"));
    assert_eq!((alice.is_active, alice.is_staff, alice.is_superuser), (true, false, false));
    assert_eq!(alice.date_joined.to_rfc3339(), "2023-11-14T00:00:00+00:00");
    assert_eq!(alice.last_login, None);
    assert!(!format!("{alice:?}").contains("pbkdf2"), "the password's text is not in a log");

    let bob = site.accounts.user_by_id(&UserId::new("2")).await.expect("the database is there");
    assert_eq!(bob.map(|bob| (bob.username, bob.is_active)), Some(("bob".to_owned(), false)));
}

#[tokio::test]
async fn ids_and_names_that_nobody_can_have_are_nobody() {
    let site = Site::open().await;
    for id in ["", "x", "1 OR 1=1", "99999999999999999999", "4294967297", "-1", "3", "1\0", "1.0"] {
        assert_eq!(site.accounts.user_by_id(&UserId::new(id)).await.expect("no error"), None, "{id}");
    }
    for name in ["", "ALICE", "alice ", "alice\0", "' OR ''='", &"a".repeat(100_000)] {
        assert_eq!(site.accounts.user_by_name(name).await.expect("no error"), None, "{name}");
    }
}

#[tokio::test]
async fn a_time_in_another_form_is_read_too() {
    let site = Site::open().await;
    site.run("UPDATE auth_user SET last_login = '2024-01-02T03:04:05.600000+00:00'").await;
    let alice = site.accounts.user_by_name("alice").await.expect("no error").expect("alice is there");
    assert_eq!(
        alice.last_login.map(|time| time.to_rfc3339()),
        Some("2024-01-02T03:04:05.600+00:00".to_owned())
    );

    site.run("UPDATE auth_user SET last_login = 'some day'").await;
    let alice = site.accounts.user_by_name("alice").await.expect("no error").expect("alice is there");
    assert_eq!(alice.last_login, None, "nobody is kept out by it");
}

#[tokio::test]
async fn ten_thousand_users_are_read_at_once() {
    let site = Site::open().await;
    site.run(
        "WITH RECURSIVE n(i) AS (SELECT 3 UNION ALL SELECT i + 1 FROM n WHERE i < 10000) INSERT INTO auth_user \
         SELECT i, '!', NULL, 0, 'user' || i, '', '', 0, 1, '2024-01-01', '' FROM n",
    )
    .await;
    let ids: Vec<_> = (1..=10_010).map(|id| UserId::new(&id.to_string())).chain([UserId::new("x")]).collect();
    let users = site.accounts.users_by_ids(&ids).await.expect("the database is there");
    assert_eq!(users.len(), 10_000);
    assert_eq!(users[&UserId::new("9999")].username, "user9999");
    assert!(site.accounts.users_by_ids(&[]).await.expect("the database is there").is_empty());
}

#[tokio::test]
async fn a_user_model_with_uuids_and_few_columns_works() {
    let mut model = UserModel::default();
    model.table = "people person".to_owned();
    model.key = "uid".to_owned();
    model.key_kind = KeyKind::Uuid;
    model.username = "email".to_owned();
    (model.first_name, model.last_name, model.is_staff) = (None, None, None);
    (model.is_superuser, model.is_active, model.date_joined) = (None, None, None);
    let table = "CREATE TABLE \"people person\" (uid char(32) NOT NULL PRIMARY KEY, password varchar(128) NOT NULL, \
                 last_login datetime NULL, email varchar(254) NOT NULL UNIQUE)";
    let site = Site::with_model(model, table).await;

    let made = site.accounts.register(&person("ann@example.com")).await.expect("she registers");
    assert!(made.is_active && !made.is_staff);
    assert_eq!(
        (made.id.as_str().len(), made.id.as_str().as_bytes()[14]),
        (36, b'4'),
        "a random UUID: {}",
        made.id
    );
    assert_eq!(site.text("SELECT uid FROM \"people person\"").await, made.id.as_str().replace('-', ""));
    for id in [made.id.to_string(), made.id.as_str().replace('-', "").to_uppercase()] {
        let found = site.accounts.user_by_id(&UserId::new(&id)).await.expect("no error");
        assert_eq!(found.as_ref(), Some(&made));
    }
    let found = site.accounts.users_by_ids([&made.id, &UserId::new("no uuid")]).await.expect("no error");
    assert_eq!(found.get(&made.id), Some(&made));
    site.accounts
        .authenticate("ann@example.com", "a quiet green field", None)
        .await
        .expect("it is her password");
}

#[tokio::test]
async fn keys_of_64_bits_and_texts_work() {
    let columns =
        "password varchar(128) NOT NULL, last_login datetime NULL, username varchar(150) NOT NULL UNIQUE";
    let mut model = UserModel::default();
    model.key_kind = KeyKind::BigInteger;
    (model.email, model.first_name, model.last_name, model.is_staff) = (None, None, None, None);
    (model.is_superuser, model.is_active, model.date_joined) = (None, None, None);
    let table = format!("CREATE TABLE auth_user (id integer NOT NULL PRIMARY KEY AUTOINCREMENT, {columns})");
    let site = Site::with_model(model.clone(), &table).await;
    site.run("INSERT INTO auth_user (id, password, username) VALUES (9007199254740993, '!', 'big')").await;
    let big = site.accounts.user_by_id(&UserId::new("9007199254740993")).await.expect("no error");
    assert_eq!(big.map(|user| user.username), Some("big".to_owned()));

    model.key_kind = KeyKind::Text;
    model.key = "username".to_owned();
    let site = Site::with_model(model.clone(), &format!("CREATE TABLE auth_user ({columns})")).await;
    let made = site.accounts.register(&person("ann")).await.expect("she registers");
    assert_eq!(made.id, UserId::new("ann"));

    model.key = "code".to_owned();
    let site =
        Site::with_model(model, &format!("CREATE TABLE auth_user (code varchar(9) PRIMARY KEY, {columns})"))
            .await;
    let error = site.accounts.register(&person("ann")).await.expect_err("nobody says what her key is");
    assert!(matches!(error, narrows_django::RegisterError::NoKey));
}
