//! The short forms that written migrations use.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use sea_orm::{DatabaseTransaction, DbErr};

use crate::migration::{Migration, Operation, Run, RunFn, Sql, SqlText};
use crate::schema::{Action, Column, ForeignKey, Index, Kind, Literal, Table};

/// Each step as a method, in the order in which they are taken.
///
/// ```
/// use narrows_models::migration::{Column, Index, Migration, Table};
///
/// let first = Migration::new("0001_initial").create_table(
///     "chat_person",
///     Table::new()
///         .column(Column::big_integer("id").auto())
///         .column(Column::varchar("name", 100))
///         .primary_key(["id"])
///         .index(Index::unique("uniq-chat_person-name", ["name"])),
/// );
/// let second = Migration::new("0002_person_age").add_column("chat_person", Column::integer("age").default(18));
/// assert_eq!((first.name(), second.name()), ("0001_initial", "0002_person_age"));
/// ```
impl Migration {
    /// Makes a table.
    #[must_use]
    pub fn create_table(self, name: &str, table: Table) -> Self {
        self.operation(Operation::CreateTable { name: name.to_owned(), table })
    }

    /// Drops a table and all its rows.
    #[must_use]
    pub fn drop_table(self, name: &str) -> Self {
        self.operation(Operation::DropTable { name: name.to_owned() })
    }

    /// Gives a table another name.
    #[must_use]
    pub fn rename_table(self, from: &str, to: &str) -> Self {
        self.operation(Operation::RenameTable { from: from.to_owned(), to: to.to_owned() })
    }

    /// Adds a column. One that holds no NULL and has no default needs a [`fill`](Column::fill) for the rows that are there.
    ///
    /// ```
    /// # use narrows_models::migration::{Column, Migration};
    /// Migration::new("0002_age")
    ///     .add_column("person", Column::integer("age").null())
    ///     .add_column("person", Column::varchar("town", 80).fill("Rome"));
    /// ```
    #[must_use]
    pub fn add_column(self, table: &str, column: impl Into<ColumnChange>) -> Self {
        let ColumnChange { column, fill, .. } = column.into();
        self.operation(Operation::AddColumn { table: table.to_owned(), column, fill })
    }

    /// Drops a column and all its values: a name, or a [`DropColumn`] that says what the rows get on the way back.
    ///
    /// ```
    /// # use narrows_models::migration::{DropColumn, Migration};
    /// Migration::new("0003_no_age").drop_column("person", DropColumn::new("age").fill(0)).drop_column("person", "note");
    /// ```
    #[must_use]
    pub fn drop_column(self, table: &str, column: impl Into<DropColumn>) -> Self {
        let DropColumn { name, fill } = column.into();
        self.operation(Operation::DropColumn { table: table.to_owned(), name, fill })
    }

    /// Gives a column another name.
    #[must_use]
    pub fn rename_column(self, table: &str, from: &str, to: &str) -> Self {
        self.operation(Operation::RenameColumn {
            table: table.to_owned(),
            from: from.to_owned(),
            to: to.to_owned(),
        })
    }

    /// Changes type, length, NULL or default of the column of this name. [`Column::fill`] says what takes the place of
    /// NULLs, where it may hold none any more, and [`Column::undo_fill`] the same on the way back.
    ///
    /// ```
    /// # use narrows_models::migration::{Column, Migration};
    /// Migration::new("0004_age").alter_column("person", Column::big_integer("age").fill(0));
    /// ```
    #[must_use]
    pub fn alter_column(self, table: &str, column: impl Into<ColumnChange>) -> Self {
        let ColumnChange { column, fill, undo_fill } = column.into();
        self.operation(Operation::AlterColumn { table: table.to_owned(), column, fill, undo_fill })
    }

    /// Adds an index or a unique constraint.
    #[must_use]
    pub fn add_index(self, table: &str, index: Index) -> Self {
        self.operation(Operation::AddIndex { table: table.to_owned(), index })
    }

    /// Drops an index or a unique constraint.
    #[must_use]
    pub fn drop_index(self, table: &str, name: &str) -> Self {
        self.operation(Operation::DropIndex { table: table.to_owned(), name: name.to_owned() })
    }

    /// Adds a foreign key.
    #[must_use]
    pub fn add_foreign_key(self, table: &str, key: ForeignKey) -> Self {
        self.operation(Operation::AddForeignKey { table: table.to_owned(), key })
    }

