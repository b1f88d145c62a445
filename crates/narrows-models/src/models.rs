use std::fmt;

use sea_orm::EntityTrait;

use crate::read::{self, Found, ModelError};
use crate::schema::Schema;

/// The entities of an app, whose tables its migrations make.
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
    entities: Vec<fn() -> Result<Found, ModelError>>,
}

impl Models {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an entity.
    #[must_use]
    pub fn entity<E: EntityTrait>(mut self, _: E) -> Self {
        self.entities.push(read::entity::<E>);
        self
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.entities.is_empty()
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
        for entity in &self.entities {
            let found = entity()?;
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
        Ok(reading)
    }
}

impl fmt::Debug for Models {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Models").field("entities", &self.entities.len()).finish()
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
