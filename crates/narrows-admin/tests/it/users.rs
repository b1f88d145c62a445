//! Users, their groups and what they may.

use narrows_web::testing::TestSite;

use crate::support::{input, library, sql, staff, text, value, with};

const BASE: &str = "/admin/models/auth_user/";
const GOOD: &str = "a quiet green field";

/// What a browser sends of the form of a user, with these changes; `None` takes a field away.
async fn edit(
    site: &TestSite,
    id: &str,
    changes: &[(&str, Option<&str>)],
) -> narrows_web::testing::TestResponse {
    let own = format!("{BASE}{id}/");
    let page = site.get(&own).await;
    let names = ["_was", "username", "email", "first_name", "last_name"];
    let mut fields: Vec<(String, String)> =
        names.iter().map(|name| ((*name).to_owned(), input(&page, name))).collect();
    for name in ["is_active", "is_staff", "is_superuser"] {
        if text(&page).contains(&format!("name=\"{name}\" value=\"true\" checked")) {
            fields.push((name.to_owned(), "true".to_owned()));
        }
    }
    for (name, value) in changes {
        fields.retain(|(known, _)| known != name);
        fields.extend(value.map(|value| ((*name).to_owned(), value.to_owned())));
    }
    let pairs: Vec<(&str, &str)> =
        fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    site.post_form(&own, &pairs).await
}

async fn id(site: &TestSite, name: &str) -> String {
    value(site, &format!("SELECT CAST(id AS text) FROM auth_user WHERE username = '{name}'")).await
}

#[tokio::test]
async fn a_user_is_added_and_can_log_in() {
    let site = library().await;
    let page = with(&site.get(&format!("{BASE}add/")).await, 200);
    assert!(page.contains("name=\"password_again\""), "{page}");
    let fields = [
        ("username", "zoë"),
        ("email", "zoe@EXAMPLE.com"),
        ("is_active", "true"),
        ("password", GOOD),
        ("password_again", GOOD),
    ];
    let done = site.post_form(&format!("{BASE}add/"), &fields).await;
    assert_eq!(done.status().as_u16(), 303, "{}", text(&done));
    let user = site.site().accounts().authenticate("zoë", GOOD, None).await.expect("it is the password");
    assert_eq!((user.email.as_str(), user.is_staff, user.is_superuser), ("zoe@example.com", false, false));
    let log = value(&site, "SELECT changes FROM narrows_admin_log").await;
    assert!(!log.contains("pbkdf2") && !log.contains(GOOD) && log.contains("example.com"), "{log}");
}

#[tokio::test]
async fn names_and_passwords_follow_django_s_rules() {
    let site = library().await;
    for (name, password, again, said) in [
        ("zoe", "12345678", "12345678", "entirely numeric"),
        ("zoe", "short", "short", "too short"),
        ("zoe", GOOD, "another", "not the same"),
        ("a b", GOOD, GOOD, "may have only letters"),
        ("ada", GOOD, GOOD, "Another user has this username already"),
        ("", GOOD, GOOD, "This is needed."),
    ] {
        let fields = [("username", name), ("password", password), ("password_again", again)];
        let page = with(&site.post_form(&format!("{BASE}add/"), &fields).await, 422);
        assert!(page.contains(said), "{said}: {page}");
        assert!(!page.contains(&format!("value=\"{GOOD}\"")));
    }
    assert_eq!(value(&site, "SELECT CAST(count(*) AS text) FROM auth_user").await, "1");
}

#[tokio::test]
async fn users_are_edited_and_their_passwords_never_shown() {
    let site = library().await;
    site.user("bob").await;
    let bob = id(&site, "bob").await;
    let page = site.get(&format!("{BASE}{bob}/")).await;
    assert!(with(&page, 200).contains("Set password") && !page.contains("pbkdf2"), "{}", page.text());
    let done = edit(&site, &bob, &[("first_name", Some("<script>")), ("is_staff", Some("true"))]).await;
    assert_eq!(done.status().as_u16(), 303, "{}", text(&done));
    assert_eq!(
        value(&site, "SELECT first_name || is_staff FROM auth_user WHERE username = 'bob'").await,
        "<script>1"
    );
    let list = site.get(&format!("{BASE}?q=BOB&f.is_staff=true")).await;
    assert!(with(&list, 200).contains("1 user<") && !list.contains("pbkdf2"));
}

#[tokio::test]
async fn users_are_added_by_their_own_form_alone() {
    let site = library().await;
    let path = "/admin/models/auth%5Fuser/add/";
    assert_eq!(site.get(path).await.status().as_u16(), 404);
    assert_eq!(site.post_form(path, &[("username", "mal")]).await.status().as_u16(), 404);
}

