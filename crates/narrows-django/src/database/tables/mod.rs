//! The tables of Django's own applications, as its migrations leave them.
//!
//! Each file has the statements of one database, taken from what Django 5.2 made there: `sqlite_master`, `pg_dump` and
//! `SHOW CREATE TABLE`.

use chrono::Utc;
use sea_orm::sea_query::{Alias, Expr, ExprTrait, Query};
use sea_orm::{ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, Statement};

use super::DatabaseError;
use super::begin_writing;
use super::time::time_value;

/// The applications and their migrations, in an order in which each has what it needs.
const APPLICATIONS: [(&str, &[&str]); 3] = [
    ("contenttypes", &["0001_initial", "0002_remove_content_type_name"]),
    (
        "auth",
        &[
            "0001_initial",
            "0002_alter_permission_name_max_length",
            "0003_alter_user_email_max_length",
            "0004_alter_user_username_opts",
            "0005_alter_user_last_login_null",
            "0006_require_contenttypes_0002",
            "0007_alter_validators_add_error_messages",
            "0008_alter_user_username_max_length",
            "0009_alter_user_last_name_max_length",
            "0010_alter_group_name_max_length",
            "0011_update_proxy_permissions",
            "0012_alter_user_first_name_max_length",
        ],
    ),
    ("sessions", &["0001_initial"]),
];

/// Whoever makes tables in PostgreSQL holds this lock: "narrows" in ASCII.
const POSTGRES_LOCK: &str = "SELECT pg_advisory_xact_lock(31069370171287411)";
/// Its name is known to the whole server.
const MYSQL_LOCK: &str = "SELECT GET_LOCK(LEFT(CONCAT('narrows ', DATABASE()), 64), 60) AS got";
const MYSQL_UNLOCK: &str = "DO RELEASE_LOCK(LEFT(CONCAT('narrows ', DATABASE()), 64))";

pub(super) async fn create(connection: &DatabaseConnection) -> Result<(), DatabaseError> {
    let tables = match connection.get_database_backend() {
        DbBackend::Postgres => include_str!("postgres.sql"),
        DbBackend::MySql => include_str!("mysql.sql"),
        _ => include_str!("sqlite.sql"),
    };
    let transaction = begin(connection).await?;
    let made = create_missing(&transaction, tables).await;
    end(transaction, made).await
}

/// Runs statements that make further tables.
pub(super) async fn run(connection: &DatabaseConnection, statements: &[String]) -> Result<(), DatabaseError> {
    let transaction = begin(connection).await?;
    let made = execute(&transaction, statements.iter().map(String::as_str)).await;
    end(transaction, made).await
}

/// Begins to make tables: of several processes one at a time does.
async fn begin(connection: &DatabaseConnection) -> Result<DatabaseTransaction, DatabaseError> {
    let transaction = begin_writing(connection).await?;
    match connection.get_database_backend() {
        DbBackend::Postgres => transaction.execute_unprepared(POSTGRES_LOCK).await.map(drop)?,
        DbBackend::MySql => mysql_lock(&transaction).await?,
        // It has one lock for all, which the transaction took.
        _ => {}
    }
    Ok(transaction)
}

async fn end(transaction: DatabaseTransaction, made: Result<(), DbErr>) -> Result<(), DatabaseError> {
    if transaction.get_database_backend() == DbBackend::MySql {
        // Whatever came of it: the lock belongs to the connection, which goes back to the pool, and what was made stays.
        transaction.execute_unprepared(MYSQL_UNLOCK).await?;
        transaction.commit().await?;
        return Ok(made?);
    }
    made?;
    Ok(transaction.commit().await?)
}

async fn mysql_lock(transaction: &DatabaseTransaction) -> Result<(), DatabaseError> {
    let asked = Statement::from_string(DbBackend::MySql, MYSQL_LOCK);
    let got = match transaction.query_one_raw(asked).await? {
        Some(row) => row.try_get_by_index::<Option<i64>>(0)?,
        None => None,
    };
    if got == Some(1) { Ok(()) } else { Err(DatabaseError::Slow) }
}

async fn create_missing(transaction: &DatabaseTransaction, tables: &str) -> Result<(), DbErr> {
    run_section(transaction, tables, "").await?;
    for (application, migrations) in APPLICATIONS {
        if !is_recorded(transaction, application).await? {
            run_section(transaction, tables, application).await?;
            record(transaction, application, migrations).await?;
        }
    }
    Ok(())
}

async fn run_section(
    transaction: &DatabaseTransaction,
    tables: &str,
    application: &str,
) -> Result<(), DbErr> {
    let section = tables
        .split("-- application")
        .find_map(|section| section.split_once('\n').filter(|(name, _)| name.trim() == application))
        .map_or("", |(_, statements)| statements);
    execute(transaction, section.lines()).await
}

/// Runs statements one after another, up to the first that fails.
async fn execute<'a>(
    transaction: &DatabaseTransaction,
    statements: impl Iterator<Item = &'a str>,
) -> Result<(), DbErr> {
    for statement in statements {
        transaction.execute_unprepared(statement).await?;
    }
    Ok(())
}

/// Whether Django or an earlier call was here.
async fn is_recorded(transaction: &DatabaseTransaction, application: &str) -> Result<bool, DbErr> {
    let select = Query::select()
        .column(Alias::new("id"))
        .from(Alias::new("django_migrations"))
        .and_where(Expr::col(Alias::new("app")).eq(application))
        .limit(1)
        .to_owned();
    Ok(transaction.query_one(&select).await?.is_some())
}

async fn record(
    transaction: &DatabaseTransaction,
    application: &str,
    migrations: &[&str],
) -> Result<(), DbErr> {
    let now = time_value(Utc::now(), transaction.get_database_backend());
    let mut insert = Query::insert();
    insert.into_table(Alias::new("django_migrations")).columns(["app", "name", "applied"].map(Alias::new));
    for migration in migrations {
        insert.values_panic([application.into(), (*migration).into(), now.clone().into()]);
    }
    transaction.execute(&insert).await.map(drop)
}