    /// Drops a foreign key.
    #[must_use]
    pub fn drop_foreign_key(self, table: &str, name: &str) -> Self {
        self.operation(Operation::DropForeignKey { table: table.to_owned(), name: name.to_owned() })
    }

    /// Runs SQL: a text, which has no way back, or a [`Sql`].
    ///
    /// ```
    /// # use narrows_models::migration::{Migration, Sql};
    /// Migration::new("0005_names")
    ///     .sql("UPDATE person SET town = 'Rome' WHERE town = ''")
    ///     .sql(Sql::new("UPDATE person SET age = age + 1").backwards("UPDATE person SET age = age - 1"));
    /// ```
    #[must_use]
    pub fn sql(self, sql: impl Into<Sql>) -> Self {
        self.operation(Operation::Sql(sql.into()))
    }

    /// Runs code that changes rows, forwards and backwards, in the transaction of the migration.
    ///
    /// It should use SQL or queries by name: an entity has the columns of today's program, not those of this step.
    ///
    /// ```
    /// use narrows_models::migration::Migration;
    /// use narrows_models::sea_orm::{ConnectionTrait, DatabaseTransaction};
    ///
    /// Migration::new("0006_lower").run(
    ///     async |db: &DatabaseTransaction| {
    ///         db.execute_unprepared("UPDATE person SET name = lower(name)").await?;
    ///         Ok(())
    ///     },
    ///     async |_: &DatabaseTransaction| Ok(()),
    /// );
    /// ```
    #[must_use]
    pub fn run(self, forwards: impl MigrationFn, backwards: impl MigrationFn) -> Self {
        self.operation(Operation::Run(Run {
            forwards: Some(boxed(forwards)),
            backwards: Some(boxed(backwards)),
        }))
    }

    /// Runs code that changes rows and has no way back.
    ///
    /// ```
    /// use narrows_models::migration::Migration;
    /// use narrows_models::sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr};
    ///
    /// async fn forget(db: &DatabaseTransaction) -> Result<(), DbErr> {
    ///     db.execute_unprepared("UPDATE person SET note = NULL").await?;
    ///     Ok(())
    /// }
    /// Migration::new("0007_forget").run_forwards(forget);
    /// ```
    #[must_use]
    pub fn run_forwards(self, forwards: impl MigrationFn) -> Self {
        self.operation(Operation::Run(Run { forwards: Some(boxed(forwards)), backwards: None }))
    }
}

/// An async function or closure of a transaction, whose future can be sent between threads.
pub trait MigrationFn: for<'a> Called<'a> + Send + Sync + 'static {}

impl<F> MigrationFn for F where F: for<'a> Called<'a> + Send + Sync + 'static {}

/// A call of a [`MigrationFn`] with one transaction.
// By a lifetime of its own, as the future borrows the transaction.
pub trait Called<'a>: Fn(&'a DatabaseTransaction) -> Self::Answer {
    /// What it gives.
    type Answer: Future<Output = Result<(), DbErr>> + Send + 'a;
}

