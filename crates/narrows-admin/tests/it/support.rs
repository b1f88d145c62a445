//! What most tests begin with.

use narrows_admin::sea_orm::{ConnectionTrait, Statement};
use narrows_web::narrows_django::User;
use narrows_web::testing::{TestResponse, TestSite};

use crate::project;

/// The library, with a superuser at its admin.
pub(crate) async fn library() -> TestSite {
    let site = project::project().test().await;
    let ada = site.superuser("ada").await;
    site.log_in(&ada).await;
    site
}

/// Does statements as they are.
pub(crate) async fn sql(site: &TestSite, statements: &[&str]) {
    for statement in statements {
        if let Err(error) = site.site().db().execute_unprepared(statement).await {
            panic!("{statement}: {error}");
        }
    }
}

/// The one value of a query, as a text.
pub(crate) async fn value(site: &TestSite, query: &str) -> String {
    let db = site.site().db();
    let statement = Statement::from_string(db.get_database_backend(), query);
    let row = db.query_one_raw(statement).await.expect("the query is right").expect("there is a row");
    let text = row.try_get_by_index::<Option<String>>(0).expect("it is a text");
    text.unwrap_or_else(|| "NULL".to_owned())
}

/// A member of the staff with these permissions, logged in.
pub(crate) async fn staff(site: &TestSite, permissions: &[&str]) -> User {
    let bob = site.user("bob").await;
    sql(site, &["UPDATE auth_user SET is_staff = 1 WHERE username = 'bob'"]).await;
    for permission in permissions {
        let (app, codename) = permission.split_once('.').expect("an app and a codename");
        let insert = format!(
            "INSERT INTO auth_user_user_permissions (user_id, permission_id) SELECT {}, p.id FROM auth_permission p \
             JOIN django_content_type c ON c.id = p.content_type_id WHERE c.app_label = '{app}' AND p.codename = '{codename}'",
            bob.id
        );
        sql(site, &[&insert]).await;
    }
    site.forget();
    site.log_in(&bob).await;
    bob
}

/// The page as it reads.
pub(crate) fn text(page: &TestResponse) -> String {
    let pairs =
        [("&#x2f;", "/"), ("&#x27;", "'"), ("&quot;", "\""), ("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")];
    pairs.iter().fold(page.text().to_owned(), |text, (code, plain)| text.replace(code, plain))
}

/// The page, which must have a status.
pub(crate) fn with(page: &TestResponse, status: u16) -> String {
    let text = text(page);
    assert_eq!(page.status().as_u16(), status, "{text}");
    text
}

/// The value of the input of this name, as it stands in the page.
pub(crate) fn input(page: &TestResponse, name: &str) -> String {
    let text = text(page);
    let at = text.find(&format!("name=\"{name}\"")).unwrap_or_else(|| panic!("no input {name} in {text}"));
    let rest = &text[at..];
    let at = rest.find("value=\"").expect("an input has a value") + 7;
    let end = rest[at..].find('"').expect("the value ends");
    rest[at..at + end].to_owned()
}
