//! A project as a site: what it does at its start, while it runs, and at its end.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;

use http::StatusCode;
use narrows_web::models::Models;
use narrows_web::models::sea_orm::{EntityTrait, PaginatorTrait};
use narrows_web::testing::TestSite;
use narrows_web::{App, DataFolder, Project};

use crate::commands::{IN_TIME, Place, ask_database, assert_printed, ended, finished};
use crate::diary::{migrations, page, project};

/// Asks a server for a page.
fn ask(address: &str, path: &str) -> String {
    send(address, &format!("GET {path} HTTP/1.1"), "")
}

fn post(address: &str, path: &str, form: &str, headers: &str) -> String {
    let head = format!(
        "POST {path} HTTP/1.1\r\n{headers}content-type: application/x-www-form-urlencoded\r\ncontent-length: {}",
        form.len()
    );
    send(address, &head, form)
}

fn send(address: &str, head: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(address.trim_start_matches("http://").trim_end_matches('/')).unwrap();
    stream.set_read_timeout(Some(IN_TIME)).unwrap();
    write!(stream, "{head}\r\nhost: here\r\nconnection: close\r\n\r\n{body}").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn a_site_starts_with_nothing_but_its_program_and_ends_when_told() {
    let place = Place::new();
    let mut program = place.start(&["--bind=127.0.0.1:0", "--title", "Ours"]);
    let address = program.line("diary is at");
    program.line("stop it with Ctrl-C");
    program.line("the task runs");
    let page = ask(&address, "/");
    assert!(page.starts_with("HTTP/1.1 200") && page.ends_with("Ours"), "{page}");
    let headers = page.to_ascii_lowercase();
    assert!(
        headers.contains("content-security-policy: default-src 'self'; frame-ancestors 'none'\r\n"),
        "{page}"
    );
    assert!(ask(&address, "/healthz").contains("x-content-type-options: nosniff"));
    program.terminate();
    let (code, printed) = ended(program);
    assert!(code == 0 && printed.contains("migration=\"0001_initial\""), "{printed}");
    assert!(printed.contains("the task has ended"), "{printed}");
    let data = place.path().join("data");
    for (path, mode) in
        [(data.clone(), 0o700), (data.join("secret_key"), 0o600), (data.join("db.sqlite3"), 0o600)]
    {
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, mode, "{}", path.display());
    }
}

#[test]
fn the_secret_key_is_made_once_whatever_an_earlier_start_left_behind() {
    let place = Place::new();
    let folder = DataFolder::open(place.path().join("data")).unwrap();
    std::fs::write(place.path().join(format!("data/secret_key.{}.new", std::process::id())), "ha").unwrap();
    let keys: Vec<_> = std::thread::scope(|scope| {
        let making: Vec<_> = (0..8).map(|_| scope.spawn(|| folder.secret_key().unwrap())).collect();
        making.into_iter().map(|key| key.join().unwrap()).collect()
    });
    assert!(keys[0].len() == 64 && keys.iter().all(|key| *key == keys[0]), "{keys:?}");
}

#[test]
fn in_production_a_missing_secret_key_is_an_error_that_says_what_to_do() {
    let place = Place::new();
    let refused =
        assert_printed(place.run(&["--development=off"]), 2, "diary: there is no secret key\nSessions");
    assert!(refused.contains("set SECRET_KEY to at least 50 random characters"), "{refused}");
    assert!(!place.path().join("data").exists());
}

#[test]
fn an_address_that_is_taken_and_a_database_that_is_away_are_said_with_advice() {
    let place = Place::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let bind = taken.local_addr().unwrap().to_string();
    assert_printed(
        place.run(&["--bind", &bind]),
        1,
        "choose another address, for example --bind 127.0.0.1:8001",
    );
    assert_printed(
        place.run(&["--database-url", "sqlite:not/there"]),
        1,
        "there is no database at not/there",
    );
    assert_printed(
        place.run(&["--database-url", "oracle://x"]),
        2,
        "See to --database-url (or DATABASE_URL)",
    );
}

#[test]
fn without_migrations_at_the_start_nothing_is_migrated() {
    let place = Place::new();
    let args = ["serve", "--bind=127.0.0.1:0", "--migrate-at-start=false", "--count=off"];
    let mut program = place.start(&args);
    program.line("diary is at");
    program.terminate();
    assert_eq!(ended(program).0, 0);
    assert_printed(place.run(&["showmigrations"]), 0, " [ ] 0001_initial");
}

