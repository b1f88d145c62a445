//! The models of the library.

#![allow(unreachable_pub, reason = "SeaORM's macros want the types of an entity to be public")]

pub(crate) mod author {
    use narrows_admin::sea_orm;
    use narrows_admin::sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "library_author")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i32,
        #[sea_orm(unique, column_type = "String(StringLen::N(100))")]
        pub name: String,
        pub born: Option<Date>,
        pub living: bool,
        #[sea_orm(column_type = "String(StringLen::N(2))", nullable)]
        pub country: Option<String>,
        #[sea_orm(column_type = "Text")]
        pub bio: String,
        #[sea_orm(default_expr = "Expr::current_timestamp()")]
        pub created_at: DateTimeUtc,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {
        #[sea_orm(has_many = "super::book::Entity")]
        Book,
    }

    impl Related<super::book::Entity> for Entity {
        fn to() -> RelationDef {
            Relation::Book.def()
        }
    }

    impl ActiveModelBehavior for ActiveModel {}
}

pub(crate) mod book {
    use narrows_admin::sea_orm;
    use narrows_admin::sea_orm::entity::prelude::*;

    /// One column of each kind. What SeaORM reads into types of crates that are not here is kept as texts and bytes.
    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "library_book")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i64,
        pub title: String,
        pub author_id: i32,
        pub branch_code: Option<String>,
        #[sea_orm(default_value = 100)]
        pub pages: i32,
        pub price: Option<f64>,
        pub weight: Option<f32>,
        pub in_print: bool,
        pub checked: Option<bool>,
        pub published: Option<DateTime>,
        pub bought_at: Option<DateTimeUtc>,
        pub opens: Option<Time>,
        #[sea_orm(column_type = "Text", nullable)]
        pub extra: Option<String>,
        pub binding: Option<String>,
        pub api_token: Option<String>,
        pub cover: Option<Vec<u8>>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {
        #[sea_orm(
            belongs_to = "super::author::Entity",
            from = "Column::AuthorId",
            to = "super::author::Column::Id",
            on_delete = "Cascade"
        )]
        Author,
        #[sea_orm(
            belongs_to = "super::branch::Entity",
            from = "Column::BranchCode",
            to = "super::branch::Column::Code",
            on_delete = "SetNull"
        )]
        Branch,
    }

    impl Related<super::author::Entity> for Entity {
        fn to() -> RelationDef {
            Relation::Author.def()
        }
    }

    impl Related<super::branch::Entity> for Entity {
        fn to() -> RelationDef {
            Relation::Branch.def()
        }
    }

    impl ActiveModelBehavior for ActiveModel {}
}

pub(crate) mod branch {
    use narrows_admin::sea_orm;
    use narrows_admin::sea_orm::entity::prelude::*;

    /// With a key that people make.
    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "library_branch")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub code: String,
        pub name: String,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

pub(crate) mod stock {
    use narrows_admin::sea_orm;
    use narrows_admin::sea_orm::entity::prelude::*;

    /// With a key of two columns.
    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "library_stock")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub book_id: i64,
        #[sea_orm(primary_key, auto_increment = false)]
        pub branch: String,
        pub copies: i32,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {
        #[sea_orm(
            belongs_to = "super::book::Entity",
            from = "Column::BookId",
            to = "super::book::Column::Id",
            on_delete = "Cascade"
        )]
        Book,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

pub(crate) mod loan {
    use narrows_admin::sea_orm;
    use narrows_admin::sea_orm::entity::prelude::*;

    /// It holds its book: what is lent cannot be deleted.
    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "library_loan")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i32,
        pub book_id: i64,
        pub reader: String,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {
        #[sea_orm(
            belongs_to = "super::book::Entity",
            from = "Column::BookId",
            to = "super::book::Column::Id",
            on_delete = "Restrict"
        )]
        Book,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

pub(crate) mod note {
    use narrows_admin::sea_orm;
    use narrows_admin::sea_orm::entity::prelude::*;

    /// Kinds of columns whose Rust types need features of SeaORM's; the admin does without.
    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "notes")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false, column_type = "Uuid")]
        pub id: Vec<u8>,
        #[sea_orm(column_type = "String(StringLen::N(50))")]
        pub subject: String,
        #[sea_orm(column_type = "Json", nullable)]
        pub extra: Option<String>,
        #[sea_orm(column_type = "Decimal(Some((8, 2)))", nullable)]
        pub fee: Option<f64>,
        #[sea_orm(column_type = "Uuid", nullable)]
        pub parent_id: Option<Vec<u8>>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}
