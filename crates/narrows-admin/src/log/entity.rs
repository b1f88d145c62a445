#![allow(unreachable_pub, reason = "SeaORM's macros want the types of an entity to be public")]

use narrows_models::sea_orm;
use narrows_models::sea_orm::entity::prelude::*;

/// A change by the hand of a member of the staff. Rows are only ever added.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "narrows_admin_log")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub at: DateTimeUtc,
    /// The key of who did it, who may be gone by now, and their name at the time.
    #[sea_orm(column_type = "String(StringLen::N(100))")]
    pub user_id: String,
    #[sea_orm(column_type = "String(StringLen::N(254))")]
    pub username: String,
    #[sea_orm(column_type = "String(StringLen::N(30))")]
    pub action: String,
    /// The row: its table, its key as in addresses, and what it was called.
    #[sea_orm(column_type = "String(StringLen::N(100))")]
    pub object_table: String,
    #[sea_orm(indexed, column_type = "String(StringLen::N(255))")]
    pub object_key: String,
    #[sea_orm(column_type = "String(StringLen::N(255))")]
    pub object_label: String,
    /// JSON: a list of columns, each with what it held before and after.
    #[sea_orm(column_type = "Text")]
    pub changes: String,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
