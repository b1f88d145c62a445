//! The table as those see it who look after a site: many rows at once, by their order.

use chrono::{DateTime, Utc};
use sea_orm::sea_query::{Alias, Expr, ExprTrait, Func, LikeExpr, Order, Query, SelectStatement};
use sea_orm::{ConnectionTrait, DbBackend, DbErr, QueryResult};

use super::rows::{DATA, EXPIRES, KEY, KEYS_AT_ONCE, Rows, TABLE};
use crate::database::{DatabaseError, time_of};

/// One row, over or not.
pub(crate) struct Row {
    pub(crate) key: String,
    pub(crate) text: String,
    pub(crate) expires: DateTime<Utc>,
}

impl Rows {
    /// So many rows from this one on, those that last longest first.
    pub(crate) async fn some(&self, from: u64, count: u64) -> Result<Vec<Row>, DatabaseError> {
        let mut select = all();
        select.order_by(Alias::new(EXPIRES), Order::Desc).order_by(Alias::new(KEY), Order::Asc);
        self.rows(select.offset(from).limit(count).to_owned()).await
    }

    /// So many rows behind this key, in the order of keys.
    pub(crate) async fn behind(&self, key: &str, count: u64) -> Result<Vec<Row>, DatabaseError> {
        let mut select = all();
        select.and_where(Expr::col(Alias::new(KEY)).gt(key)).order_by(Alias::new(KEY), Order::Asc);
        self.rows(select.limit(count).to_owned()).await
    }

    /// The rows whose keys begin so, a few of them.
    pub(crate) async fn beginning(&self, prefix: &str) -> Result<Vec<Row>, DatabaseError> {
        let escaped = prefix.replace('!', "!!").replace('%', "!%").replace('_', "!_");
        let mut select = all();
        select.and_where(Expr::col(Alias::new(KEY)).like(LikeExpr::new(format!("{escaped}%")).escape('!')));
        self.rows(select.order_by(Alias::new(KEY), Order::Asc).limit(1000).to_owned()).await
    }

    pub(crate) async fn count(&self) -> Result<u64, DatabaseError> {
        self.database()
            .run(async move |connection| {
                let count = Func::count(Expr::col(Alias::new(KEY)));
                let select = Query::select().expr_as(count, "rows_in_all").from(Alias::new(TABLE)).to_owned();
                let row = connection.query_one(&select).await?;
                let count = row.map(|row| row.try_get::<i64>("", "rows_in_all")).transpose()?;
                Ok::<_, DbErr>(count.and_then(|count| u64::try_from(count).ok()).unwrap_or_default())
            })
            .await
    }

    /// Deletes the rows with these keys, and says how many were there.
    pub(crate) async fn delete_many(&self, keys: Vec<String>) -> Result<u64, DatabaseError> {
        self.database()
            .run(async move |connection| {
                let mut deleted = 0;
                for some in keys.chunks(KEYS_AT_ONCE) {
                    let mut delete = Query::delete();
                    let is_one = Expr::col(Alias::new(KEY)).is_in(some.iter().map(String::as_str));
                    delete.from_table(Alias::new(TABLE)).and_where(is_one);
                    deleted += connection.execute(&delete).await?.rows_affected();
                }
                Ok::<_, DbErr>(deleted)
            })
            .await
    }

    async fn rows(&self, select: SelectStatement) -> Result<Vec<Row>, DatabaseError> {
        self.database()
            .run(async move |connection| {
                let backend = connection.get_database_backend();
                let rows = connection.query_all(&select).await?;
                rows.iter().map(|row| read(row, backend)).collect::<Result<_, DbErr>>()
            })
            .await
    }
}

fn all() -> SelectStatement {
    Query::select().columns([KEY, DATA, EXPIRES].map(Alias::new)).from(Alias::new(TABLE)).to_owned()
}

fn read(row: &QueryResult, backend: DbBackend) -> Result<Row, DbErr> {
    // A time that cannot be read is long over.
    let expires = time_of(row, EXPIRES, backend).ok().flatten().unwrap_or(DateTime::UNIX_EPOCH);
    Ok(Row { key: row.try_get("", KEY)?, text: row.try_get("", DATA)?, expires })
}
