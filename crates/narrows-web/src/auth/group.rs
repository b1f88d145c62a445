//! Groups of users: Django's `auth_group`.

use narrows_models::sea_orm;
use sea_orm::entity::prelude::*;

/// A group of users.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "auth_group")]
pub struct Model {
    /// The key.
    #[sea_orm(primary_key)]
    pub id: i32,
    /// What it is called.
    #[sea_orm(unique, column_type = "String(StringLen::N(150))")]
    pub name: String,
    /// Who is in it.
    #[sea_orm(has_many, via = "user_group")]
    pub users: HasMany<super::user::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
