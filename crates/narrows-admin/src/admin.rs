use std::sync::Arc;

use axum::routing::{get, post};
use narrows_models::sea_orm::EntityTrait;
use narrows_web::{App, Error, assets};

use crate::model::Model;
use crate::shell::Staff;
use crate::shell::{self, Paths};
use crate::{Listed, form, list, log, migrations, removal};

/// What the admin shows.
#[derive(Debug)]
pub struct Admin {
    pub(crate) title: String,
    prefix: String,
    pub(crate) models: Vec<Arc<Model>>,
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
        self.models.push(Arc::new(listed.model));
        self
    }

    /// The app.
    pub fn app(self) -> App {
        let models = narrows_models::Models::new().entity(log::Entity);
        App::new("admin").models(models).migrations(migrations::all()).assets(assets!()).routes(|site| {
            let paths = Paths::below(&self.prefix);
            let paths = paths
                .route("log", "/log/", get(log::all))
                .route("list", "/models/{model}/", get(list::list))
                .route("add", "/models/{model}/add/", get(form::add).post(form::submit_add))
                .route("delete_selected", "/models/{model}/delete/", post(removal::ask_selected))
                .route("delete", "/models/{model}/{key}/delete/", get(removal::ask).post(removal::submit))
                .route("options", "/models/{model}/options/{column}/", get(form::options))
                .route("change", "/models/{model}/{key}/", get(form::change).post(form::submit_change))
                .route("history", "/models/{model}/{key}/history/", get(log::history));
            // Each part of the admin adds its routes here; the shell puts its guard around all of them.
            shell::guarded(paths, self, site)
        })
    }
}

impl Admin {
    /// The model of this table.
    pub(crate) fn find(&self, table: &str) -> Option<&Arc<Model>> {
        self.models.iter().find(|model| model.table == *table)
    }

    /// The model of this table, for somebody who may `view`, `add`, `change` or `delete` its rows: who may change them may
    /// see them too.
    pub(crate) fn allowed(&self, staff: &Staff, table: &str, action: &str) -> Result<&Arc<Model>, Error> {
        let model = self.find(table).ok_or_else(Error::not_found)?;
        let may = |action: &str| staff.may(&model.permission(action));
        if may(action) || (action == "view" && may("change")) { Ok(model) } else { Err(Error::forbidden()) }
    }

    /// The model that a field points at, and the field there.
    pub(crate) fn target(&self, model: &Model, field: usize) -> Option<(&Arc<Model>, usize)> {
        let link = model.link_of(field)?;
        let target = self.find(&link.to_table)?;
        Some((target, target.field(link.to_columns.first()?)?))
    }
}

impl Default for Admin {
    fn default() -> Self {
        Self::new()
    }
}
