use narrows_models::sea_orm::EntityTrait;
use narrows_web::{App, Routes, assets};

/// What the admin shows.
#[derive(Debug, Default)]
pub struct Admin {
    tables: Vec<String>,
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
        Self::default()
    }

    /// Adds a model.
    #[must_use]
    pub fn model<E: EntityTrait>(mut self, listed: Listed<E>) -> Self {
        self.tables.push(listed.entity.table_name().to_owned());
        self
    }

    /// The app, at `/admin/`.
    pub fn app(self) -> App {
        App::new("admin").at("/admin").assets(assets!()).routes(|_| Routes::new())
    }
}
