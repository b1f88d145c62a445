//! One connection of the pool, from the lock to its release.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, QueryResult, Statement,
    TransactionTrait,
};

use super::error::MigrateError;
use super::{Notice, Tell};
use crate::dialect::Dialect;

/// Whoever migrates in PostgreSQL holds this lock: "narrmigr" in ASCII.
const POSTGRES_LOCK: i64 = 0x6e61_7272_6d69_6772;
/// Its name is known to the whole server.
const MYSQL_LOCK: &str = "LEFT(CONCAT('narrows migrate ', DATABASE()), 64)";
/// Errors are errors, and texts are written as we write them, whatever the server is set to.
const MYSQL_MODE: &str = "STRICT_ALL_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION,\
     PIPES_AS_CONCAT,NO_AUTO_VALUE_ON_ZERO";
/// How long SQLite itself waits for another that migrates, before we look at the time.
const SQLITE_TURN: Duration = Duration::from_millis(100);

/// One connection, with what was changed of it, to be put back by [`close`](Self::close).
pub(super) struct Session {
    /// What sea-orm holds for a transaction is a connection of which nobody else knows. Its own transaction is ended at
    /// once, and begun again before it goes back: in between we begin and end our own.
    held: DatabaseTransaction,
    pub(super) dialect: Dialect,
    /// How long to wait for others.
    patience: Duration,
    restore: Vec<String>,
    locked: bool,
    /// Whether it was told that we wait.
    told: AtomicBool,
}

impl Session {
    pub(super) async fn open(connection: &DatabaseConnection, patience: Duration) -> Result<Self, DbErr> {
        let held = connection.begin().await?;
        held.execute_unprepared("COMMIT").await?;
        let dialect = match connection.get_database_backend() {
            DbBackend::Sqlite => Dialect::Sqlite,
            DbBackend::Postgres => Dialect::Postgres,
            _ => Dialect::MySql,
        };
        let told = AtomicBool::new(false);
        let mut session = Self { held, dialect, patience, restore: Vec::new(), locked: false, told };
        if let Err(error) = session.prepare().await {
            session.close().await?;
            return Err(error);
        }
        Ok(session)
    }

    /// Waits until no other process migrates this database, where the lock is for all migrations at once. The others have
    /// one that ends with a transaction, which [`begin`](Self::begin) takes: that of a session would stay behind a pooler
    /// such as PgBouncer, which gives each transaction another session.
    pub(super) async fn lock(&mut self, tell: &Tell) -> Result<(), MigrateError> {
        if self.dialect.has_transactions() {
            return Ok(());
        }
        let attempt = |seconds: f32| format!("SELECT COALESCE(GET_LOCK({MYSQL_LOCK}, {seconds}), 0)");
        if !self.got(&attempt(0.0)).await? {
            let holder = self.tell_holder(tell).await?;
            if !self.got(&attempt(self.patience.as_secs_f32())).await? {
                return Err(self.locked(holder).await?);
            }
        }
        self.locked = true;
        Ok(())
    }

    /// Begins a transaction; on SQLite and PostgreSQL it is the lock too, so that what is applied has to be read again.
    pub(super) async fn begin(&self, tell: &Tell) -> Result<(), MigrateError> {
        match self.dialect {
            Dialect::Sqlite => self.begin_immediate(tell).await,
            Dialect::Postgres => {
                // Whatever is the default: what is read behind the lock is what there is by then.
                self.execute("BEGIN ISOLATION LEVEL READ COMMITTED").await?;
                match self.lock_transaction(tell).await {
                    Ok(()) => Ok(()),
                    Err(MigrateError::Locked { holder, .. }) => {
                        self.rollback().await?;
                        Err(self.locked(holder).await?)
                    }
                    Err(error) => {
                        // What went wrong first counts.
                        drop(self.rollback().await);
                        Err(error)
                    }
                }
            }
            _ => Ok(self.execute("START TRANSACTION").await?),
        }
    }

    pub(super) async fn commit(&self) -> Result<(), DbErr> {
        self.execute("COMMIT").await
    }

    pub(super) async fn rollback(&self) -> Result<(), DbErr> {
        self.execute("ROLLBACK").await
    }

    pub(super) async fn execute(&self, sql: &str) -> Result<(), DbErr> {
        tracing::debug!(sql, "migrating");
        self.held.execute_unprepared(sql).await.map(drop)
    }

    pub(super) async fn query(&self, sql: &str) -> Result<Vec<QueryResult>, DbErr> {
        self.held.query_all_raw(Statement::from_string(self.dialect.backend(), sql)).await
    }

