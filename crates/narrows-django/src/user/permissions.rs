//! What users may do (`ModelBackend.get_all_permissions`).

use std::collections::BTreeSet;

use sea_orm::sea_query::{Alias, Expr, ExprTrait, Query, SelectStatement};
use sea_orm::{ConnectionTrait, DbErr};

use super::User;
use super::key::Key;
use super::model::UserModel;
use crate::accounts::Accounts;
use crate::database::DatabaseError;

/// What a user may do, by Django's names of permissions, such as `chat.change_room`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Permissions {
    everything: bool,
    names: BTreeSet<String>,
}

impl Permissions {
    /// Those of a superuser.
    pub fn everything() -> Self {
        Self { everything: true, names: BTreeSet::new() }
    }

    /// These alone.
    pub fn of<S: Into<String>>(names: impl IntoIterator<Item = S>) -> Self {
        Self { everything: false, names: names.into_iter().map(Into::into).collect() }
    }

    /// Whether this one is among them.
    pub fn has(&self, name: &str) -> bool {
        self.everything || self.names.contains(name)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        !self.everything && self.names.is_empty()
    }
}

impl Accounts {
    /// What a user may do: all of it for a superuser, nothing for who may not log in, and else what was given to the user
    /// and to the user's groups.
    ///
    /// # Errors
    /// When the database is away.
    ///
    /// # Cancel safety
    /// It only reads.
    pub async fn permissions(&self, user: &User) -> Result<Permissions, DatabaseError> {
        if !user.is_active {
            return Ok(Permissions::default());
        }
        if user.is_superuser {
            return Ok(Permissions::everything());
        }
        let model = &self.inner().model;
        let Some(key) = Key::parse(model.key_kind, &user.id) else { return Ok(Permissions::default()) };
        let key = key.expr(self.database().backend());
        let mut select = Query::select();
        select
            .column(("django_content_type", "app_label"))
            .column(("auth_permission", "codename"))
            .from("auth_permission")
            .inner_join(
                "django_content_type",
                Expr::col(("django_content_type", "id")).equals(("auth_permission", "content_type_id")),
            )
            .and_where(
                Expr::col(("auth_permission", "id")).in_subquery(own(model, key.clone())).or(Expr::col((
                    "auth_permission",
                    "id",
                ))
                .in_subquery(of_groups(model, key))),
            );
        let rows = self
            .database()
            .run(async move |connection| {
                let rows = connection.query_all(&select).await?;
                rows.iter()
                    .map(|row| {
                        let app: String = row.try_get_by_index(0)?;
                        let codename: String = row.try_get_by_index(1)?;
                        Ok(format!("{app}.{codename}"))
                    })
                    .collect::<Result<Vec<_>, DbErr>>()
            })
            .await?;
        Ok(Permissions::of(rows))
    }
}

/// The keys of the permissions that the user has.
fn own(model: &UserModel, key: Expr) -> SelectStatement {
    let table = Alias::new(model.permissions_table());
    Query::select()
        .column("permission_id")
        .from(table)
        .and_where(Expr::col(Alias::new(model.link_column())).eq(key))
        .to_owned()
}

/// The keys of those that the user's groups have.
fn of_groups(model: &UserModel, key: Expr) -> SelectStatement {
    let groups = Query::select()
        .column("group_id")
        .from(Alias::new(model.groups_table()))
        .and_where(Expr::col(Alias::new(model.link_column())).eq(key))
        .to_owned();
    Query::select()
        .column("permission_id")
        .from("auth_group_permissions")
        .and_where(Expr::col("group_id").in_subquery(groups))
        .to_owned()
}
