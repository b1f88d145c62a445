use std::fmt;

use sea_orm::EntityTrait;

use crate::read::{self, Found, ModelError, names};
use crate::schema::{Schema, Table};

/// The entities of an app, whose tables its migrations make: what `makemigrations` compares them with.
///
/// ```
/// use narrows_models::Models;
///
/// mod person {
///     use sea_orm::entity::prelude::*;
///
///     #[sea_orm::model]
///     #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
///     #[sea_orm(table_name = "chat_person")]
///     pub struct Model {
///         #[sea_orm(primary_key)]
///         pub id: i64,
///         #[sea_orm(unique)]
///         pub name: String,
///     }
///
///     impl ActiveModelBehavior for ActiveModel {}
/// }
///
/// let schema = Models::new().entity(person::Entity).read()?;
/// assert_eq!(schema.tables["chat_person"].columns[1].name, "name");
/// # Ok::<(), narrows_models::ModelError>(())
/// ```
#[derive(Clone, Default)]
pub struct Models {
    all: Vec<Model>,
}

#[derive(Clone)]
enum Model {
    Entity(fn() -> Result<Found, ModelError>),
    Table(String, Table),
}

impl Models {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an entity.
    #[must_use]
    pub fn entity<E: EntityTrait>(mut self, _: E) -> Self {
        self.all.push(Model::Entity(read::entity::<E>));
        self
    }

    /// Adds a table that no entity has, such as one that only SQL uses.
    ///
    /// ```
    /// use narrows_models::Models;
    /// use narrows_models::migration::{Column, Table};
    ///
    /// let words = Table::new().column(Column::varchar("word", 40)).primary_key(["word"]);
    /// assert!(Models::new().table("chat_word", words).read()?.tables.contains_key("chat_word"));
    /// # Ok::<(), narrows_models::ModelError>(())
    /// ```
    #[must_use]
    pub fn table(mut self, name: &str, table: Table) -> Self {
        self.all.push(Model::Table(name.to_owned(), table));
        self
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// The tables that these entities need, the same on every database.
    ///
    /// # Errors
    /// When an entity has what no table of all databases can have, such as a type that only one of them knows; the text says
    /// what to use instead.
    pub fn read(&self) -> Result<Schema, ModelError> {
        Ok(self.reading()?.schema)
    }

    /// The tables, and what else the entities say.
    pub(crate) fn reading(&self) -> Result<Reading, ModelError> {
        let mut reading = Reading::default();
        for model in &self.all {
            let found = match model {
                Model::Entity(read) => read()?,
                Model::Table(name, table) => Found::table(name, table)?,
            };
            if reading.schema.tables.contains_key(&found.name) {
                return Err(ModelError::Twice { entity: found.entity, table: found.name });
            }
            reading
                .renamed
                .extend(found.renamed.into_iter().map(|(from, to)| (found.name.clone(), from, to)));
            reading
                .notes
                .extend(found.notes.into_iter().map(|(column, text)| (found.name.clone(), column, text)));
            reading.schema.tables.insert(found.name, found.table);
        }
        names::check_case("Models", reading.schema.tables.keys().map(String::as_str))?;
        Ok(reading)
    }
}

impl fmt::Debug for Models {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Models").field("all", &self.all.len()).finish()
    }
}

/// What the entities of an app say.
#[derive(Debug, Default)]
pub(crate) struct Reading {
    pub(crate) schema: Schema,
    /// Columns that had another name: table, the name before, the name now.
    pub(crate) renamed: Vec<(String, String, String)>,
    /// What a migration cannot say of a column, and what to do: table, column, text.
    pub(crate) notes: Vec<(String, String, String)>,
}
