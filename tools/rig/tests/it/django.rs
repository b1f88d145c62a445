use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::time::Duration;

use rig::{Django, DjangoOptions, MariaDb, Postgres, Redis};
use serde_json::{Value, json};
use tempfile::TempDir;

const HASHERS: [&str; 6] = [
    "PBKDF2PasswordHasher",
    "PBKDF2SHA1PasswordHasher",
    "Argon2PasswordHasher",
    "BCryptSHA256PasswordHasher",
    "BCryptPasswordHasher",
    "ScryptPasswordHasher",
];

/// What a call is expected to do, whose error says itself what went wrong.
const SAYS: &str = "Django does it";

type Model = fn(DjangoOptions) -> DjangoOptions;

/// A site in a file, with its folder.
fn on_sqlite(options: impl FnOnce(DjangoOptions, &TempDir) -> DjangoOptions) -> Option<(Django, TempDir)> {
    let folder = tempfile::tempdir().expect("a folder");
    let url = format!("sqlite://{}/db.sqlite?mode=rwc", folder.path().display());
    // Slow hashes would be most of a test's time.
    let site = Django::on(&url).hashers(&["MD5PasswordHasher"]);
    options(site, &folder).migrated().map(|django| (django, folder))
}

fn browsers_log_in_and_out(django: &Django) {
    let id = django.create_user("zoë", "correct horse").wait().expect(SAYS);
    assert_eq!(django.login("zoë", "wrong").wait().expect(SAYS), None);
    let cookie = django.login("zoë", "correct horse").wait().expect(SAYS).expect("a cookie");
    let seen = django.whoami(&cookie).wait().expect(SAYS);
    assert_eq!((seen.user.as_deref(), seen.id.as_ref()), (Some("zoë"), Some(&id)));
    assert_eq!((seen.cookie.as_deref(), seen.set_cookie), (Some(&*cookie), None));
    let seen = django.set_session(Some(&cookie), json!({"cart": [1, {"ü": null}]})).wait().expect(SAYS);
    let cookie = seen.cookie.expect("a cookie");
    assert_eq!(django.whoami(&cookie).wait().expect(SAYS).session["cart"], json!([1, {"ü": null}]));
    let seen = django.logout(&cookie).wait().expect(SAYS);
    assert_eq!((seen.user, seen.cookie), (None, None));
}

#[test]
fn browsers_log_in_and_out_on_sqlite_with_each_engine() {
    for engine in ["db", "cached_db", "signed_cookies"] {
        let Some((django, _folder)) = on_sqlite(|site, _| site.session_engine(engine)) else { return };
        browsers_log_in_and_out(&django);
    }
    let site = on_sqlite(|site, folder| site.session_files(folder.path()).cookie_name("mine"));
    let Some((django, folder)) = site else { return };
    browsers_log_in_and_out(&django);
    let cookie = django.login("zoë", "correct horse").wait().unwrap().unwrap();
    assert!(folder.path().join(format!("mine{cookie}")).exists());
}

#[test]
fn browsers_log_in_and_out_on_postgres() {
    let Some(postgres) = Postgres::start() else { return };
    let Some(django) = Django::on(&postgres.fresh_database()).migrated() else { return };
    browsers_log_in_and_out(&django);
    assert_eq!(django.unapplied().wait().unwrap(), Vec::<String>::new());
}

#[test]
fn browsers_log_in_and_out_on_mariadb() {
    let Some(mariadb) = MariaDb::start() else { return };
    let Some(django) = Django::on(&mariadb.fresh_database()).migrated() else { return };
    browsers_log_in_and_out(&django);
}

#[test]
fn a_cache_in_redis_holds_sessions() {
    let Some(redis) = Redis::start() else { return };
    let site = on_sqlite(|site, _| site.session_engine("cached_db").redis_cache(&redis.url()));
    let Some((django, _folder)) = site else { return };
    browsers_log_in_and_out(&django);
    let cookie = django.login("zoë", "correct horse").wait().unwrap().unwrap();
    let url = format!(":1:django.contrib.sessions.cached_db{cookie}");
    let database = redis.cli(&["KEYS", "*"]);
    assert!(database.contains(&url), "{database}");
}

