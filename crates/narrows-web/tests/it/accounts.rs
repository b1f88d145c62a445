//! The pages of accounts.

use axum::routing::get;
use http::StatusCode;
use narrows_web::models::sea_orm::ConnectionTrait;
use narrows_web::testing::{TestResponse, TestSite};
use narrows_web::{App, Page, Project, Result, Routes, accounts, context};

const GOOD: &str = TestSite::PASSWORD;

async fn home(page: Page) -> Result {
    page.render("accounts/home.html", context! {})
}

fn project() -> Project {
    let app = App::new("main").routes(|site| {
        let secret = get(|| async { "for users" });
        let users = Routes::new().route("secret", "/secret/", secret);
        users.with(|router| accounts::login_required(router, site)).route("home", "/", get(home))
    });
    let home = &[("accounts/home.html", HOME)];
    Project::new("accounts", "1.0.0")
        .assets(narrows_web::Assets::templates(home))
        .app(app)
        .app(accounts::app())
}

const HOME: &str =
    r#"{% extends "base.html" %}{% block content %}{{ user.username if user else "nobody" }}{% endblock %}"#;

async fn site() -> TestSite {
    project().test().await
}

#[track_caller]
fn assert_says(page: &TestResponse, status: StatusCode, text: &str) {
    assert!(page.status() == status && page.contains(text), "{text:?} with {status} is not\n{page}");
}

#[track_caller]
fn assert_sent(page: &TestResponse, to: &str) {
    assert_eq!((page.status(), page.header("location")), (StatusCode::SEE_OTHER, Some(to)), "{page}");
}