#[test]
fn a_start_on_a_newer_database_says_so() {
    let place = Place::new();
    assert_printed(place.run(&["migrate"]), 0, "done");
    let newer =
        "INSERT INTO narrows_migration (app, name, applied_at) VALUES ('diary', '0009_newer', '2026-01-01')";
    let url = format!("sqlite:{}", place.path().join("data/db.sqlite3").display());
    ask_database(&url, async |database| database.make_tables([newer]).await.unwrap());
    let mut program = place.start(&["--bind=127.0.0.1:0"]);
    program.line("diary is at");
    program.terminate();
    let (code, printed) = ended(program);
    assert!(code == 0 && printed.contains("migration=\"0009_newer\""), "{printed}");
}

#[test]
fn a_worker_runs_beside_the_server_and_ends_after_it() {
    let place = Place::new();
    assert_printed(place.run(&["migrate"]), 0, "done");
    let mut create = place.command(&["createsuperuser", "--no-input", "--username=ada"]);
    create.env("DJANGO_SUPERUSER_PASSWORD", "a quiet green field");
    assert_printed(finished(&mut create), 0, "is made");
    let mut program = place.start(&["--bind=127.0.0.1:0"]);
    let address = program.line("diary is at");
    let form = "username=ada&password=a+quiet+green+field";
    let answer = post(&address, "/login/", form, "");
    let cookie = answer.lines().find_map(|line| line.strip_prefix("set-cookie: ")).expect(&answer);
    let cookie = format!("cookie: {}\r\n", cookie.split(';').next().unwrap());
    assert!(post(&address, "/pages/", "title=Monday", &cookie).ends_with("written"));
    program.terminate();
    let (code, printed) = ended(program);
    assert!(code == 0 && printed.contains("written: Monday"), "{printed}");
}

#[test]
fn a_worker_alone_listens_nowhere_and_ends_when_told() {
    let place = Place::new();
    // Nobody can listen there: it would be an error for a site.
    let mut program = place.start(&["worker", "--bind", "203.0.113.1:1"]);
    program.line("the workers of diary are at work");
    program.terminate();
    let (code, printed) = ended(program);
    assert!(code == 0 && printed.contains("hear of no other process"), "{printed}");
    assert_printed(place.run(&["worker", "--count=off"]), 1, "diary: the project has no workers");
}

#[tokio::test]
async fn a_test_has_the_whole_project() {
    let site = project().test_with(["--title=Theirs"]).await;
    assert_eq!(site.get("/").await.text(), "Theirs");
    assert_eq!(site.get("/plain").await.text(), "of no app");
    assert_eq!(site.get("/pages/").await.status(), StatusCode::UNAUTHORIZED);
    let ada = site.user("ada").await;
    site.log_in(&ada).await;
    assert_eq!(site.post_form("/pages/", &[("title", "Monday")]).await.text(), "written");
    assert_eq!(site.post_form("/pages/", &[("title", "")]).await.text(), "title: This field is required.");
    assert_eq!(site.get("/pages/").await.text(), "1");
}

#[tokio::test]
async fn an_app_with_models_may_be_called_accounts() {
    let models = Models::new().entity(page::Entity);
    let app = App::new("accounts").models(models).migrations(migrations::all());
    let site = Project::new("small", "1.0.0").app(app).test().await;
    site.user("ada").await;
    assert_eq!(page::Entity::find().count(&site.site().db()).await, Ok(0));
}

#[tokio::test]
async fn another_way_in_is_one_for_all_apps() {
    let site: TestSite = project().test().await;
    let ada = site.user("ada").await;
    let token = site.site().accounts().make_token(&ada).await.unwrap();
    let request = http::Request::get("/pages/").header("authorization", format!("Token {token}"));
    assert_eq!(site.request(request.body("".into()).unwrap()).await.text(), "0");
}

#[tokio::test]
async fn another_site_may_post_where_the_project_says_so_and_nowhere_else() {
    let site = project().test().await;
    for (path, status) in [("/hook", StatusCode::OK), ("/pages/", StatusCode::FORBIDDEN)] {
        let request = http::Request::post(path).header("sec-fetch-site", "cross-site");
        assert_eq!(site.request(request.body("".into()).unwrap()).await.status(), status, "{path}");
    }
}