    pub(super) async fn has_row(&self, sql: &str) -> Result<bool, DbErr> {
        Ok(!self.query(sql).await?.is_empty())
    }

    /// What code of a migration is given.
    pub(super) fn transaction(&self) -> &DatabaseTransaction {
        &self.held
    }

    pub(super) async fn enforced_foreign_keys(&self) -> Result<bool, DbErr> {
        Ok(self.value::<i64>("PRAGMA foreign_keys").await? == 1)
    }

    /// SQLite's foreign keys, which can be changed outside of a transaction only. They are turned on again by
    /// [`close`](Self::close) where they were on.
    pub(super) async fn enforce_foreign_keys(&mut self, on: bool) -> Result<(), DbErr> {
        self.execute(if on { "PRAGMA foreign_keys = ON" } else { "PRAGMA foreign_keys = OFF" }).await
    }

    /// Puts everything back, and gives the connection back to its pool.
    pub(super) async fn close(mut self) -> Result<(), DbErr> {
        if self.locked {
            self.restore.push(match self.dialect {
                Dialect::Postgres => format!("SELECT pg_advisory_unlock({POSTGRES_LOCK})"),
                _ => format!("DO RELEASE_LOCK({MYSQL_LOCK})"),
            });
        }
        let mut done = Ok(());
        for sql in self.restore.iter().rev() {
            done = done.and(self.held.execute_unprepared(sql).await.map(drop));
        }
        // Its own transaction, as it has to end one.
        self.held.execute_unprepared("BEGIN").await?;
        self.held.commit().await?;
        done
    }

    async fn prepare(&mut self) -> Result<(), DbErr> {
        match self.dialect {
            Dialect::Sqlite => {
                let waits: i64 = self.value("PRAGMA busy_timeout").await?;
                let enforced: i64 = self.value("PRAGMA foreign_keys").await?;
                self.restore.push(format!("PRAGMA busy_timeout = {waits}"));
                self.restore.push(format!("PRAGMA foreign_keys = {enforced}"));
                self.restore.push("PRAGMA legacy_alter_table = OFF".to_owned());
                self.wait_when_busy(self.patience).await
            }
            Dialect::Postgres => Ok(()),
            _ => {
                let named: Option<String> = self.value("SELECT DATABASE()").await?;
                if named.is_none() {
                    return Err(DbErr::Custom("the URL names a server, and no database of it".to_owned()));
                }
                let version: String = self.value("SELECT VERSION()").await?;
                if version.contains("MariaDB") {
                    self.dialect = Dialect::MariaDb;
                }
                let mode: String = self.value("SELECT @@SESSION.sql_mode").await?;
                let zone: String = self.value("SELECT @@SESSION.time_zone").await?;
                self.restore.push(format!("SET SESSION sql_mode = '{mode}', time_zone = '{zone}'"));
                self.execute(&format!("SET SESSION sql_mode = '{MYSQL_MODE}', time_zone = '+00:00'")).await
            }
        }
    }

    /// The first column of the first row.
    async fn value<T: sea_orm::TryGetable>(&self, sql: &str) -> Result<T, DbErr> {
        let rows = self.query(sql).await?;
        let row = rows.first().ok_or_else(|| DbErr::RecordNotFound(sql.to_owned()))?;
        row.try_get_by_index(0)
    }

    async fn got(&self, sql: &str) -> Result<bool, DbErr> {
        let row = self.query(sql).await?.into_iter().next();
        let row = row.ok_or_else(|| DbErr::RecordNotFound(sql.to_owned()))?;
        // What a number of a function is differs between the servers.
        Ok(row.try_get_by_index::<i32>(0).is_ok_and(|got| got == 1)
            || row.try_get_by_index::<i64>(0).is_ok_and(|got| got == 1))
    }

