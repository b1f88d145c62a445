//! Rows of users.

use std::collections::HashMap;

use chrono::DateTime;
use sea_orm::sea_query::{Alias, Expr, ExprTrait, Query, SelectStatement, UpdateStatement};
use sea_orm::{ConnectionTrait, DbBackend, DbErr, QueryResult};

use super::User;
use super::key::Key;
use super::model::{UserId, UserModel};
use crate::accounts::Accounts;
use crate::database::{Database, DatabaseError, time_of};

/// Django's `AbstractUser.username` has no more characters, and neither has a custom one's need to: the column is not
/// asked for a longer name.
const MAX_NAME: usize = 254;

/// So many users are asked for at once: fewer than the variables that any database takes.
const CHUNK: usize = 8192;

impl Accounts {
    /// The user with this id, active or not.
    ///
    /// # Errors
    /// When the database is away.
    ///
    /// # Cancel safety
    /// It only reads.
    pub async fn user_by_id(&self, id: &UserId) -> Result<Option<User>, DatabaseError> {
        let Some(key) = Key::parse(self.inner().model.key_kind, id) else { return Ok(None) };
        let users = self.users();
        users.one(Expr::col(Alias::new(&users.model.key)).eq(key.expr(users.backend()))).await
    }

    /// The user with this name, active or not. Names differ by case, as far as they do in the database.
    ///
    /// # Errors
    /// When the database is away.
    ///
    /// # Cancel safety
    /// It only reads.
    pub async fn user_by_name(&self, username: &str) -> Result<Option<User>, DatabaseError> {
        if username.chars().nth(MAX_NAME).is_some() || username.contains('\0') {
            return Ok(None);
        }
        let users = self.users();
        users.one(Expr::col(Alias::new(&users.model.username)).eq(username)).await
    }

    /// The users with these ids, active or not, by id; who is not there is left out. Ten thousand are two queries.
    ///
    /// # Errors
    /// When the database is away.
    ///
    /// # Cancel safety
    /// It only reads.
    pub async fn users_by_ids<'a>(
        &self,
        ids: impl IntoIterator<Item = &'a UserId>,
    ) -> Result<HashMap<UserId, User>, DatabaseError> {
        let users = self.users();
        let mut keys: Vec<_> =
            ids.into_iter().filter_map(|id| Key::parse(users.model.key_kind, id)).collect();
        keys.sort_unstable();
        keys.dedup();
        let mut found = HashMap::with_capacity(keys.len());
        for keys in keys.chunks(CHUNK) {
            let keys = padded(keys).map(|key| key.expr(users.backend()));
            let condition = Expr::col(Alias::new(&users.model.key)).is_in(keys);
            for row in users.all(users.select().and_where(condition).to_owned()).await? {
                let user = users.read(&row)?;
                found.insert(user.id.clone(), user);
            }
        }
        Ok(found)
    }

    /// Whether two texts are the id of one user.
    pub(crate) fn is_same_user(&self, one: &str, other: &str) -> bool {
        let key = |text| Key::parse(self.inner().model.key_kind, &UserId::new(text));
        key(one).is_some_and(|one| Some(one) == key(other))
    }

    pub(super) fn users(&self) -> Users<'_> {
        Users { model: &self.inner().model, database: &self.inner().database }
    }
}

/// The keys, with the last again up to a power of two: the database then has few statements to prepare and keep.
fn padded(keys: &[Key]) -> impl Iterator<Item = &Key> {
    let missing = keys.len().next_power_of_two() - keys.len();
    keys.iter().chain(keys.last().into_iter().cycle().take(missing))
}

/// The table of users.
pub(super) struct Users<'a> {
    pub(super) model: &'a UserModel,
    pub(super) database: &'a Database,
}

impl Users<'_> {
    pub(super) fn backend(&self) -> DbBackend {
        self.database.backend()
    }

    async fn one(&self, condition: Expr) -> Result<Option<User>, DatabaseError> {
        let rows = self.all(self.select().and_where(condition).limit(1).to_owned()).await?;
        Ok(rows.first().map(|row| self.read(row)).transpose()?)
    }

    async fn all(&self, select: SelectStatement) -> Result<Vec<QueryResult>, DatabaseError> {
        self.database.run(async move |connection| connection.query_all(&select).await).await
    }

    /// Changes a user's row, if it is there; says whether it is.
    pub(super) async fn update(
        &self,
        id: &UserId,
        change: impl FnOnce(&mut UpdateStatement),
    ) -> Result<bool, DatabaseError> {
        let Some(key) = Key::parse(self.model.key_kind, id) else { return Ok(false) };
        let mut update = Query::update();
        update.table(Alias::new(&self.model.table));
        update.and_where(Expr::col(Alias::new(&self.model.key)).eq(key.expr(self.backend())));
        change(&mut update);
        let result = self.database.run(async move |connection| connection.execute(&update).await).await?;
        Ok(result.rows_affected() > 0)
    }

    /// Keys come as texts: the databases, and the models in them, have several types for them.
    fn select(&self) -> SelectStatement {
        let text = if self.backend() == DbBackend::MySql { "char" } else { "text" };
        let mut select = Query::select();
        select.from(Alias::new(&self.model.table));
        select.expr_as(Expr::col(Alias::new(&self.model.key)).cast_as(text), "key_text");
        select.column("password").column("last_login").column(Alias::new(&self.model.username));
        for column in [
            &self.model.email,
            &self.model.first_name,
            &self.model.last_name,
            &self.model.is_staff,
            &self.model.is_superuser,
            &self.model.is_active,
            &self.model.date_joined,
        ] {
            // The email can be the name, too.
            if let Some(column) = column.as_ref().filter(|column| **column != self.model.username) {
                select.column(Alias::new(column));
            }
        }
        select
    }

    fn read(&self, row: &QueryResult) -> Result<User, DbErr> {
        let text = |column: &Option<String>| match column {
            Some(column) => Ok(row.try_get::<Option<String>>("", column)?.unwrap_or_default()),
            None => Ok::<_, DbErr>(String::new()),
        };
        let flag = |column: &Option<String>, without| match column {
            Some(column) => row.try_get::<bool>("", column),
            None => Ok(without),
        };
        // A time that cannot be read keeps nobody out.
        let time = |column| time_of(row, column, self.backend()).ok().flatten();
        let id = UserId::new(&row.try_get::<String>("", "key_text")?);
        let joined = self.model.date_joined.as_deref().and_then(time);
        Ok(User {
            id: Key::parse(self.model.key_kind, &id).map_or(id, |key| key.id()),
            username: row.try_get("", &self.model.username)?,
            email: text(&self.model.email)?,
            first_name: text(&self.model.first_name)?,
            last_name: text(&self.model.last_name)?,
            is_staff: flag(&self.model.is_staff, false)?,
            is_superuser: flag(&self.model.is_superuser, false)?,
            is_active: flag(&self.model.is_active, true)?,
            date_joined: joined.unwrap_or(DateTime::UNIX_EPOCH),
            last_login: time("last_login"),
            password: row.try_get("", "password")?,
        })
    }
}
