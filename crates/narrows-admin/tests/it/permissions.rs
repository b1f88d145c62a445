//! Each action needs its permission, by oneself or by a group.

use crate::project;
use crate::support::{sql, staff, text, value};

const ROWS: &[&str] = &["INSERT INTO library_branch (code, name) VALUES ('main', 'Main street')"];

/// What somebody with this permission alone gets of each page and action.
async fn statuses(permission: &str) -> Vec<(&'static str, u16)> {
    let site = project::project().test().await;
    let ada = site.superuser("ada").await;
    site.log_in(&ada).await;
    // The first page makes the permissions.
    site.get("/admin/").await;
    sql(&site, ROWS).await;
    staff(&site, &[permission]).await;
    let base = "/admin/models/library_branch/";
    let get = async |path: &str| site.get(&format!("{base}{path}")).await.status().as_u16();
    let post = async |path: &str, fields: &[(&str, &str)]| {
        site.post_form(&format!("{base}{path}"), fields).await.status().as_u16()
    };
    vec![
        ("list", get("").await),
        ("row", get("main/").await),
        ("history", get("main/history/").await),
        ("add", get("add/").await),
        ("ask", get("main/delete/").await),
        ("all", site.get("/admin/log/").await.status().as_u16()),
        ("changed", post("main/", &[("name", "x")]).await),
        ("added", post("add/", &[("code", "y"), ("name", "y")]).await),
        ("selected", post("delete/", &[("key", "main")]).await),
        ("deleted", post("main/delete/", &[]).await),
    ]
}

fn allowed(statuses: &[(&'static str, u16)]) -> Vec<&'static str> {
    statuses.iter().filter(|(_, status)| *status != 403).map(|(name, _)| *name).collect()
}

#[tokio::test]
async fn each_permission_allows_what_it_says() {
    for (permission, expected) in [
        ("library_branch", vec![]),
        ("library.view_branch", vec!["list", "row", "history"]),
        ("library.change_branch", vec!["list", "row", "history", "changed"]),
        ("library.add_branch", vec!["add", "added"]),
        ("library.delete_branch", vec!["ask", "selected", "deleted"]),
        ("narrows_admin.view_log", vec!["all"]),
        ("library.view_author", vec![]),
    ] {
        let permission = if permission.contains('.') { permission } else { "library.view_loan" };
        let statuses = statuses(permission).await;
        assert_eq!(allowed(&statuses), expected, "{permission}: {statuses:?}");
    }
}

#[tokio::test]
async fn groups_give_permissions_and_the_navigation_shows_no_more() {
    let site = project::project().test().await;
    let ada = site.superuser("ada").await;
    site.log_in(&ada).await;
    site.get("/admin/").await;
    let bob = staff(&site, &[]).await;
    let page = text(&site.get("/admin/").await);
    assert!(page.contains("nothing here that you may see") && !page.contains("Authors"), "{page}");
    let group = "INSERT INTO auth_group (id, name) VALUES (1, 'editors')";
    let member = format!("INSERT INTO auth_user_groups (user_id, group_id) VALUES ({}, 1)", bob.id);
    let may = "INSERT INTO auth_group_permissions (group_id, permission_id) SELECT 1, id FROM auth_permission WHERE codename = 'view_author'";
    sql(&site, &[group, &member, may]).await;
    let page = text(&site.get("/admin/").await);
    assert!(page.contains("Authors") && !page.contains("Books"), "{page}");
    assert_eq!(site.get("/admin/models/library_author/").await.status().as_u16(), 200);
    sql(&site, &["UPDATE auth_user SET is_staff = 0 WHERE username = 'bob'"]).await;
    assert_eq!(site.get("/admin/models/library_author/").await.status().as_u16(), 403);
}

#[tokio::test]
async fn permissions_are_made_once_as_django_names_them() {
    let site = project::project().test().await;
    let ada = site.superuser("ada").await;
    site.log_in(&ada).await;
    site.get("/admin/").await;
    let query = "SELECT group_concat(p.codename || '=' || p.name, ';') FROM (SELECT * FROM auth_permission ORDER BY codename) p \
        JOIN django_content_type c ON c.id = p.content_type_id WHERE c.app_label = 'library' AND c.model = 'branch'";
    let expected = "add_branch=Can add branch;change_branch=Can change branch;delete_branch=Can delete branch;view_branch=Can view branch";
    assert_eq!(value(&site, query).await, expected);
}

#[tokio::test]
async fn other_sites_can_make_nobody_post() {
    use axum::body::Body;
    use http::Request;
    let site = project::project().test().await;
    let ada = site.superuser("ada").await;
    site.log_in(&ada).await;
    for path in [
        "/admin/login/",
        "/admin/logout/",
        "/admin/models/library_branch/add/",
        "/admin/models/library_branch/main/",
        "/admin/models/library_branch/delete/",
        "/admin/models/library_branch/main/delete/",
        "/admin/models/auth_user/add/",
        "/admin/models/auth_user/1/",
        "/admin/models/auth_user/1/password/",
        "/admin/models/auth_user/1/access/",
        "/admin/models/auth_group/1/access/",
        "/admin/sessions/clear/",
        "/admin/live/connections/x/end/",
    ] {
        let request = Request::post(path)
            .header("sec-fetch-site", "cross-site")
            .header("origin", "https://evil.example");
        let request = request
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Body::from("code=x&name=y"));
        let refused = site.request(request.expect("it is a request")).await;
        assert_eq!(refused.status().as_u16(), 403, "{path}");
    }
    assert_eq!(site.get("/admin/").await.status().as_u16(), 200);
}
