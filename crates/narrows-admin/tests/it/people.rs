//! A user model of the site's own, with UUIDs as Django keeps them.

use narrows_admin::Admin;
use narrows_web::Project;
use narrows_web::testing::TestSite;

use crate::support::{input, sql, text, value, with};

const BASE: &str = "/admin/models/people_person/";
const GOOD: &str = "a quiet green field";

const TABLES: &[&str] = &[
    "CREATE TABLE people_person (id char(32) NOT NULL PRIMARY KEY, password varchar(128) NOT NULL, last_login datetime, \
     is_superuser bool NOT NULL, username varchar(150) NOT NULL UNIQUE, first_name varchar(150) NOT NULL, \
     last_name varchar(150) NOT NULL, email varchar(254) NOT NULL, is_staff bool NOT NULL, is_active bool NOT NULL, \
     date_joined datetime NOT NULL)",
    "CREATE TABLE people_person_groups (id integer PRIMARY KEY, person_id char(32) NOT NULL REFERENCES people_person (id), \
     group_id integer NOT NULL REFERENCES auth_group (id))",
    "CREATE TABLE people_person_user_permissions (id integer PRIMARY KEY, person_id char(32) NOT NULL REFERENCES people_person (id), \
     permission_id integer NOT NULL REFERENCES auth_permission (id))",
];

/// With a superuser at its admin.
async fn people() -> TestSite {
    let project = Project::new("people", "1.0.0").app(Admin::new().app());
    let site = project.test_with(["--user-table=people_person", "--user-key-kind=uuid"]).await;
    sql(&site, TABLES).await;
    let ada = site.superuser("ada").await;
    site.log_in(&ada).await;
    site
}

#[tokio::test]
async fn users_with_uuids_are_added_changed_given_rights_and_deleted() {
    let site = people().await;
    let zoe = [("username", "zoe"), ("is_active", "true"), ("password", GOOD), ("password_again", GOOD)];
    let done = site.post_form(&format!("{BASE}add/"), &zoe).await;
    let own = done.header("location").expect("it is sent on").to_owned();
    let id = value(&site, "SELECT id FROM people_person WHERE username = 'zoe'").await;
    assert_eq!(own.trim_start_matches(BASE).replace(['-', '/'], ""), id, "{}", text(&done));
    let page = site.get(&own).await;
    let fields = [
        ("username", "zoe"),
        ("email", "zoe@example.com"),
        ("is_active", "true"),
        ("is_staff", "true"),
        ("_was", &input(&page, "_was")),
    ];
    assert_eq!(site.post_form(&own, &fields).await.status().as_u16(), 303);
    let zoe = site.site().accounts().authenticate("zoe", GOOD, None).await.expect("it is the password");
    assert!(zoe.is_staff && zoe.email == "zoe@example.com");
    let may =
        value(&site, "SELECT CAST(id AS text) FROM auth_permission WHERE codename = 'view_person'").await;
    assert_eq!(
        site.post_form(&format!("{own}access/"), &[("permissions", &may)]).await.status().as_u16(),
        303
    );
    let browser = site.another_browser();
    browser.log_in(&zoe).await;
    assert!(with(&browser.get(BASE).await, 200).contains("zoe@example.com"));
    assert_eq!(browser.get(&format!("{BASE}add/")).await.status().as_u16(), 403);
    assert_eq!(site.post_form(&format!("{own}delete/"), &[]).await.status().as_u16(), 303);
    assert_eq!(browser.get("/admin/").await.status().as_u16(), 303);
}
