use crate::{Migrations, Models};

/// An app, as the commands see it.
#[derive(Debug, Clone)]
pub struct AppModels {
    /// Its name, which is what the command line calls it.
    pub name: String,
    /// Its entities.
    pub models: Models,
    /// Its migrations.
    pub migrations: Migrations,
}

impl AppModels {
    /// An app of this name.
    pub fn new(name: &str, models: Models, migrations: Migrations) -> Self {
        Self { name: name.to_owned(), models, migrations }
    }
}
