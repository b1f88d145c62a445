//! What the app keeps in the database. After a change: `narrows makemigrations`, `narrows migrate`.

/// An item of the list.
pub mod item {
    use narrows_web::sea_orm::{self, entity::prelude::*};
    use serde::Serialize;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize)]
    #[sea_orm(table_name = "newapp_item")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i64,
        #[sea_orm(column_type = "String(StringLen::N(200))")]
        pub text: String,
    }

    impl ActiveModelBehavior for ActiveModel {}
}
