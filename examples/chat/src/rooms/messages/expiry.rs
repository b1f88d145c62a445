use std::time::Duration;

use narrows_web::Site;
use narrows_web::models::sea_orm::{
    ColumnTrait, DatabaseConnection, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
};
use narrows_web::narrows_django::DatabaseError;

use super::Messages;
use crate::rooms::models::message;
use crate::rooms::protocol::now;

/// How often what is too old is looked for.
const PERIOD: Duration = Duration::from_secs(600);
/// Messages that are deleted in one step, so that nobody waits long for it.
const STEP: u64 = 1000;

/// Deletes what is older than the setting `keep_messages` says, again and again. Several nodes may do so at the same time.
pub(crate) async fn delete_old(site: Site) {
    let age = site.settings().duration("keep_messages");
    if !age.is_zero() {
        Messages::of(&site).delete_after(age).await;
    }
}

impl Messages {
    async fn delete_after(&self, age: Duration) {
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
    let said_at = message::Column::SaidAt;
    let oldest = message::Entity::find().filter(said_at.lt(until)).order_by_asc(said_at).limit(STEP);
    let times: Vec<i64> = oldest.select_only().column(said_at).into_tuple().all(pool).await?;
    let Some(newest) = times.last() else { return Ok(0) };
    let deleted = message::Entity::delete_many().filter(said_at.lte(*newest)).exec(pool).await?;
    Ok(deleted.rows_affected)
}
