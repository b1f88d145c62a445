//! A database of each kind, and short ways to write tables and migrations.

use std::sync::Arc;

use narrows_models::migrate::Target;
use narrows_models::migration::{Column, Migration, Migrations, Table};
use narrows_models::sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbBackend, DbErr, QueryResult, Statement,
};
use narrows_models::{MigrateError, Migrator};
use rig::{MariaDb, Postgres};
use tempfile::TempDir;

/// A database of a test's own.
pub(crate) struct Site {
    pub(crate) url: String,
    pub(crate) connection: DatabaseConnection,
    _folder: Option<TempDir>,
}

/// A server of databases, for all tests that run beside each other.
pub(crate) enum Server {
    Postgres(Arc<Postgres>),
    MariaDb(Arc<MariaDb>),
}

impl Server {
    pub(crate) fn postgres() -> Option<Self> {
        Postgres::shared().map(Self::Postgres)
    }

    pub(crate) fn mariadb() -> Option<Self> {
        MariaDb::shared().map(Self::MariaDb)
    }

    pub(crate) async fn site(&self) -> Site {
        let url = match self {
            Self::Postgres(server) => server.fresh_database(),
            Self::MariaDb(server) => server.fresh_database(),
        };
        Site { connection: connect(&url).await, url, _folder: None }
    }
}

impl Site {
    pub(crate) async fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}?mode=rwc", folder.path().join("db.sqlite3").display());
        Self { connection: connect(&url).await, url, _folder: Some(folder) }
    }

    pub(crate) fn backend(&self) -> DbBackend {
        self.connection.get_database_backend()
    }

    /// A name as this database quotes it.
    pub(crate) fn quote(&self, name: &str) -> String {
        match self.backend() {
            DbBackend::MySql => format!("`{}`", name.replace('`', "``")),
            _ => format!("\"{}\"", name.replace('"', "\"\"")),
        }
    }

    pub(crate) async fn execute(&self, sql: &str) {
        self.try_execute(sql).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    pub(crate) async fn try_execute(&self, sql: &str) -> Result<(), DbErr> {
        self.connection.execute_unprepared(sql).await.map(drop)
    }

    /// The texts of the first column of a query; the query makes texts of them.
    pub(crate) async fn texts(&self, sql: &str) -> Vec<String> {
        let rows = self.connection.query_all_raw(Statement::from_string(self.backend(), sql)).await;
        let rows = rows.unwrap_or_else(|error| panic!("{sql}: {error}"));
        rows.iter()
            .map(|row| row.try_get_by_index::<Option<String>>(0).unwrap().unwrap_or("NULL".into()))
            .collect()
    }

    /// The one row of a query.
    pub(crate) async fn row(&self, sql: &str) -> QueryResult {
        let row = self.connection.query_one_raw(Statement::from_string(self.backend(), sql)).await;
        row.unwrap_or_else(|error| panic!("{sql}: {error}")).unwrap_or_else(|| panic!("no row: {sql}"))
    }

    /// To this migration, or to `zero`; gives the names of what was done.
    pub(crate) async fn to(&self, migrations: &[Migration], name: &str) -> Result<Vec<String>, MigrateError> {
        let app = "app".to_owned();
        let to = |name: &str| Target::To { app: app.clone(), name: name.to_owned() };
        let target = if name == "zero" { Target::Zero { app: app.clone() } } else { to(name) };
        let report = self.migrator(migrations).target(target).migrate().await?;
        Ok(report.done.into_iter().map(|done| done.name).collect())
    }

    pub(crate) fn migrator(&self, migrations: &[Migration]) -> Migrator {
        Migrator::new(&self.connection).app("app", Migrations::new("", "", migrations.to_vec()))
    }

    /// Applies all of these, and gives the names of those that were.
    pub(crate) async fn migrate(&self, migrations: &[Migration]) -> Result<Vec<String>, MigrateError> {
        let report = self.migrator(migrations).migrate().await?;
        Ok(report.done.into_iter().map(|done| done.name).collect())
    }
}

/// A pool of several connections. They keep no plan of a query, as tables change under them here.
pub(crate) async fn connect(url: &str) -> DatabaseConnection {
    let mut options = ConnectOptions::new(url);
    options.max_connections(4).sqlx_logging(false);
    options.map_sqlx_postgres_opts(|options| options.statement_cache_capacity(0));
    Database::connect(options).await.unwrap_or_else(|error| panic!("{url}: {error}"))
}

/// The same scenarios on every database, each with a database of its own; they are left out where there is no
/// such server.
macro_rules! on_every_database {
    ($($scenario:ident),+ $(,)?) => {
        mod on_sqlite {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $scenario() {
                    super::$scenario($crate::migrate::site::Site::sqlite().await).await;
                }
            )+
        }

        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn all_that_is_so_on_sqlite_is_so_on_postgresql() {
            let Some(server) = $crate::migrate::site::Server::postgres() else { return };
            $($scenario(server.site().await).await;)+
        }

        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn all_that_is_so_on_sqlite_is_so_on_mariadb() {
            let Some(server) = $crate::migrate::site::Server::mariadb() else { return };
            $($scenario(server.site().await).await;)+
        }
    };
}
pub(crate) use on_every_database;

/// A table with a numbered key `id`.
pub(crate) fn table() -> Table {
    Table::new().column(Column::big_integer("id").auto()).primary_key(["id"])
}
