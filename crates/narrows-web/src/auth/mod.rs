//! Django's tables of users as SeaORM entities, for models that point at them, and for queries.
//!
//! ```
//! use narrows_web::models::sea_orm;
//! use sea_orm::entity::prelude::*;
//!
//! #[sea_orm::model]
//! #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
//! #[sea_orm(table_name = "diary_page")]
//! pub struct Model {
//!     #[sea_orm(primary_key)]
//!     pub id: i64,
//!     pub author_id: i32,
//!     #[sea_orm(belongs_to, from = "author_id", to = "id", on_delete = "Cascade")]
//!     pub author: HasOne<narrows_web::auth::user::Entity>,
//! }
//!
//! impl ActiveModelBehavior for ActiveModel {}
//! # fn main() {}
//! ```
//!
//! They belong to no app: `migrate` makes their tables as Django does, and `makemigrations` never touches them. Passwords are not
//! in them. Users are made and changed with [`Accounts`](narrows_django::Accounts), which ends their sessions and sockets where
//! that has to be; a site with another user model has an entity of its own.

pub mod group;
pub mod user;
pub mod user_group;