#[tokio::test]
async fn somebody_logs_in_and_out() {
    let site = site().await;
    site.user("ada").await;
    let page = site.get("/login/?next=/secret/").await;
    assert_says(&page, StatusCode::OK, r#"<input type="hidden" name="next" value="/secret/">"#);
    let sent =
        site.post_form("/login/", &[("username", "ada"), ("password", GOOD), ("next", "/secret/")]).await;
    assert_sent(&sent, "/secret/");
    assert_eq!(site.follow(sent).await.text(), "for users");
    assert_sent(&site.get("/login/").await, "/");
    assert_says(&site.get("/logout/").await, StatusCode::OK, "You are logged in as ada.");
    assert_sent(&site.post_form("/logout/", &[]).await, "/");
    assert_says(&site.get("/").await, StatusCode::OK, "nobody");
}

#[tokio::test]
async fn who_is_not_logged_in_is_sent_to_do_it() {
    let site = site().await;
    assert_sent(&site.get("/secret/?page=2&x=a%20b").await, "/login/?next=/secret/%3Fpage%3D2%26x%3Da%2520b");
    assert_sent(&site.get("/account/password/").await, "/login/?next=/account/password/");
    let socket = site.socket_request("/secret/").try_connect().await.unwrap_err();
    assert_eq!(socket.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_wrong_log_in_is_shown_again_without_saying_what_is_wrong() {
    let site = site().await;
    site.user("ada").await;
    for name in ["ada", "nobody"] {
        let page = site.post_form("/login/", &[("username", name), ("password", "wrong")]).await;
        assert_says(
            &page,
            StatusCode::UNPROCESSABLE_ENTITY,
            "There is no account with this name and password.",
        );
        assert!(page.contains(&format!("value=\"{name}\"")) && !page.contains("\"wrong\""), "{page}");
    }
    let page = site.post_form("/login/", &[("username", ""), ("password", "")]).await;
    assert_says(&page, StatusCode::UNPROCESSABLE_ENTITY, "This field is required.");
}

#[tokio::test]
async fn space_around_a_name_is_none_of_it() {
    let site = site().await;
    site.user("ada").await;
    assert_sent(&site.post_form("/login/", &[("username", "ada "), ("password", GOOD)]).await, "/");
}

#[tokio::test]
async fn the_owner_of_a_site_may_send_users_anywhere() {
    let site =
        project().test_with(["--login-redirect=https://app.example.com/", "--logout-redirect=/bye/"]).await;
    site.user("ada").await;
    let log_in = [("username", "ada"), ("password", GOOD)];
    assert_sent(&site.post_form("/login/", &log_in).await, "https://app.example.com/");
    assert_sent(&site.get("/login/?next=/a/&next=/b/").await, "/b/");
    assert_sent(&site.post_form("/logout/", &[]).await, "/bye/");
}

/// Sends a form whose body comes after this was done to the database: after the page has asked who there is.
async fn send_after(site: &TestSite, path: &str, form: &'static str, sql: &'static str) -> TestResponse {
    let db = site.site().db();
    let body = futures_util::stream::once(async move {
        db.execute_unprepared(sql).await.unwrap();
        Ok::<_, std::io::Error>(form)
    });
    let request = http::Request::post(path).header("content-type", "application/x-www-form-urlencoded");
    site.request(request.body(axum::body::Body::from_stream(body)).unwrap()).await
}

const CHANGE: &str =
    "old_password=a+quiet+green+field&password=another+quiet+field&password_again=another+quiet+field";

#[tokio::test]
async fn a_user_who_is_deleted_meanwhile_is_sent_to_log_in() {
    let site = site().await;
    let ada = site.user("ada").await;
    site.log_in(&ada).await;
    let sent = send_after(&site, "/account/password/", CHANGE, "DELETE FROM auth_user").await;
    assert_sent(&sent, "/login/?next=/account/password/");
}

#[tokio::test]
async fn who_has_registered_and_cannot_be_logged_in_is_sent_to_do_it() {
    let site = site().await;
    let form = "username=ada&password=a+quiet+green+field&password_again=a+quiet+green+field&next=/secret/";
    let sent = send_after(&site, "/register/", form, "ALTER TABLE django_session RENAME TO away").await;
    assert_sent(&sent, "/login/?next=/secret/");
    site.site().db().execute_unprepared("ALTER TABLE away RENAME TO django_session").await.unwrap();
    assert_sent(&site.post_form("/login/", &[("username", "ada"), ("password", GOOD)]).await, "/");
}

#[tokio::test]
async fn guesses_are_throttled() {
    let site = site().await;
    let guess = [("username", "ada"), ("password", "wrong")];
    for _ in 0..5 {
        assert_eq!(site.post_form("/login/", &guess).await.status(), StatusCode::UNPROCESSABLE_ENTITY);
    }
    let page = site.post_form("/login/", &guess).await;
    assert_says(&page, StatusCode::TOO_MANY_REQUESTS, "Too many attempts. Try again in ");
    assert!(page.header("retry-after").is_some());
}

#[tokio::test]
async fn nobody_is_sent_to_another_site() {
    let site = site().await;
    site.user("ada").await;
    for next in ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)"] {
        let shown =
            site.post_form("/login/", &[("username", "ada"), ("password", "x"), ("next", next)]).await;
        assert!(!shown.contains("evil") && !shown.contains("alert(1)"), "{shown}");
        let sent =
            site.post_form("/login/", &[("username", "ada"), ("password", GOOD), ("next", next)]).await;
        assert_sent(&sent, "/");
        site.forget();
    }
}

#[tokio::test]
async fn somebody_registers_and_is_logged_in() {
    let site = site().await;
    let form = [("username", " ada "), ("email", ""), ("password", GOOD), ("password_again", GOOD)];
    let sent = site.post_form("/register/", &form).await;
    assert_sent(&sent, "/");
    assert_says(&site.follow(sent).await, StatusCode::OK, "ada");
    let taken = site.another_browser().post_form("/register/", &form).await;
    assert_says(&taken, StatusCode::UNPROCESSABLE_ENTITY, "Somebody has this name already.");
}

#[tokio::test]
async fn what_is_wrong_with_a_registration_is_said_at_its_fields() {
    let site = site().await;
    let form = [("username", "a b"), ("email", "here"), ("password", "1234"), ("password_again", "1234")];
    let page = site.post_form("/register/", &form).await;
    for text in [
        "A name may have letters",
        "This is not an e-mail address.",
        "at least 8 characters",
        "only digits",
        r#"aria-invalid="true""#,
    ] {
        assert_says(&page, StatusCode::UNPROCESSABLE_ENTITY, text);
    }
    let long = "x".repeat(5000);
    let form = [("username", "ada"), ("password", &long), ("password_again", &long)];
    let page = site.post_form("/register/", &form).await;
    assert_says(&page, StatusCode::UNPROCESSABLE_ENTITY, "The password is too long.");
    let form = [("username", "ada"), ("password", GOOD), ("password_again", "another")];
    let page = site.post_form("/register/", &form).await;
    assert_says(&page, StatusCode::UNPROCESSABLE_ENTITY, "The two passwords are not the same.");
}

#[tokio::test]
async fn a_site_without_registration_has_no_page_for_it() {
    let site = project().test_with(["--registration=closed"]).await;
    assert_eq!(site.get("/register/").await.status(), StatusCode::NOT_FOUND);
    assert!(!site.get("/login/").await.contains("Register"));
}

#[tokio::test]
async fn a_password_is_changed_by_who_knows_the_old_one() {
    let site = site().await;
    let ada = site.user("ada").await;
    site.log_in(&ada).await;
    const NEW: &str = "another quiet field";
    let change = |old| [("old_password", old), ("password", NEW), ("password_again", NEW)];
    let page = site.post_form("/account/password/", &change("wrong")).await;
    assert_says(&page, StatusCode::UNPROCESSABLE_ENTITY, "That is not your password.");
    let sent = site.post_form("/account/password/", &change(GOOD)).await;
    assert_says(&site.follow(sent).await, StatusCode::OK, "Your password is changed.");
    let sent = site.another_browser().post_form("/login/", &[("username", "ada"), ("password", NEW)]).await;
    assert_sent(&sent, "/");
}

#[tokio::test]
async fn a_page_of_another_site_logs_nobody_in_or_out() {
    let site = site().await;
    let ada = site.user("ada").await;
    site.log_in(&ada).await;
    let request = http::Request::post("/logout/").header("sec-fetch-site", "cross-site");
    let answer = site.request(request.body("".into()).unwrap()).await;
    assert_eq!(answer.status(), StatusCode::FORBIDDEN);
    assert_says(&site.get("/").await, StatusCode::OK, "ada");
}