    async fn lock_transaction(&self, tell: &Tell) -> Result<(), MigrateError> {
        // Times are read and written as texts, and texts as we write them.
        self.execute("SET LOCAL TIME ZONE 'UTC'").await?;
        self.execute("SET LOCAL standard_conforming_strings = on").await?;
        let attempt =
            format!("SELECT CASE WHEN pg_try_advisory_xact_lock({POSTGRES_LOCK}) THEN 1 ELSE 0 END");
        if self.got(&attempt).await? {
            return Ok(());
        }
        let holder = self.tell_holder(tell).await?;
        let mut before = Vec::new();
        for limit in ["lock_timeout", "statement_timeout"] {
            let value: String = self.value(&format!("SELECT current_setting('{limit}')")).await?;
            before.push(format!("SET LOCAL {limit} = '{value}'"));
        }
        let limit = self.patience.as_millis().clamp(1, i32::MAX as u128);
        self.execute(&format!("SET LOCAL lock_timeout = '{limit}ms'")).await?;
        self.execute("SET LOCAL statement_timeout = 0").await?;
        match self.execute(&format!("SELECT pg_advisory_xact_lock({POSTGRES_LOCK})")).await {
            Ok(()) => {}
            // "canceling statement due to lock timeout", in whatever language.
            Err(error) if code(&error).as_deref() == Some("55P03") => {
                return Err(MigrateError::Locked { waited: self.patience, holder });
            }
            Err(error) => return Err(error.into()),
        }
        for sql in before {
            self.execute(&sql).await?;
        }
        Ok(())
    }

    /// Tells once that we wait; gives whom for.
    async fn tell_holder(&self, tell: &Tell) -> Result<Option<String>, DbErr> {
        let holder = self.holder().await?;
        if !self.told.swap(true, Ordering::Relaxed) {
            tell(Notice::Waiting { holder: holder.clone() });
        }
        Ok(holder)
    }

    /// That we waited for too long, for whoever has the lock now, or had it.
    async fn locked(&self, before: Option<String>) -> Result<MigrateError, DbErr> {
        let holder = self.holder().await?.or(before);
        Ok(MigrateError::Locked { waited: self.patience, holder })
    }

    /// Who has the lock, where the database says so.
    async fn holder(&self) -> Result<Option<String>, DbErr> {
        let sql = match self.dialect {
            Dialect::Sqlite => return Ok(None),
            Dialect::Postgres => format!(
                "SELECT 'process ' || a.pid || coalesce(' of ' || nullif(a.application_name, ''), '') \
                 || coalesce(' at ' || host(a.client_addr), '') || ', user ' || a.usename \
                 FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid \
                 WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1 \
                 AND l.classid::bigint = {} AND l.objid::bigint = {} \
                 AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())",
                POSTGRES_LOCK >> 32,
                POSTGRES_LOCK & 0xffff_ffff
            ),
            _ => format!(
                "SELECT CONVERT(CONCAT('connection ', id, ' at ', host, ', user ', user) USING utf8mb4) \
                 FROM information_schema.processlist WHERE id = IS_USED_LOCK({MYSQL_LOCK})"
            ),
        };
        let row = self.query(&sql).await?.into_iter().next();
        row.map_or(Ok(None), |row| row.try_get_by_index(0))
    }

    async fn begin_immediate(&self, tell: &Tell) -> Result<(), MigrateError> {
        self.wait_when_busy(SQLITE_TURN).await?;
        let begun = Instant::now();
        loop {
            match self.execute("BEGIN IMMEDIATE").await {
                // From now on others only read; whoever does so holds up the commit, unless there is a WAL.
                Ok(()) => return Ok(self.wait_when_busy(self.patience).await?),
                Err(error) if !is_busy(&error) => return Err(error.into()),
                Err(_) if begun.elapsed() >= self.patience => return Err(self.locked(None).await?),
                Err(_) => drop(self.tell_holder(tell).await?),
            }
            // SQLite mostly waits by itself, but not always.
            tokio::time::sleep(SQLITE_TURN / 10).await;
        }
    }

    async fn wait_when_busy(&self, wait: Duration) -> Result<(), DbErr> {
        let wait = wait.as_millis().min(i32::MAX as u128);
        self.execute(&format!("PRAGMA busy_timeout = {wait}")).await
    }
}

/// What the database itself said.
#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
pub(super) fn database_error(error: &DbErr) -> Option<&dyn sea_orm::sqlx::error::DatabaseError> {
    use sea_orm::RuntimeErr;
    let (DbErr::Exec(RuntimeErr::SqlxError(inner)) | DbErr::Query(RuntimeErr::SqlxError(inner))) = error
    else {
        return None;
    };
    inner.as_database_error()
}

#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
fn code(error: &DbErr) -> Option<String> {
    database_error(error)?.code().map(std::borrow::Cow::into_owned)
}

#[cfg(not(any(feature = "sqlite", feature = "postgres", feature = "mysql")))]
fn code(_: &DbErr) -> Option<String> {
    None
}

/// SQLITE_BUSY and SQLITE_LOCKED, with what may be above their lowest byte.
fn is_busy(error: &DbErr) -> bool {
    let code = code(error).and_then(|code| code.parse::<u32>().ok());
    code.is_some_and(|code| matches!(code & 0xff, 5 | 6))
}
