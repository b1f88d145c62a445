use std::fmt;

use sea_orm::{EntityTrait, IdenStatic};

use crate::read::{self, Found, ModelError, names};
use crate::schema::{Index, Schema, Table};

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
    /// An index of the table of this name.
    Index(String, Vec<String>),
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

    /// Adds an index over several columns of an entity, in this order; `indexed` in the entity is one over its column alone,
    /// and `unique_key` a unique one.
    ///
    /// ```
    /// # mod message {
    /// #     use sea_orm::entity::prelude::*;
    /// #     #[sea_orm::model]
    /// #     #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    /// #     #[sea_orm(table_name = "chat_message")]
    /// #     pub struct Model {
    /// #         #[sea_orm(primary_key)]
    /// #         pub id: i64,
    /// #         pub room: String,
    /// #         pub sent_at: DateTimeUtc,
    /// #     }
    /// #     impl ActiveModelBehavior for ActiveModel {}
    /// # }
    /// use narrows_models::Models;
    ///
    /// let models = Models::new()
    ///     .entity(message::Entity)
    ///     .index(message::Entity, [message::Column::Room, message::Column::SentAt]);
    /// assert_eq!(models.read()?.tables["chat_message"].indexes[0].name, "idx-chat_message-room-sent_at");
    /// # Ok::<(), narrows_models::ModelError>(())
    /// ```
    #[must_use]
    pub fn index<E: EntityTrait, const N: usize>(mut self, entity: E, columns: [E::Column; N]) -> Self {
        let columns = columns.map(|column| column.as_str().to_owned()).to_vec();
        self.all.push(Model::Index(entity.table_name().to_owned(), columns));
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
                Model::Index(..) => continue,
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
        self.add_indexes(&mut reading.schema)?;
        names::check_case("Models", reading.schema.tables.keys().map(String::as_str))?;
        Ok(reading)
    }

    /// The indexes beside the entities, whichever came first.
    fn add_indexes(&self, schema: &mut Schema) -> Result<(), ModelError> {
        for model in &self.all {
            let Model::Index(name, columns) = model else { continue };
            let Some(table) = schema.tables.get_mut(name) else {
                return Err(ModelError::IndexOf { table: name.clone() });
            };
            let is_there = |index: &Index| index.columns == *columns && !index.unique;
            if !columns.is_empty() && !table.indexes.iter().any(is_there) {
                let name = names::index(name, columns, false);
                table.indexes.push(Index { name, columns: columns.clone(), unique: false });
            }
        }
        Ok(())
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