#[tokio::test]
async fn nobody_locks_themselves_out() {
    let site = library().await;
    let ada = id(&site, "ada").await;
    for flag in ["is_active", "is_staff", "is_superuser"] {
        let page = edit(&site, &ada, &[(flag, None)]).await;
        assert!(with(&page, 422).contains("lock yourself out"), "{flag}");
    }
    let gone = site.post_form(&format!("{BASE}{ada}/delete/"), &[]).await;
    assert_eq!(gone.status().as_u16(), 403);
    assert_eq!(site.get("/admin/").await.status().as_u16(), 200);
}

#[tokio::test]
async fn only_superusers_give_rights_and_touch_staff() {
    let site = library().await;
    site.get("/admin/").await;
    let ada = id(&site, "ada").await;
    site.user("eve").await;
    let eve = id(&site, "eve").await;
    let may = ["auth.view_user", "auth.change_user", "auth.add_user", "auth.delete_user"];
    let bob = staff(&site, &may).await;
    // What the form does not have is not taken from anybody who sends it.
    let done = edit(
        &site,
        &eve,
        &[("is_staff", Some("true")), ("is_superuser", Some("true")), ("last_name", Some("E"))],
    )
    .await;
    assert_eq!(done.status().as_u16(), 303, "{}", text(&done));
    edit(&site, bob.id.as_str(), &[("is_superuser", Some("true"))]).await;
    let add = [
        ("username", "mal"),
        ("is_superuser", "true"),
        ("is_staff", "true"),
        ("password", GOOD),
        ("password_again", GOOD),
    ];
    site.post_form(&format!("{BASE}add/"), &add).await;
    assert_eq!(value(&site, "SELECT group_concat(username) FROM auth_user WHERE is_superuser").await, "ada");
    for (path, fields) in [
        (format!("{BASE}{ada}/password/"), vec![("password", GOOD), ("password_again", GOOD)]),
        (format!("{BASE}{ada}/"), vec![("email", "bob@example.com"), ("_was", "")]),
        (format!("{BASE}{ada}/delete/"), vec![]),
        (format!("{BASE}delete/"), vec![("key", ada.as_str()), ("_confirm", "1")]),
        (format!("{BASE}{}/access/", bob.id), vec![("permissions", "1")]),
    ] {
        assert_eq!(site.post_form(&path, &fields).await.status().as_u16(), 403, "{path}");
    }
    assert_eq!(site.get(&format!("{BASE}{}/access/", bob.id)).await.status().as_u16(), 403);
}

#[tokio::test]
async fn a_password_that_is_set_ends_the_sessions_before() {
    let site = library().await;
    let bob = site.user("bob").await;
    let other = site.another_browser();
    other.log_in(&bob).await;
    let path = format!("{BASE}{}/password/", bob.id);
    let wrong = site
        .post_form(&path, &[("password", "bob@example.com"), ("password_again", "bob@example.com")])
        .await;
    assert!(with(&wrong, 422).contains("too similar"));
    let new = "an even quieter field";
    let done = site.post_form(&path, &[("password", new), ("password_again", new)]).await;
    assert_eq!(done.status().as_u16(), 303, "{}", text(&done));
    site.site().accounts().authenticate("bob", new, None).await.expect("it is the new password");
    // Nobody, not a user without rights.
    assert_eq!(other.get("/admin/").await.status().as_u16(), 303);
    let log = value(&site, "SELECT action || changes FROM narrows_admin_log").await;
    assert_eq!(log, "password[]");
}

#[tokio::test]
async fn one_s_own_session_goes_on_with_a_new_password() {
    let site = library().await;
    let ada = id(&site, "ada").await;
    let new = "an even quieter field";
    let done = site
        .post_form(&format!("{BASE}{ada}/password/"), &[("password", new), ("password_again", new)])
        .await;
    assert_eq!(site.follow(done).await.status().as_u16(), 200);
}

#[tokio::test]
async fn groups_and_permissions_are_given_and_taken() {
    let site = library().await;
    site.get("/admin/").await;
    let bob = site.user("bob").await;
    site.post_form("/admin/models/auth_group/add/", &[("name", "editors")]).await;
    let group = value(&site, "SELECT CAST(id AS text) FROM auth_group").await;
    let view =
        value(&site, "SELECT CAST(id AS text) FROM auth_permission WHERE codename = 'view_author'").await;
    let path = format!("{BASE}{}/access/", bob.id);
    let page = with(&site.get(&path).await, 200);
    assert!(page.contains("library: Can view author") && page.contains("editors"), "{page}");
    let given = [("groups", group.as_str()), ("permissions", view.as_str()), ("permissions", "999999")];
    assert_eq!(site.post_form(&path, &given).await.status().as_u16(), 303);
    let may = site.site().accounts().permissions(&bob).await.expect("the database answers");
    assert!(may.has("library.view_author") && !may.has("library.change_author"));
    let shown = site.get(&path).await;
    let (groups_was, was) = (input(&shown, "groups_was"), input(&shown, "permissions_was"));
    let fewer = [("groups", group.as_str()), ("groups_was", &groups_was), ("permissions_was", &was)];
    assert_eq!(site.post_form(&path, &fewer).await.status().as_u16(), 303);
    let may = site.site().accounts().permissions(&bob).await.expect("the database answers");
    assert!(may.is_empty());
    // The group goes, and its memberships with it.
    assert_eq!(
        site.post_form(&format!("/admin/models/auth_group/{group}/delete/"), &[]).await.status().as_u16(),
        303
    );
    assert_eq!(value(&site, "SELECT CAST(count(*) AS text) FROM auth_user_groups").await, "0");
}

