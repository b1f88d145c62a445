use std::time::Duration;

use narrows_django::DatabaseError;
use narrows_django::sea_orm::sea_query::{Expr, ExprTrait, Order, Query};
use narrows_django::sea_orm::{ConnectionTrait, DatabaseConnection, DbErr};

use super::Messages;
use super::tables::MESSAGES;
use crate::protocol::now;

/// How often what is too old is looked for.
const PERIOD: Duration = Duration::from_secs(600);
/// Messages that are deleted in one step, so that nobody waits long for it.
const STEP: u64 = 1000;

impl Messages {
    /// Deletes what is older than this, again and again. Several nodes may do so at the same time.
    pub async fn delete_after(&self, age: Duration) {
        loop {
            match self.delete_older_than(age).await {
                Ok(0) => {}
                Ok(deleted) => tracing::info!(deleted, "old messages were deleted"),
                Err(error) => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "old messages are still there");
                }
            }
            tokio::time::sleep(PERIOD.min(age)).await;
        }
    }

    /// Deletes what is older than this, and says how much that was.
    ///
    /// # Errors
    /// When the database does not answer; some may be deleted.
    pub async fn delete_older_than(&self, age: Duration) -> Result<u64, DatabaseError> {
        let until = now().saturating_sub(u64::try_from(age.as_millis()).unwrap_or(u64::MAX)) as i64;
        let mut all = 0;
        loop {
            let deleted = self.0.database.run(async move |pool| delete_some(&pool, until).await).await?;
            all += deleted;
            if deleted == 0 {
                return Ok(all);
            }
        }
    }
}

async fn delete_some(pool: &DatabaseConnection, until: i64) -> Result<u64, DbErr> {
    let mut select = Query::select();
    select.column("said_at").from(MESSAGES).and_where(Expr::col("said_at").lt(until));
    select.order_by("said_at", Order::Asc).limit(STEP);
    let times = pool.query_all(&select).await?;
    let Some(newest) = times.last() else { return Ok(0) };
    let newest: i64 = newest.try_get("", "said_at")?;
    let mut delete = Query::delete();
    delete.from_table(MESSAGES).and_where(Expr::col("said_at").lte(newest));
    Ok(pool.execute(&delete).await?.rows_affected())
}
