use sea_orm::{
    DatabaseConnection, DatabaseTransaction, DbErr, SqliteTransactionMode, TransactionOptions,
    TransactionTrait,
};

/// Begins a transaction that writes: SQLite takes its one lock at once, as a reader that turns into a writer may be refused.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// # let database = narrows_django::Database::connect("sqlite::memory:").await?;
/// use narrows_django::begin_writing;
/// use narrows_django::sea_orm::ConnectionTrait;
///
/// database
///     .run(async |pool| {
///         let transaction = begin_writing(&pool).await?;
///         transaction.execute_unprepared("CREATE TABLE news (title text)").await?;
///         transaction.commit().await
///     })
///     .await?;
/// # Ok::<(), narrows_django::DatabaseError>(()) })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// Those of the database.
///
/// # Cancel safety
/// Cancel safe.
pub async fn begin_writing(pool: &DatabaseConnection) -> Result<DatabaseTransaction, DbErr> {
    let options = TransactionOptions {
        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        ..TransactionOptions::default()
    };
    pool.begin_with_options(options).await
}