#[test]
fn a_database_that_was_away_is_used_again() {
    let Some(postgres) = Postgres::start() else { return };
    let Some(django) = Django::on(&postgres.fresh_database()).migrated() else { return };
    django.create_user("ann", "a").wait().unwrap();
    postgres.stop();
    assert_eq!(django.authenticate("ann", "a").wait().unwrap_err().class, "OperationalError");
    postgres.restart();
    assert!(django.authenticate("ann", "a").wait().unwrap().is_some());
}

#[test]
fn users_are_changed_in_each_way() {
    let Some((django, _folder)) = on_sqlite(|site, _| site) else { return };
    let id = django.create_user_with("ann", "a", json!({"email": "ann@example.com"})).wait().unwrap();
    let cookies =
        [django.login("ann", "a"), django.login("ann", "a")].map(|cookie| cookie.wait().unwrap().unwrap());
    let kept = django.change_password(&cookies[0], "b").wait().unwrap().cookie.unwrap();
    assert_eq!(django.whoami(&kept).wait().unwrap().id.as_ref(), Some(&id));
    assert_eq!(django.whoami(&cookies[1]).wait().unwrap().user, None);
    django.set_password("ann", "c").wait().unwrap();
    assert_eq!(django.authenticate("ann", "c").wait().unwrap(), Some(id));
    django.set_active("ann", false).wait().unwrap();
    assert_eq!(django.authenticate("ann", "c").wait().unwrap(), None);
    let fields = django.fields("ann").wait().unwrap();
    assert_eq!((&fields["email"], &fields["is_active"]), (&json!("ann@example.com"), &json!(false)));
    django.delete_user("ann").wait().unwrap();
    assert_eq!(django.fields("ann").wait().unwrap_err().class, "DoesNotExist");
}

#[test]
fn each_hash_is_made_and_checked() {
    let Some((costly, _folder)) = on_sqlite(|site, _| site.hashers(&HASHERS)) else { return };
    let Some((quick, _folder)) = on_sqlite(|site, _| site.quick_hashers()) else { return };
    let names = ["pbkdf2_sha256", "pbkdf2_sha1", "argon2", "bcrypt_sha256", "bcrypt", "scrypt"];
    for (name, django) in names.iter().flat_map(|name| [(name, &costly), (name, &quick)]) {
        let encoded = django.make_password("correct horse", name).wait().unwrap();
        assert!(encoded.starts_with(&format!("{name}$")), "{encoded}");
        assert!(django.check_password("correct horse", &encoded).wait().unwrap());
        assert!(!django.check_password("wrong", &encoded).wait().unwrap());
    }
}

#[test]
fn users_of_each_model_log_in() {
    let sites: [(&str, Model); 3] = [
        ("ann", DjangoOptions::uuid_users),
        ("ann", DjangoOptions::big_users),
        ("ann@example.com", DjangoOptions::email_users),
    ];
    for (name, model) in sites {
        let Some((django, _folder)) = on_sqlite(|site, _| model(site)) else { return };
        let id = django.create_user(name, "a").wait().unwrap();
        let cookie = django.login(name, "a").wait().unwrap().unwrap();
        assert_eq!(django.whoami(&cookie).wait().unwrap().id, Some(id));
        assert!(django.sesame_user(&django.sesame_token(name, "").wait().unwrap(), "", None).wait().is_ok());
    }
}

