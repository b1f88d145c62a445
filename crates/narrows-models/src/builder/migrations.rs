//! Steps as methods of a migration.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use sea_orm::{DatabaseTransaction, DbErr};

use crate::builder::columns::{ColumnChange, DropColumn};
use crate::migration::{Migration, Operation, Run, RunFn, Sql, SqlText};
use crate::schema::{ForeignKey, Index, Table};

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

    /// Adds a column. One that holds no NULL and has no default needs a [`fill`](crate::schema::Column::fill) for the rows that are there.
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

    /// Changes type, length, NULL or default of the column of this name. [`Column::fill`](crate::schema::Column::fill) says what takes the place of
    /// NULLs, where it may hold none any more, and [`Column::undo_fill`](crate::schema::Column::undo_fill) the same on the way back.
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
