use std::convert::Infallible;
use std::fmt;

use async_trait::async_trait;
use axum::extract::FromRequestParts;
use http::request::Parts;
use narrows_django::Database;
use narrows_django::sea_orm::{ConnectionTrait, DbBackend, DbErr, ExecResult, QueryResult, Statement};

use crate::Site;

/// The site's database, for SeaORM: `room::Entity::find().all(&db)`.
///
/// Each query is done on the database's own thread: what is held up elsewhere does not hold up its answers.
#[derive(Clone)]
pub struct Db(pub(crate) Database);

impl Db {
    /// The database, for what takes more than single queries.
    pub fn database(&self) -> &Database {
        &self.0
    }
}

fn failed(error: narrows_django::DatabaseError) -> DbErr {
    DbErr::Custom(error.to_string())
}

#[async_trait]
impl ConnectionTrait for Db {
    fn get_database_backend(&self) -> DbBackend {
        self.0.backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        let done = self.0.run(async move |pool| Ok::<_, DbErr>(pool.execute_raw(statement).await));
        done.await.map_err(failed)?
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        let sql = sql.to_owned();
        let done = self.0.run(async move |pool| Ok::<_, DbErr>(pool.execute_unprepared(&sql).await));
        done.await.map_err(failed)?
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        let done = self.0.run(async move |pool| Ok::<_, DbErr>(pool.query_one_raw(statement).await));
        done.await.map_err(failed)?
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        let done = self.0.run(async move |pool| Ok::<_, DbErr>(pool.query_all_raw(statement).await));
        done.await.map_err(failed)?
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
