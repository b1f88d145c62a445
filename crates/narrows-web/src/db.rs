use std::convert::Infallible;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use axum::extract::FromRequestParts;
use http::request::Parts;
use narrows_django::sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, ExecResult, QueryResult,
    RuntimeErr, Statement,
};
use narrows_django::{Database, DatabaseError, begin_writing};

use crate::Site;
use crate::project::Chain;

/// The site's database, for SeaORM: `room::Entity::find().all(&db)`.
///
/// ```
/// use narrows_web::{Db, Result};
/// use narrows_web::models::sea_orm::entity::prelude::*;
/// # mod room {
/// #     use narrows_web::models::sea_orm;
/// #     use narrows_web::models::sea_orm::entity::prelude::*;
/// #     #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
/// #     #[sea_orm(table_name = "chat_room")]
/// #     pub struct Model { #[sea_orm(primary_key)] pub id: i64, pub name: String }
/// #     #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
/// #     pub enum Relation {}
/// #     impl ActiveModelBehavior for ActiveModel {}
/// # }
///
/// async fn rooms(db: Db) -> Result<String> {
///     let rooms = room::Entity::find().all(&db).await?;
///     Ok(rooms.iter().map(|room| room.name.as_str()).collect())
/// }
/// ```
///
/// Each query is done on the database's own thread: what is held up elsewhere does not hold up its answers. It is done to its
/// end, also when the caller goes, and takes ten seconds at the most. Errors are SeaORM's own; a database that is away or too
/// slow is a [`DbErr::Conn`].
#[derive(Clone)]
pub struct Db(pub(crate) Database);

impl Db {
    /// The database, for work that takes longer than a request may.
    pub fn database(&self) -> &Database {
        &self.0
    }

    /// Does all of this or nothing: what the work did is taken back where it ends with an error, or panics.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let site = narrows_web::Project::new("mysite", "1.0.0").test().await;
    /// # let db = site.site().db();
    /// use narrows_web::models::sea_orm::{ConnectionTrait, DbErr};
    ///
    /// # db.execute_unprepared("CREATE TABLE account (name text, money integer)").await?;
    /// let (from, to) = ("ada".to_owned(), "ben".to_owned());
    /// db.transaction(async move |tx| {
    ///     tx.execute_unprepared(&format!("UPDATE account SET money = money - 1 WHERE name = '{from}'")).await?;
    ///     tx.execute_unprepared(&format!("UPDATE account SET money = money + 1 WHERE name = '{to}'")).await?;
    ///     Ok::<_, DbErr>(())
    /// })
    /// .await?;
    /// # Ok(()) }
    /// ```
    ///
    /// It runs on the database's own thread, so it owns what it uses, and does nothing there that takes long. It has ten seconds.
    /// On SQLite it is one that writes from its beginning (`BEGIN IMMEDIATE`): of two that read and then write none fails because
    /// of the other one. Queries by the [`Db`] in it are not part of it, and wait for it where there is one connection.
    ///
    /// # Errors
    /// Those of the work, and as a [`DbErr`] those of the database.
    ///
    /// # Cancel safety
    /// Cancel safe: it is done to its end.
    pub async fn transaction<T, E, F>(&self, work: impl FnOnce(Tx) -> F + Send + 'static) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<DbErr> + Send + 'static,
        F: Future<Output = Result<T, E>> + Send + 'static,
    {
        let done = self.0.run(async move |pool| {
            let done = async {
                let transaction = Arc::new(begin_writing(&pool).await?);
                let value = work(Tx(transaction.clone())).await?;
                match Arc::try_unwrap(transaction) {
                    Ok(transaction) => transaction.commit().await?,
                    Err(_) => return Err(DbErr::Custom(KEPT.to_owned()).into()),
                }
                Ok(value)
            };
            Ok::<_, DbErr>(done.await)
        });
        match done.await {
            Ok(done) => done,
            Err(error) => Err(lost(&error).into()),
        }
    }

    /// Does a query on the database's thread.
    async fn ask<T: Send + 'static, F>(
        &self,
        query: impl FnOnce(DatabaseConnection) -> F + Send,
    ) -> Result<T, DbErr>
    where
        F: Future<Output = Result<T, DbErr>> + Send + 'static,
    {
        // Its own error stays what it is.
        let done = self.0.run(|pool| {
            let asked = query(pool);
            async move { Ok::<_, DbErr>(asked.await) }
        });
        done.await.map_err(|error| lost(&error))?
    }
}

/// A transaction of which a part is still somewhere cannot end.
const KEPT: &str = "the transaction was kept beyond its work, and is taken back";

/// A transaction at work, from [`Db::transaction`]: for SeaORM, as the [`Db`] is.
///
/// It ends with its work, and may not be kept beyond.
#[derive(Debug)]
pub struct Tx(Arc<DatabaseTransaction>);

/// The database is away, or too slow.
fn lost(error: &DatabaseError) -> DbErr {
    DbErr::Conn(RuntimeErr::Internal(Chain(error).to_string()))
}

#[async_trait]
impl ConnectionTrait for Db {
    fn get_database_backend(&self) -> DbBackend {
        self.0.backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        self.ask(async move |pool| pool.execute_raw(statement).await).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        let sql = sql.to_owned();
        self.ask(async move |pool| pool.execute_unprepared(&sql).await).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        self.ask(async move |pool| pool.query_one_raw(statement).await).await
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.ask(async move |pool| pool.query_all_raw(statement).await).await
    }
}

#[async_trait]
impl ConnectionTrait for Tx {
    fn get_database_backend(&self) -> DbBackend {
        self.0.get_database_backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        self.0.execute_raw(statement).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.0.execute_unprepared(sql).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        self.0.query_one_raw(statement).await
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.0.query_all_raw(statement).await
    }
}

impl FromRequestParts<Site> for Db {
    type Rejection = Infallible;

    async fn from_request_parts(_: &mut Parts, site: &Site) -> Result<Self, Infallible> {
        Ok(site.db())
    }
}

impl fmt::Debug for Db {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Db").field(&self.0.backend()).finish()
    }
}
