//! Which user is in which group: Django's `auth_user_groups`.

use narrows_models::sea_orm;
use sea_orm::entity::prelude::*;

/// A user in a group.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "auth_user_groups")]
pub struct Model {
    /// The key.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// The user.
    pub user_id: i32,
    /// The group.
    pub group_id: i32,
    /// The user.
    #[sea_orm(belongs_to, from = "user_id", to = "id")]
    pub user: HasOne<super::user::Entity>,
    /// The group.
    #[sea_orm(belongs_to, from = "group_id", to = "id")]
    pub group: HasOne<super::group::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