#[tokio::test]
async fn two_who_give_at_once_take_nothing_from_each_other() {
    let site = library().await;
    site.get("/admin/").await;
    let bob = site.user("bob").await;
    let of = async |codename: &str| {
        let query = format!("SELECT CAST(id AS text) FROM auth_permission WHERE codename = '{codename}'");
        value(&site, &query).await
    };
    let (view, add, delete) = (of("view_author").await, of("add_author").await, of("delete_author").await);
    let path = format!("{BASE}{}/access/", bob.id);
    site.post_form(&path, &[("permissions", view.as_str())]).await;
    let was = input(&site.get(&path).await, "permissions_was");
    // Both have seen the same page: one gives, the other takes and gives.
    for ticked in [vec![view.as_str(), add.as_str()], vec![delete.as_str()]] {
        let mut fields = vec![("permissions_was", was.as_str())];
        fields.extend(ticked.into_iter().map(|id| ("permissions", id)));
        assert_eq!(site.post_form(&path, &fields).await.status().as_u16(), 303);
    }
    let may = site.site().accounts().permissions(&bob).await.expect("the database answers");
    assert!(may.has("library.add_author") && may.has("library.delete_author"));
    assert!(!may.has("library.view_author"));
    // A form that is sent again does nothing again.
    let again = [("permissions_was", was.as_str()), ("permissions", delete.as_str())];
    assert_eq!(site.post_form(&path, &again).await.status().as_u16(), 303);
    assert_eq!(value(&site, "SELECT CAST(count(*) AS text) FROM narrows_admin_log").await, "3");
    assert_eq!(site.post_form(&path, &[("permissions", "x")]).await.status().as_u16(), 400);
}

#[tokio::test]
async fn a_user_who_may_not_log_in_any_more_is_logged_out() {
    let site = library().await;
    let bob = site.user("bob").await;
    let other = site.another_browser();
    other.log_in(&bob).await;
    assert_eq!(other.get("/admin/").await.status().as_u16(), 403);
    let done = edit(&site, bob.id.as_str(), &[("is_active", None)]).await;
    assert_eq!(done.status().as_u16(), 303, "{}", text(&done));
    assert_eq!(other.get("/admin/").await.status().as_u16(), 303);
    sql(&site, &["UPDATE auth_user SET is_active = 1 WHERE username = 'bob'"]).await;
    assert_eq!(site.post_form(&format!("{BASE}{}/delete/", bob.id), &[]).await.status().as_u16(), 303);
    assert_eq!(other.get("/admin/").await.status().as_u16(), 303);
}

#[tokio::test]
async fn sockets_end_with_the_account_the_password_and_the_user() {
    let site = crate::hall::site().await;
    let password = [("password", GOOD), ("password_again", GOOD)];
    let (ann, _browser, mut socket) = crate::hall::visitor(&site, "ann", "red").await;
    let done = edit(&site, ann.id.as_str(), &[("is_active", None)]).await;
    assert_eq!(done.status().as_u16(), 303, "{}", text(&done));
    socket.expect_close(4401).await;
    let (bob, _browser, mut socket) = crate::hall::visitor(&site, "bob", "red").await;
    site.post_form(&format!("{BASE}{}/password/", bob.id), &password).await;
    socket.expect_close(4401).await;
    let (eve, _browser, mut socket) = crate::hall::visitor(&site, "eve", "red").await;
    site.post_form(&format!("{BASE}{}/delete/", eve.id), &[]).await;
    socket.expect_close(4401).await;
    let (zoe, _browser, mut socket) = crate::hall::visitor(&site, "zoe", "red").await;
    edit(&site, zoe.id.as_str(), &[("first_name", Some("Zoë")), ("is_staff", Some("true"))]).await;
    crate::hall::is_open(&mut socket).await;
    // It may have been opened by what is taken.
    edit(&site, zoe.id.as_str(), &[("is_staff", None)]).await;
    socket.expect_close(4401).await;
}
