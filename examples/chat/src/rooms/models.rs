//! What is kept in the database. After a change: `narrows makemigrations`, `narrows migrate`.
//!
//! Names of groups, senders and ids of clients are ASCII and differ by case.

/// A room in which something was said.
pub mod room {
    use narrows_web::models::sea_orm::{self, entity::prelude::*};

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "chat_room")]
    pub struct Model {
        /// The name of its group.
        #[sea_orm(primary_key, auto_increment = false, column_type = "String(StringLen::N(99))")]
        pub room: String,
        #[sea_orm(column_type = "Text")]
        pub title: String,
        /// Of the numbers of its messages: a random number.
        pub epoch: i64,
        /// The number of the newest message.
        pub last: i64,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// What somebody said in a room.
pub mod message {
    use narrows_web::models::sea_orm::{self, entity::prelude::*};

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "chat_message")]
    pub struct Model {
        #[sea_orm(
            primary_key,
            auto_increment = false,
            unique_key = "once",
            column_type = "String(StringLen::N(99))"
        )]
        pub room: String,
        #[sea_orm(belongs_to, from = "room", to = "room", on_delete = "Cascade")]
        pub in_room: HasOne<super::room::Entity>,
        /// Its number in the room.
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: i64,
        /// Whose it is: nobody else has this text, whatever the name.
        #[sea_orm(unique_key = "once", column_type = "String(StringLen::N(99))")]
        pub sender: String,
        /// The client's own id.
        #[sea_orm(unique_key = "once", column_type = "String(StringLen::N(64))")]
        pub once: Option<String>,
        #[sea_orm(column_type = "Text")]
        pub name: String,
        /// Whether the name is that of an account.
        pub account: bool,
        #[sea_orm(column_type = "Text")]
        pub body: String,
        /// What a search looks at.
        #[sea_orm(column_type = "Text")]
        pub folded: String,
        /// In milliseconds since 1970.
        #[sea_orm(indexed)]
        pub said_at: i64,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// How far an account has read a room.
pub mod mark {
    use narrows_web::models::sea_orm::{self, entity::prelude::*};

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "chat_mark")]
    pub struct Model {
        /// Who: the name of the account's inbox.
        #[sea_orm(primary_key, auto_increment = false, column_type = "String(StringLen::N(99))")]
        pub reader: String,
        #[sea_orm(primary_key, auto_increment = false, indexed, column_type = "String(StringLen::N(99))")]
        pub room: String,
        #[sea_orm(belongs_to, from = "room", to = "room", on_delete = "Cascade")]
        pub in_room: HasOne<super::room::Entity>,
        /// The number of the message.
        pub id: i64,
    }

    impl ActiveModelBehavior for ActiveModel {}
}