#[test]
fn tokens_and_signatures_are_made_and_read() {
    let Some((django, _folder)) = on_sqlite(|site, _| site.rest_tokens()) else { return };
    django.create_user("ann", "a").wait().unwrap();
    let token = django.sesame_token("ann", "chat").wait().unwrap();
    assert_eq!(django.sesame_user(&token, "chat", None).wait().unwrap().as_deref(), Some("ann"));
    assert_eq!(django.sesame_user(&token, "other", None).wait().unwrap(), None);
    assert_eq!(django.rest_token("ann").wait().unwrap().len(), 40);
    let value = json!({"ü": [1, 2.5, null]});
    let signed = django.dumps(value.clone(), "salt", true).wait().unwrap();
    assert_eq!(django.loads(&signed, "salt", Some(Duration::from_secs(60))).wait().unwrap(), value);
    assert_eq!(django.loads(&signed, "other", None).wait().unwrap_err().class, "BadSignature");
}

#[test]
fn the_schema_says_what_the_database_has() {
    let Some((django, _folder)) = on_sqlite(|site, _| site) else { return };
    let schema = django.schema().wait().unwrap();
    let columns = schema["django_session"]["columns"].as_array().unwrap();
    assert_eq!(columns[0], json!(["session_key", "varchar(40)", 1, null]));
    let constraints = schema["django_session"]["constraints"].as_object().unwrap();
    assert!(constraints.values().any(|item| item["primary_key"] == true));
    assert!(
        constraints.values().any(|item| item["index"] == true && item["columns"] == json!(["expire_date"]))
    );
}

#[test]
fn a_site_is_served_over_http() {
    let Some((django, _folder)) = on_sqlite(|site, _| site) else { return };
    django.create_user("ann", "a b").wait().unwrap();
    let port = django.serve().wait().unwrap();
    let (head, _) = http(port, "POST /login/", "", "username=ann&password=a+b");
    let cookie = head.split("sessionid=").nth(1).and_then(|rest| rest.split(';').next()).expect("a cookie");
    let (_, body) = http(port, "GET /whoami/", cookie, "");
    assert_eq!(serde_json::from_str::<Value>(&body).unwrap()["user"], "ann");
    let (_, body) = http(port, "GET /whoami/", "nonsense", "");
    assert_eq!(serde_json::from_str::<Value>(&body).unwrap()["user"], Value::Null);
}

/// Head and body of an answer.
fn http(port: u16, what: &str, cookie: &str, body: &str) -> (String, String) {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).expect("it listens");
    let length = body.len();
    let request = format!(
        "{what} HTTP/1.0\r\nCookie: sessionid={cookie}\r\nContent-Type: application/x-www-form-urlencoded\r\n\
         Content-Length: {length}\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes()).expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head ends");
    (head.to_owned(), body.to_owned())
}

#[test]
fn statements_of_python_are_run_in_the_site() {
    let Some((django, _folder)) = on_sqlite(|site, _| site) else { return };
    let outcome =
        django.run("User.objects.create_user(name)\nresult = User.objects.count()", json!({"name": "ann"}));
    assert_eq!(outcome.wait().unwrap(), 1);
    assert_eq!(django.run("1 / 0", json!({})).wait().unwrap_err().class, "ZeroDivisionError");
}

#[test]
fn settings_are_changed_while_the_site_runs() {
    let Some((django, folder)) = on_sqlite(|site, _| site) else { return };
    django.create_user("ann", "a").wait().unwrap();
    let cookie = django.login("ann", "a").wait().unwrap().unwrap();
    django.change_setting("SECRET_KEY", "another").wait().unwrap();
    assert_eq!(django.whoami(&cookie).wait().unwrap().user, None);
    django.change_setting("SESSION_FILE_PATH", folder.path().to_str()).wait().unwrap();
    django.change_session_engine("file").wait().unwrap();
    django
        .change_setting("PASSWORD_HASHERS", ["django.contrib.auth.hashers.PBKDF2PasswordHasher"].as_slice())
        .wait()
        .unwrap();
    let cookie = django.set_session(None, json!({"a": 1})).wait().unwrap().cookie.unwrap();
    assert!(folder.path().join(format!("sessionid{cookie}")).exists());
    django.create_user("bob", "b").wait().unwrap();
    assert!(django.fields("bob").wait().unwrap()["password"].as_str().unwrap().starts_with("pbkdf2_sha256$"));
}
