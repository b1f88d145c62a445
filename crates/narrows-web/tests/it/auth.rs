//! Django's users as entities, on each of the databases.

use narrows_web::auth::{group, user, user_group};
use narrows_web::models::sea_orm::{ActiveValue::Set, EntityTrait, ModelTrait};
use rig::{MariaDb, Postgres};

use crate::diary::{page, project};

async fn users_are_read_and_pointed_at(settings: &[String]) {
    let site = project().test_with(settings).await;
    let (ada, db) = (site.superuser("ada").await, site.site().db());
    site.log_in(&ada).await;
    let found = user::Entity::find().one(&db).await.unwrap().expect("she was made");
    assert_eq!((found.username.as_str(), found.email.as_str()), ("ada", "ada@example.com"));
    assert!(found.is_superuser && found.is_staff && found.is_active && found.last_login.is_some());
    assert_eq!(found.date_joined, ada.date_joined);

    let writers = group::ActiveModel { name: Set("writers".to_owned()), ..Default::default() };
    let group_id = group::Entity::insert(writers).exec(&db).await.unwrap().last_insert_id;
    let member =
        user_group::ActiveModel { user_id: Set(found.id), group_id: Set(group_id), ..Default::default() };
    user_group::Entity::insert(member).exec(&db).await.unwrap();
    let groups = found.find_related(group::Entity).all(&db).await.unwrap();
    assert_eq!(groups[0].name, "writers");

    site.post_form("/pages/", &[("title", "Monday")]).await;
    let pages = page::Entity::find().find_also_related(user::Entity).all(&db).await.unwrap();
    let (page, author) = &pages[0];
    assert_eq!((page.title.as_str(), author.as_ref()), ("Monday", Some(&found)));
}

#[tokio::test]
async fn users_are_entities_on_sqlite() {
    users_are_read_and_pointed_at(&[]).await;
}

#[tokio::test]
async fn users_are_entities_on_postgres() {
    let Some(postgres) = Postgres::start() else { return };
    users_are_read_and_pointed_at(&[format!("--database-url={}", postgres.fresh_database())]).await;
}

#[tokio::test]
async fn users_are_entities_on_mariadb() {
    let Some(mariadb) = MariaDb::start() else { return };
    users_are_read_and_pointed_at(&[format!("--database-url={}", mariadb.fresh_database())]).await;
}