impl<'a, F, A> Called<'a> for F
where
    F: Fn(&'a DatabaseTransaction) -> A,
    A: Future<Output = Result<(), DbErr>> + Send + 'a,
{
    type Answer = A;
}

fn boxed(function: impl MigrationFn) -> RunFn {
    type Boxed<'a> = Pin<Box<dyn Future<Output = Result<(), DbErr>> + Send + 'a>>;
    Arc::new(move |db: &DatabaseTransaction| -> Boxed<'_> { Box::pin(function(db)) })
}

impl Sql {
    /// The same text for all databases, forwards; without a way back.
    pub fn new(forwards: &str) -> Self {
        Self { forwards: Some(SqlText::Any(forwards.to_owned())), backwards: None }
    }

    /// A text for each database, forwards; MariaDB takes that of MySQL.
    pub fn each(sqlite: &str, postgres: &str, mysql: &str) -> Self {
        Self { forwards: Some(each(sqlite, postgres, mysql)), backwards: None }
    }

    /// The way back.
    #[must_use]
    pub fn backwards(mut self, backwards: &str) -> Self {
        self.backwards = Some(SqlText::Any(backwards.to_owned()));
        self
    }

    /// The way back, for each database its own.
    #[must_use]
    pub fn backwards_each(mut self, sqlite: &str, postgres: &str, mysql: &str) -> Self {
        self.backwards = Some(each(sqlite, postgres, mysql));
        self
    }
}

impl From<&str> for Sql {
    fn from(forwards: &str) -> Self {
        Self::new(forwards)
    }
}

fn each(sqlite: &str, postgres: &str, mysql: &str) -> SqlText {
    SqlText::Each { sqlite: sqlite.to_owned(), postgres: postgres.to_owned(), mysql: mysql.to_owned() }
}

impl Table {
    /// A table without a column.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a column.
    #[must_use]
    pub fn column(mut self, column: Column) -> Self {
        self.columns.push(column);
        self
    }

    /// The columns of its primary key.
    #[must_use]
    pub fn primary_key<const N: usize>(mut self, columns: [&str; N]) -> Self {
        self.primary_key = columns.map(str::to_owned).to_vec();
        self
    }

    /// Adds an index or a unique constraint.
    #[must_use]
    pub fn index(mut self, index: Index) -> Self {
        self.indexes.push(index);
        self
    }

    /// Adds a foreign key.
    #[must_use]
    pub fn foreign_key(mut self, key: ForeignKey) -> Self {
        self.foreign_keys.push(key);
        self
    }
}

/// A column of each kind. It holds no NULL, unless it is told to.
impl Column {
    /// A column of this name and kind.
    pub fn new(name: &str, kind: Kind) -> Self {
        Self { name: name.to_owned(), kind, null: false, default: None, auto: false }
    }

    /// True or false.
    pub fn boolean(name: &str) -> Self {
        Self::new(name, Kind::Boolean)
    }

    /// Whole numbers of 16 bits.
    pub fn small_integer(name: &str) -> Self {
        Self::new(name, Kind::SmallInteger)
    }

    /// Whole numbers of 32 bits.
    pub fn integer(name: &str) -> Self {
        Self::new(name, Kind::Integer)
    }

    /// Whole numbers of 64 bits.
    pub fn big_integer(name: &str) -> Self {
        Self::new(name, Kind::BigInteger)
    }

    /// Numbers of 32 bits with a point.
    pub fn float(name: &str) -> Self {
        Self::new(name, Kind::Float)
    }

    /// Numbers of 64 bits with a point.
    pub fn double(name: &str) -> Self {
        Self::new(name, Kind::Double)
    }

    /// Exact numbers, with so many digits in all and after the point.
    pub fn decimal(name: &str, digits: u32, after_point: u32) -> Self {
        Self::new(name, Kind::Decimal(digits, after_point))
    }

    /// Text of at most so many characters.
    pub fn varchar(name: &str, length: u32) -> Self {
        Self::new(name, Kind::Varchar(length))
    }

    /// Text of any length.
    pub fn text(name: &str) -> Self {
        Self::new(name, Kind::Text)
    }

    /// Bytes of any length.
    pub fn bytes(name: &str) -> Self {
        Self::new(name, Kind::Bytes)
    }

    /// A day.
    pub fn date(name: &str) -> Self {
        Self::new(name, Kind::Date)
    }

    /// A time of day, to the microsecond.
    pub fn time(name: &str) -> Self {
        Self::new(name, Kind::Time)
    }

    /// A point in time, to the microsecond.
    pub fn date_time(name: &str) -> Self {
        Self::new(name, Kind::DateTime)
    }

    /// A date and a time of day without a zone, to the microsecond.
    pub fn local_date_time(name: &str) -> Self {
        Self::new(name, Kind::LocalDateTime)
    }

    /// A UUID.
    pub fn uuid(name: &str) -> Self {
        Self::new(name, Kind::Uuid)
    }

    /// JSON.
    pub fn json(name: &str) -> Self {
        Self::new(name, Kind::Json)
    }

    /// It may hold nothing.
    #[must_use]
    pub fn null(mut self) -> Self {
        self.null = true;
        self
    }

    /// What a row has that says nothing of it.
    #[must_use]
    pub fn default(mut self, value: impl Into<Literal>) -> Self {
        self.default = Some(value.into());
        self
    }

    /// A row that says nothing of it has the time at which it is written.
    #[must_use]
    pub fn default_now(self) -> Self {
        self.default(Literal::Now)
    }

    /// The database numbers its rows.
    #[must_use]
    pub fn auto(mut self) -> Self {
        self.auto = true;
        self
    }

    /// What the rows that are there get, once: all of them in a new column, those with NULL in a changed one.
    pub fn fill(self, value: impl Into<Literal>) -> ColumnChange {
        ColumnChange::from(self).fill(value)
    }

    /// What rows with NULL get when a change of the column is taken back.
    pub fn undo_fill(self, value: impl Into<Literal>) -> ColumnChange {
        ColumnChange::from(self).undo_fill(value)
    }
}

/// A column that is added or changed, and what becomes of the rows that are there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnChange {
    column: Column,
    fill: Option<Literal>,
    undo_fill: Option<Literal>,
}

impl ColumnChange {
    /// What the rows that are there get, once.
    #[must_use]
    pub fn fill(mut self, value: impl Into<Literal>) -> Self {
        self.fill = Some(value.into());
        self
    }

    /// What rows with NULL get when a change of the column is taken back.
    #[must_use]
    pub fn undo_fill(mut self, value: impl Into<Literal>) -> Self {
        self.undo_fill = Some(value.into());
        self
    }
}

impl From<Column> for ColumnChange {
    fn from(column: Column) -> Self {
        Self { column, fill: None, undo_fill: None }
    }
}

/// A column that is dropped, and what the rows get in it when that is taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DropColumn {
    name: String,
    fill: Option<Literal>,
}

