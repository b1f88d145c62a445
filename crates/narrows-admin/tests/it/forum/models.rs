//! The models of the forum.

#![allow(unreachable_pub, reason = "SeaORM's macros want the types of an entity to be public")]

pub(crate) mod topic {
    use narrows_admin::sea_orm;
    use narrows_admin::sea_orm::entity::prelude::*;

    /// A tree: answers go with what they answer. The slug is made from the title.
    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "forum_topic")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i64,
        pub title: String,
        #[sea_orm(unique, column_type = "String(StringLen::N(20))")]
        pub slug: String,
        pub parent_id: Option<i64>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {
        #[sea_orm(belongs_to = "Entity", from = "Column::ParentId", to = "Column::Id", on_delete = "Cascade")]
        Parent,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

pub(crate) mod vote {
    use narrows_admin::sea_orm;
    use narrows_admin::sea_orm::entity::prelude::*;

    /// The program makes it, and nobody else.
    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "forum_vote")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i64,
        pub topic_id: i64,
        pub voter: String,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {
        #[sea_orm(
            belongs_to = "super::topic::Entity",
            from = "Column::TopicId",
            to = "super::topic::Column::Id",
            on_delete = "Cascade"
        )]
        Topic,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// Two tables that point at each other.
pub(crate) mod left {
    use narrows_admin::sea_orm;
    use narrows_admin::sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "forum_left")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i64,
        pub right_id: Option<i64>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {
        #[sea_orm(
            belongs_to = "super::right::Entity",
            from = "Column::RightId",
            to = "super::right::Column::Id",
            on_delete = "Cascade"
        )]
        Right,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

pub(crate) mod right {
    use narrows_admin::sea_orm;
    use narrows_admin::sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "forum_right")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i64,
        pub left_id: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {
        #[sea_orm(
            belongs_to = "super::left::Entity",
            from = "Column::LeftId",
            to = "super::left::Column::Id",
            on_delete = "Cascade"
        )]
        Left,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

pub(crate) mod pair {
    use narrows_admin::sea_orm;
    use narrows_admin::sea_orm::entity::prelude::*;

    /// A key of two columns, and nothing else.
    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "forum_pair")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub one: i64,
        #[sea_orm(primary_key, auto_increment = false)]
        pub other: String,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

pub(crate) mod word {
    use narrows_admin::sea_orm;
    use narrows_admin::sea_orm::entity::prelude::*;

    /// Called by its key.
    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "forum_word")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub word: String,
        pub meaning: Option<String>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

pub(crate) mod hook {
    use narrows_admin::sea_orm;
    use narrows_admin::sea_orm::entity::prelude::*;

    /// Its first text is a secret, and so is another one by its name.
    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "forum_hook")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i64,
        pub salt: String,
        pub target: String,
        pub access_key: String,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}
