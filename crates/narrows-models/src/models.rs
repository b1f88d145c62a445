use sea_orm::EntityTrait;

/// The entities of an app.
#[derive(Debug, Clone, Default)]
pub struct Models {
    pub(crate) names: Vec<String>,
}

impl Models {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an entity.
    #[must_use]
    pub fn entity<E: EntityTrait>(mut self, entity: E) -> Self {
        self.names.push(entity.table_name().to_owned());
        self
    }
}
