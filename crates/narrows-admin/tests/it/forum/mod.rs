//! A forum: trees, columns that are made from others, rows that nobody adds.

mod derived;
mod models;
mod secrets;
pub(crate) mod trees;

use narrows_admin::sea_orm::{ConnectionTrait, DbBackend, DbErr, Order, Schema};
use narrows_admin::{Admin, Listed};
use narrows_web::testing::TestSite;
use narrows_web::{Project, Site};

use self::models::{hook, left, pair, right, topic, vote, word};

fn admin() -> Admin {
    Admin::new()
        .model(Listed::new(topic::Entity).search([topic::Column::Title]).derived(
            topic::Column::Slug,
            topic::Column::Title,
            |title| title.to_lowercase().replace(' ', "-"),
        ))
        .model(Listed::new(vote::Entity).no_adding())
        .model(
            Listed::new(hook::Entity)
                .secret([hook::Column::Salt])
                .list([hook::Column::Salt, hook::Column::AccessKey, hook::Column::Target])
                .search([hook::Column::Salt, hook::Column::Target])
                .filter([hook::Column::Salt])
                .order_by(hook::Column::Salt, Order::Asc),
        )
        .model(Listed::new(left::Entity))
        .model(Listed::new(right::Entity))
        .model(Listed::new(pair::Entity))
        .model(Listed::new(word::Entity).label(|word| word.word.clone()))
}

pub(crate) fn project() -> Project {
    Project::new("forum", "1.0.0").app(admin().app()).prepare(|site| async move { tables(&site).await })
}

async fn tables(site: &Site) -> Result<(), DbErr> {
    let (db, schema) = (site.db(), Schema::new(site.database().backend()));
    for table in [
        schema.create_table_from_entity(topic::Entity),
        schema.create_table_from_entity(vote::Entity),
        schema.create_table_from_entity(pair::Entity),
        schema.create_table_from_entity(word::Entity),
        schema.create_table_from_entity(hook::Entity),
    ] {
        db.execute(table.clone().if_not_exists()).await?;
    }
    if site.database().backend() == DbBackend::Sqlite {
        db.execute(&schema.create_table_from_entity(left::Entity)).await?;
        db.execute(&schema.create_table_from_entity(right::Entity)).await?;
        return Ok(());
    }
    db.execute_unprepared("CREATE TABLE forum_left (id bigint PRIMARY KEY, right_id bigint)").await?;
    db.execute(&schema.create_table_from_entity(right::Entity)).await?;
    let key =
        "ALTER TABLE forum_left ADD FOREIGN KEY (right_id) REFERENCES forum_right (id) ON DELETE CASCADE";
    db.execute_unprepared(key).await?;
    Ok(())
}

/// The forum, with a superuser at its admin.
async fn forum() -> TestSite {
    forum_at("sqlite::memory:").await
}

/// The same in this database.
pub(crate) async fn forum_at(url: &str) -> TestSite {
    let site = project().test_with([format!("--database-url={url}")]).await;
    let ada = site.superuser("ada").await;
    site.log_in(&ada).await;
    site
}
