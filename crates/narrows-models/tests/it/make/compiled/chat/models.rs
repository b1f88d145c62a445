//! The models of two days.

#![allow(
    unreachable_pub,
    dead_code,
    reason = "SeaORM's derives make models public, and much that no test uses"
)]

use narrows_models::Models;

/// Those of the first day.
pub(crate) fn first() -> Models {
    Models::new().entity(first_day::Entity)
}

/// Those of the second.
pub(crate) fn second() -> Models {
    Models::new().entity(second_day::Entity)
}

mod first_day {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "chat_room")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i64,
        pub name: String,
        pub topic: Option<String>,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

mod second_day {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "chat_room")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i64,
        #[sea_orm(unique, renamed_from = "name")]
        pub title: String,
        #[sea_orm(default_value = 18)]
        pub age: i32,
        pub topic: String,
        #[sea_orm(default_expr = "Expr::current_timestamp()")]
        pub made_at: DateTimeUtc,
        #[sea_orm(column_name = "the \"größe\" of it")]
        pub size: Option<i32>,
        #[sea_orm(column_name = "order", default_value = "it's \\ so")]
        pub order: String,
        pub parent_id: Option<i64>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {
        #[sea_orm(belongs_to = "Entity", from = "Column::ParentId", to = "Column::Id", on_delete = "SetNull")]
        Parent,
    }

    impl ActiveModelBehavior for ActiveModel {}
}
