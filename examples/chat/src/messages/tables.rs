use narrows_django::sea_orm::{
    DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, SqliteTransactionMode, TransactionOptions,
    TransactionTrait,
};
use narrows_django::{Database, DatabaseError};

pub(super) const ROOMS: &str = "chat_room";
pub(super) const MESSAGES: &str = "chat_message";
pub(super) const MARKS: &str = "chat_mark";

/// Names of groups, senders and ids of clients are ASCII and differ by case; `folded` is what a search looks at.
const SQLITE: [&str; 5] = [
    "CREATE TABLE IF NOT EXISTS chat_room (room varchar(99) NOT NULL PRIMARY KEY, title text NOT NULL, \
     epoch bigint NOT NULL, last bigint NOT NULL)",
    "CREATE TABLE IF NOT EXISTS chat_message (room varchar(99) NOT NULL, id bigint NOT NULL, \
     sender varchar(99) NOT NULL, once varchar(64) NULL, name text NOT NULL, account boolean NOT NULL, \
     body text NOT NULL, folded text NOT NULL, said_at bigint NOT NULL, PRIMARY KEY (room, id))",
    "CREATE UNIQUE INDEX IF NOT EXISTS chat_message_once ON chat_message (room, sender, once)",
    "CREATE INDEX IF NOT EXISTS chat_message_said_at ON chat_message (said_at)",
    "CREATE TABLE IF NOT EXISTS chat_mark (reader varchar(99) NOT NULL, room varchar(99) NOT NULL, \
     id bigint NOT NULL, PRIMARY KEY (reader, room))",
];

/// The same: PostgreSQL compares text by its bytes where it asks for equality.
const POSTGRES: [&str; 5] = SQLITE;

/// Its texts are without case unless they say otherwise, and its indexes stand in their table.
const MYSQL: [&str; 3] = [
    "CREATE TABLE IF NOT EXISTS chat_room (room varchar(99) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY, \
     title text CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL, epoch bigint NOT NULL, last bigint NOT NULL)",
    "CREATE TABLE IF NOT EXISTS chat_message (room varchar(99) CHARACTER SET ascii COLLATE ascii_bin NOT NULL, \
     id bigint NOT NULL, sender varchar(99) CHARACTER SET ascii COLLATE ascii_bin NOT NULL, \
     once varchar(64) CHARACTER SET ascii COLLATE ascii_bin NULL, \
     name text CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL, account boolean NOT NULL, \
     body text CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL, \
     folded mediumtext CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL, said_at bigint NOT NULL, \
     PRIMARY KEY (room, id), UNIQUE KEY chat_message_once (room, sender, once), \
     KEY chat_message_said_at (said_at))",
    "CREATE TABLE IF NOT EXISTS chat_mark (reader varchar(99) CHARACTER SET ascii COLLATE ascii_bin NOT NULL, \
     room varchar(99) CHARACTER SET ascii COLLATE ascii_bin NOT NULL, id bigint NOT NULL, PRIMARY KEY (reader, room))",
];

/// Makes the tables where they are missing.
pub(super) async fn create(database: &Database) -> Result<(), DatabaseError> {
    match database.backend() {
        DbBackend::Postgres => database.make_tables(POSTGRES).await,
        DbBackend::MySql => database.make_tables(MYSQL).await,
        _ => database.make_tables(SQLITE).await,
    }
}

/// Begins a transaction that writes: SQLite takes its one lock at once, as a reader that turns into a writer may be refused.
pub(super) async fn begin(pool: &DatabaseConnection) -> Result<DatabaseTransaction, DbErr> {
    let options = TransactionOptions {
        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        ..TransactionOptions::default()
    };
    pool.begin_with_options(options).await
}
