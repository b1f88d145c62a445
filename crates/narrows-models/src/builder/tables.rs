//! Tables, indexes and foreign keys.

use crate::schema::{Action, Column, ForeignKey, Index, Table};

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
