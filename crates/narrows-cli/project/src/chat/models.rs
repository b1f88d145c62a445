//! What the app keeps in the database. After a change: `narrows makemigrations`, `narrows migrate`.

/// A chat room.
pub mod room {
    use narrows_web::sea_orm::{self, entity::prelude::*};
    use serde::Serialize;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize)]
    #[sea_orm(table_name = "chat_room")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i64,
        /// What stands in its address.
        #[sea_orm(unique, column_type = "String(StringLen::N(50))")]
        pub name: String,
        #[sea_orm(column_type = "String(StringLen::N(200))")]
        pub topic: String,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// What somebody said in a room.
pub mod message {
    use narrows_web::sea_orm::{self, entity::prelude::*};

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "chat_message")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i64,
        #[sea_orm(indexed)]
        pub room_id: i64,
        #[sea_orm(belongs_to, from = "room_id", to = "id", on_delete = "Cascade")]
        pub room: HasOne<super::room::Entity>,
        #[sea_orm(column_type = "String(StringLen::N(150))")]
        pub author: String,
        #[sea_orm(column_type = "Text")]
        pub text: String,
        pub sent_at: DateTimeUtc,
    }

    impl ActiveModelBehavior for ActiveModel {}
}