impl DropColumn {
    /// The column of this name.
    pub fn new(name: &str) -> Self {
        Self { name: name.to_owned(), fill: None }
    }

    /// What the rows get when this is taken back.
    #[must_use]
    pub fn fill(mut self, value: impl Into<Literal>) -> Self {
        self.fill = Some(value.into());
        self
    }
}

impl From<&str> for DropColumn {
    fn from(name: &str) -> Self {
        Self::new(name)
    }
}

impl Index {
    /// An index of this name, which must be the only one of it in the database, over these columns.
    pub fn new<const N: usize>(name: &str, columns: [&str; N]) -> Self {
        Self { name: name.to_owned(), columns: columns.map(str::to_owned).to_vec(), unique: false }
    }

    /// No two rows may have the same in these columns.
    pub fn unique<const N: usize>(name: &str, columns: [&str; N]) -> Self {
        Self { unique: true, ..Self::new(name, columns) }
    }
}

/// A foreign key, by its name, its columns, and what they point at.
///
/// ```
/// use narrows_models::migration::{Action, ForeignKey};
///
/// let key = ForeignKey::new("fk-message-room_id", ["room_id"], "room", ["id"]).on_delete(Action::Cascade);
/// assert_eq!(key.to_table, "room");
/// ```
impl ForeignKey {
    /// These columns point at those of a table; a change there that would leave them pointing at nothing is refused.
    pub fn new<const N: usize>(
        name: &str,
        columns: [&str; N],
        to_table: &str,
        to_columns: [&str; N],
    ) -> Self {
        Self {
            name: name.to_owned(),
            columns: columns.map(str::to_owned).to_vec(),
            to_table: to_table.to_owned(),
            to_columns: to_columns.map(str::to_owned).to_vec(),
            on_delete: Action::default(),
            on_update: Action::default(),
        }
    }

    /// What a deletion there does here.
    #[must_use]
    pub fn on_delete(mut self, action: Action) -> Self {
        self.on_delete = action;
        self
    }

    /// What a changed key there does here.
    #[must_use]
    pub fn on_update(mut self, action: Action) -> Self {
        self.on_update = action;
        self
    }
}

impl Literal {
    /// A number as it is written, such as `12.50`.
    pub fn number(text: &str) -> Self {
        Self::Number(text.to_owned())
    }
}

impl From<bool> for Literal {
    fn from(value: bool) -> Self {
        Self::Boolean(value)
    }
}

impl From<i32> for Literal {
    fn from(value: i32) -> Self {
        Self::Integer(value.into())
    }
}

impl From<i64> for Literal {
    fn from(value: i64) -> Self {
        Self::Integer(value)
    }
}

impl From<&str> for Literal {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl From<String> for Literal {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Boolean => "boolean",
            Self::SmallInteger => "small integer",
            Self::Integer => "integer",
            Self::BigInteger => "big integer",
            Self::Float => "float",
            Self::Double => "double",
            Self::Decimal(digits, after) => return write!(f, "decimal({digits}, {after})"),
            Self::Varchar(length) => return write!(f, "varchar({length})"),
            Self::Text => "text",
            Self::Bytes => "bytes",
            Self::Date => "date",
            Self::Time => "time",
            Self::DateTime => "date and time",
            Self::LocalDateTime => "local date and time",
            Self::Uuid => "UUID",
            Self::Json => "JSON",
        })
    }
}
