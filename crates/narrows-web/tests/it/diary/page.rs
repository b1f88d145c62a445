//! A page of somebody's diary.

use narrows_web::auth::user;
use narrows_web::models::sea_orm::{self, entity::prelude::*};

#[allow(unreachable_pub, reason = "the macro makes more, as public as this")]
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "diary_page")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub author_id: i32,
    #[sea_orm(belongs_to, from = "author_id", to = "id", on_delete = "Cascade")]
    pub author: HasOne<user::Entity>,
    #[sea_orm(column_type = "String(StringLen::N(50))")]
    pub title: String,
}

impl ActiveModelBehavior for ActiveModel {}
