//! A database of each kind, and short ways to write tables and migrations.

use narrows_models::migration::{Migration, Migrations, Operation};
use narrows_models::schema::{Column, ForeignKey, Index, Kind, Literal, Table};
use narrows_models::sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbBackend, Statement,
};
use narrows_models::{MigrateError, Migrator};
use rig::{MariaDb, Postgres};
use tempfile::TempDir;

/// A database of a test's own.
pub(crate) struct Site {
    pub(crate) url: String,
    pub(crate) connection: DatabaseConnection,
    _server: Server,
}

#[expect(dead_code, reason = "it lives as long as the site")]
enum Server {
    File(TempDir),
    Postgres(Postgres),
    MariaDb(MariaDb),
}

impl Site {
    pub(crate) async fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}?mode=rwc", folder.path().join("db.sqlite3").display());
        Self { connection: connect(&url).await, url, _server: Server::File(folder) }
    }

    pub(crate) async fn postgres() -> Option<Self> {
        let server = Postgres::start()?;
        let url = server.fresh_database();
        Some(Self { connection: connect(&url).await, url, _server: Server::Postgres(server) })
    }

    pub(crate) async fn mariadb() -> Option<Self> {
        let server = MariaDb::start()?;
        let url = server.fresh_database();
        Some(Self { connection: connect(&url).await, url, _server: Server::MariaDb(server) })
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

    pub(crate) async fn try_execute(&self, sql: &str) -> Result<(), narrows_models::sea_orm::DbErr> {
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

    pub(crate) fn migrator(&self, migrations: &[Migration]) -> Migrator {
        Migrator::new(&self.connection).app("app", Migrations::new("", "", migrations.to_vec()))
    }

    /// Applies all of these, and gives the names of those that were.
    pub(crate) async fn migrate(&self, migrations: &[Migration]) -> Result<Vec<String>, MigrateError> {
        let report = self.migrator(migrations).migrate().await?;
        Ok(report.done.into_iter().map(|done| done.name).collect())
    }
}

/// A pool of several connections.
pub(crate) async fn connect(url: &str) -> DatabaseConnection {
    let mut options = ConnectOptions::new(url);
    options.max_connections(4).sqlx_logging(false);
    Database::connect(options).await.unwrap_or_else(|error| panic!("{url}: {error}"))
}

/// The same test on every database; one whose program is missing is left out.
macro_rules! on_every_database {
    ($(#[$meta:meta])* $scenario:ident) => {
        mod $scenario {
            use super::$scenario as scenario;
            use crate::migrate::site::Site;

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_sqlite() {
                scenario(Site::sqlite().await).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_postgresql() {
                let Some(site) = Site::postgres().await else { return };
                scenario(site).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_mariadb() {
                let Some(site) = Site::mariadb().await else { return };
                scenario(site).await;
            }
        }
    };
}
pub(crate) use on_every_database;

pub(crate) fn migration(name: &str, operations: impl IntoIterator<Item = Operation>) -> Migration {
    operations.into_iter().fold(Migration::new(name), Migration::operation)
}

pub(crate) fn column(name: &str, kind: Kind) -> Column {
    Column { name: name.to_owned(), kind, null: false, default: None, auto: false }
}

pub(crate) fn null(column: Column) -> Column {
    Column { null: true, ..column }
}

pub(crate) fn with_default(column: Column, default: Literal) -> Column {
    Column { default: Some(default), ..column }
}

pub(crate) fn text(text: &str) -> Literal {
    Literal::Text(text.to_owned())
}

/// A table with a numbered key `id`.
pub(crate) fn table(columns: impl IntoIterator<Item = Column>) -> Table {
    let id = Column { auto: true, ..column("id", Kind::BigInteger) };
    let columns = std::iter::once(id).chain(columns).collect();
    Table { columns, primary_key: vec!["id".to_owned()], ..Table::default() }
}

pub(crate) fn index(name: &str, columns: &[&str]) -> Index {
    Index { name: name.to_owned(), columns: owned(columns), unique: false }
}

pub(crate) fn unique(name: &str, columns: &[&str]) -> Index {
    Index { unique: true, ..index(name, columns) }
}

pub(crate) fn foreign_key(name: &str, columns: &[&str], to_table: &str, to_columns: &[&str]) -> ForeignKey {
    ForeignKey {
        name: name.to_owned(),
        columns: owned(columns),
        to_table: to_table.to_owned(),
        to_columns: owned(to_columns),
        on_delete: Default::default(),
        on_update: Default::default(),
    }
}

pub(crate) fn create(name: &str, table: Table) -> Operation {
    Operation::CreateTable { name: name.to_owned(), table }
}

pub(crate) fn add_column(table: &str, column: Column) -> Operation {
    Operation::AddColumn { table: table.to_owned(), column, fill: None }
}

pub(crate) fn alter(table: &str, column: Column) -> Operation {
    Operation::AlterColumn { table: table.to_owned(), column, fill: None, undo_fill: None }
}

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}
