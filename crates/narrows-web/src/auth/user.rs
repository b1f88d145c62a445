//! Users: Django's `auth_user`.

use narrows_models::sea_orm;
use sea_orm::entity::prelude::*;

/// A user, without the password.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "auth_user")]
pub struct Model {
    /// The key.
    #[sea_orm(primary_key)]
    pub id: i32,
    /// The name to log in with.
    #[sea_orm(unique, column_type = "String(StringLen::N(150))")]
    pub username: String,
    /// The first name; it may be empty, as those below.
    #[sea_orm(column_type = "String(StringLen::N(150))")]
    pub first_name: String,
    /// The last name.
    #[sea_orm(column_type = "String(StringLen::N(150))")]
    pub last_name: String,
    /// The e-mail address.
    #[sea_orm(column_type = "String(StringLen::N(254))")]
    pub email: String,
    /// Whether the admin is open to them.
    pub is_staff: bool,
    /// Whether they may log in.
    pub is_active: bool,
    /// Whether they may do everything.
    pub is_superuser: bool,
    /// Since when they are there.
    pub date_joined: DateTimeUtc,
    /// When they logged in last.
    pub last_login: Option<DateTimeUtc>,
    /// Their groups.
    #[sea_orm(has_many, via = "user_group")]
    pub groups: HasMany<super::group::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
