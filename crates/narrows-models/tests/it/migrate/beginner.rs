//! What somebody does on the first day: a model, changed again and again, with rows in its table.

use narrows_models::migration::{Column, Migration};
use narrows_models::sea_orm::entity::prelude::*;
use narrows_models::sea_orm::{self, QueryOrder, Set};

use super::site::{Site, on_every_database, table};

/// The model as it is in the end.
mod person {
    use super::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "person")]
    pub(super) struct Model {
        #[sea_orm(primary_key)]
        pub(super) id: i64,
        pub(super) full_name: String,
        pub(super) age: Option<i32>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(super) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

async fn a_model_is_changed_and_then_used(site: Site) {
    let person = table().column(Column::varchar("name", 80)).column(Column::text("nick").null());
    let mut all = vec![Migration::new("0001_initial").create_table("person", person)];
    assert_eq!(site.migrate(&all).await.unwrap(), ["0001_initial"]);
    site.execute("INSERT INTO person (name, nick) VALUES ('Ada', 'A'), ('Ben', NULL)").await;
    let age = Column::integer("age").default(30);
    all.extend([
        Migration::new("0002_age").add_column("person", age.clone()),
        Migration::new("0003_null").alter_column("person", age.null()),
        Migration::new("0004_drop").drop_column("person", "nick"),
        Migration::new("0005_rename").rename_column("person", "name", "full_name"),
    ]);
    assert_eq!(site.migrate(&all).await.unwrap().len(), 4);
    assert!(site.migrate(&all).await.unwrap().is_empty());
    uses(&site.connection).await;
}

async fn uses(db: &DatabaseConnection) {
    let eve = person::ActiveModel { full_name: Set("Eve".into()), age: Set(None), ..Default::default() };
    let eve = eve.insert(db).await.unwrap();
    assert_eq!(eve.id, 3);
    let all = person::Entity::find().order_by_asc(person::Column::Id).all(db).await.unwrap();
    let facts: Vec<_> = all.iter().map(|one| (one.full_name.as_str(), one.age)).collect();
    assert_eq!(facts, [("Ada", Some(30)), ("Ben", Some(30)), ("Eve", None)]);
    let adults = person::Entity::find().filter(person::Column::Age.gte(18)).all(db).await.unwrap();
    assert_eq!(adults.len(), 2);
    let first = person::Entity::find().order_by_asc(person::Column::FullName).one(db).await.unwrap().unwrap();
    let mut changed: person::ActiveModel = first.into();
    changed.age = Set(Some(36));
    changed.update(db).await.unwrap();
    assert_eq!(person::Entity::find_by_id(1).one(db).await.unwrap().unwrap().age, Some(36));
    eve.delete(db).await.unwrap();
    assert_eq!(person::Entity::find().count(db).await.unwrap(), 2);
}

on_every_database!(a_model_is_changed_and_then_used,);
