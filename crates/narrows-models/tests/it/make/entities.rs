//! Entities of many shapes.

#![allow(
    unreachable_pub,
    dead_code,
    reason = "SeaORM's derives make models public, and much that no test uses"
)]

pub(crate) mod room {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "chat_room")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i64,
        #[sea_orm(unique, column_type = "String(StringLen::N(80))")]
        pub name: String,
        #[sea_orm(column_type = "Text", nullable)]
        pub topic: Option<String>,
        #[sea_orm(default_expr = "Expr::current_timestamp()")]
        pub made_at: DateTimeUtc,
        #[sea_orm(has_many)]
        pub messages: HasMany<super::message::Entity>,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

pub(crate) mod message {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "chat_message")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i64,
        #[sea_orm(indexed)]
        pub room_id: i64,
        #[sea_orm(unique_key = "place")]
        pub thread: i32,
        #[sea_orm(unique_key = "place")]
        pub position: i32,
        #[sea_orm(default_value = "plain")]
        pub kind: Style,
        pub mood: Option<Mood>,
        #[sea_orm(belongs_to, from = "room_id", to = "id", on_delete = "Cascade")]
        pub room: BelongsTo<super::room::Entity>,
    }

    #[derive(Clone, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
    #[sea_orm(rs_type = "String", db_type = "String(StringLen::N(12))", rename_all = "snake_case")]
    pub enum Style {
        Plain,
        Loud,
    }

    #[derive(Clone, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
    #[sea_orm(rs_type = "i16", db_type = "SmallInteger")]
    pub enum Mood {
        #[sea_orm(num_value = 1)]
        Good,
        #[sea_orm(num_value = 2)]
        Bad,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// The form of SeaORM 1, with a key of two columns.
pub(crate) mod member {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "chat_member")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub room_id: i64,
        #[sea_orm(primary_key, auto_increment = false, column_type = "String(StringLen::N(40))")]
        pub person: String,
        #[sea_orm(renamed_from = "joined")]
        pub since: Date,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {
        #[sea_orm(
            belongs_to = "super::room::Entity",
            from = "Column::RoomId",
            to = "super::room::Column::Id",
            on_delete = "Cascade",
            on_update = "NoAction"
        )]
        Room,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

pub(crate) mod kinds {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "kinds")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: i32,
        #[sea_orm(default_value = true)]
        pub boolean: bool,
        pub tiny: i8,
        pub small: i16,
        #[sea_orm(default_value = -7)]
        pub whole: i32,
        pub big: i64,
        pub small_unsigned: u8,
        pub unsigned: u32,
        pub float: f32,
        #[sea_orm(default_value = 2.5)]
        pub double: f64,
        #[sea_orm(column_type = "Decimal(Some((12, 2)))", default_value = "9.50")]
        pub price: String,
        pub plain: String,
        #[sea_orm(column_type = "Char(Some(2))")]
        pub country: String,
        #[sea_orm(column_type = "String(StringLen::Max)")]
        pub long: String,
        pub bytes: Vec<u8>,
        pub day: Date,
        pub clock: Time,
        pub point: DateTimeWithTimeZone,
        pub local: DateTime,
        #[sea_orm(column_type = "Uuid")]
        pub uuid: String,
        #[sea_orm(column_type = "JsonBinary", default_value = "{}")]
        pub json: String,
        #[sea_orm(extra = "CHECK (checked > 0)")]
        pub checked: i32,
        pub native: Native,
    }

    #[derive(Clone, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
    #[sea_orm(rs_type = "String", db_type = "Enum", enum_name = "native")]
    pub enum Native {
        #[sea_orm(string_value = "one")]
        One,
        #[sea_orm(string_value = "seventeen")]
        Seventeen,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// Rows that point at others of their own table.
pub(crate) mod folder {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "folder")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i32,
        pub parent_id: Option<i32>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {
        #[sea_orm(belongs_to = "Entity", from = "Column::ParentId", to = "Column::Id", on_delete = "SetNull")]
        Parent,
        #[sea_orm(has_many = "Entity")]
        Children,
    }

    impl Related<Entity> for Entity {
        fn to() -> RelationDef {
            Relation::Parent.def()
        }
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// An entity with one more column, of a type or with a default that not every database has.
macro_rules! refused {
    ($module:ident, $(#[$attribute:meta])* $type:ty) => {
        pub(crate) mod $module {
            use sea_orm::entity::prelude::*;

            #[sea_orm::model]
            #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
            #[sea_orm(table_name = "refused")]
            pub struct Model {
                #[sea_orm(primary_key)]
                pub id: i32,
                $(#[$attribute])*
                pub value: $type,
            }

            impl ActiveModelBehavior for ActiveModel {}
        }
    };
}

refused!(
    interval,
    #[sea_orm(column_type = "Interval(None, None)")]
    String
);
refused!(
    custom,
    #[sea_orm(column_type = "custom(\"citext\")")]
    String
);
refused!(
    bare_decimal,
    #[sea_orm(column_type = "Decimal(None)")]
    String
);
refused!(
    inet,
    #[sea_orm(column_type = "Inet")]
    String
);
refused!(
    function,
    #[sea_orm(default_expr = "Expr::cust(\"gen_random_uuid()\")")]
    String
);
refused!(
    wrong_default,
    #[sea_orm(default_value = "many")]
    i32
);
refused!(
    too_big_default,
    #[sea_orm(default_value = 40000)]
    i16
);
refused!(
    long_name,
    #[sea_orm(column_name = "a_name_of_a_column_that_goes_on_and_on_until_postgresql_would_cut_it")]
    i32
);

pub(crate) mod elsewhere {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(schema_name = "sys", table_name = "elsewhere")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i32,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// Names whose indexes and keys have too long ones.
pub(crate) mod wordy {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "the_table_of_all_those_who_were_ever_asked_to_come_here")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i32,
        #[sea_orm(unique)]
        pub the_first_of_the_two_names: i32,
        #[sea_orm(indexed)]
        pub the_first_of_the_two_numbers: i32,
        #[sea_orm(unique)]
        pub the_first_of_the_two_names_again: i32,
    }

    impl ActiveModelBehavior for ActiveModel {}
}
