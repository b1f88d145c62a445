use narrows_models::sea_orm::EntityTrait;
use narrows_web::{App, assets};

use crate::shell::{self, Paths};

/// What the admin shows.
#[derive(Debug)]
pub struct Admin {
    pub(crate) title: String,
    prefix: String,
    pub(crate) models: Vec<String>,
}

/// How the rows of one model are listed and edited.
#[derive(Debug)]
pub struct Listed<E: EntityTrait> {
    entity: E,
}

impl<E: EntityTrait> Listed<E> {
    /// As its columns say.
    pub fn new(entity: E) -> Self {
        Self { entity }
    }
}

impl Admin {
    /// Users, sessions and live connections alone.
    pub fn new() -> Self {
        Self { title: "Admin".to_owned(), prefix: "/admin".to_owned(), models: Vec::new() }
    }

    /// What stands at the top of each page. Default `Admin`.
    #[must_use]
    pub fn title(mut self, title: &str) -> Self {
        title.clone_into(&mut self.title);
        self
    }

    /// Where it is. Default `/admin`.
    #[must_use]
    pub fn at(mut self, prefix: &str) -> Self {
        prefix.trim_end_matches('/').clone_into(&mut self.prefix);
        self
    }

    /// Adds a model.
    #[must_use]
    pub fn model<E: EntityTrait>(mut self, listed: Listed<E>) -> Self {
        self.models.push(listed.entity.table_name().to_owned());
        self
    }

    /// The app.
    pub fn app(self) -> App {
        App::new("admin").assets(assets!()).routes(|site| {
            let paths = Paths::below(&self.prefix);
            // Each part of the admin adds its routes here; the shell puts its guard around all of them.
            shell::guarded(paths, self, site)
        })
    }
}

impl Default for Admin {
    fn default() -> Self {
        Self::new()
    }
}
