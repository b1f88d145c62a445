//! What the app keeps in the database.

/// Characters of a room's name: what its column holds.
pub const MAX_ROOM: usize = 50;

/// What somebody said in a room.
pub mod message {
    use narrows_web::models::sea_orm::{self, entity::prelude::*};

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "chat_message")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i64,
        #[sea_orm(indexed, column_type = "String(StringLen::N(50))")]
        pub room: String,
        #[sea_orm(column_type = "String(StringLen::N(150))")]
        pub author: String,
        #[sea_orm(column_type = "Text")]
        pub text: String,
        pub sent_at: DateTimeUtc,
    }

    impl ActiveModelBehavior for ActiveModel {}
}
