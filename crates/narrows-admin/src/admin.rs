use std::sync::Arc;

use axum::routing::{get, post};
use narrows_models::sea_orm::EntityTrait;
use narrows_web::{App, Error, Site, assets};

use crate::model::Model;
use crate::shell::Staff;
use crate::shell::{self, Paths};
use crate::{Listed, access, form, list, live, log, migrations, removal, sessions, users};

/// What the admin shows.
#[derive(Debug)]
pub struct Admin {
    pub(crate) title: String,
    prefix: String,
    pub(crate) models: Vec<Arc<Model>>,
    /// Tables of the project's that have no pages here.
    pub(crate) hidden: Vec<Arc<Model>>,
    /// How announcements are sent.
    pub(crate) announce: Option<live::Announce>,
}

impl Admin {
    /// Users, sessions and live connections alone.
    pub fn new() -> Self {
        Self {
            title: "Admin".to_owned(),
            prefix: "/admin".to_owned(),
            models: Vec::new(),
            hidden: Vec::new(),
            announce: None,
        }
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
            let users = format!("/models/{}", site.accounts().user_model().table);
            let paths = paths
                .route("log", "/log/", get(log::all))
                .route("list", "/models/{model}/", get(list::list))
                .route("add", "/models/{model}/add/", get(form::add).post(form::submit_add))
                .route("delete_selected", "/models/{model}/delete/", post(removal::ask_selected))
                .route("delete", "/models/{model}/{key}/delete/", get(removal::ask).post(removal::submit))
                .route("user_add", &format!("{users}/add/"), get(users::add).post(users::submit_add))
                .route(
                    "user_password",
                    &format!("{users}/{{key}}/password/"),
                    get(users::password).post(users::submit_password),
                )
                .route("access", "/models/{model}/{key}/access/", get(access::page).post(access::submit))
                .route("options", "/models/{model}/options/{column}/", get(form::options))
                .route("change", "/models/{model}/{key}/", get(form::change).post(form::submit_change))
                .route("history", "/models/{model}/{key}/history/", get(log::history));
            let paths = live::routes(paths, &self, site);
            let paths = sessions::routes(paths);
            // Each part of the admin adds its routes here; the shell puts its guard around all of them.
            shell::guarded(paths, self.learnt(site), site)
        })
    }
}

impl Admin {
    /// The model of this table.
    pub(crate) fn find(&self, table: &str) -> Option<&Arc<Model>> {
        self.models.iter().find(|model| model.table == *table)
    }

    /// The model of this table, for somebody who may `view`, `add`, `change` or `delete` its rows.
    pub(crate) fn allowed(&self, staff: &Staff, table: &str, action: &str) -> Result<&Arc<Model>, Error> {
        let model = self.find(table).ok_or_else(Error::not_found)?;
        if staff.may_do(model, action) { Ok(model) } else { Err(Error::forbidden()) }
    }

    /// All tables that are known of.
    pub(crate) fn tables(&self) -> impl Iterator<Item = &Arc<Model>> {
        self.models.iter().chain(&self.hidden)
    }

    /// Whether a model has pages.
    pub(crate) fn is_shown(&self, model: &Model) -> bool {
        self.find(&model.table).is_some()
    }

    /// With what the project's apps say of their tables.
    fn learnt(mut self, site: &Site) -> Self {
        for (app, models) in site.models() {
            // What is wrong with a model `makemigrations` says.
            let Ok(schema) = models.read() else { continue };
            for (table, schema) in &schema.tables {
                match self.models.iter_mut().find(|model| model.table == *table) {
                    Some(model) => Arc::get_mut(model).expect("nobody else has it yet").learn(app, schema),
                    None => self.hidden.push(Arc::new(Model::hidden(app, table, schema))),
                }
            }
        }
        let users = site.accounts().user_model();
        for model in [Model::users(users), Model::groups()] {
            // The project's own way of showing them has neither passwords nor permissions.
            self.models.retain(|known| known.table != model.table);
            self.models.push(Arc::new(model));
        }
        for model in Model::memberships(&users.table, &users.key, &access::Tables::of(users)) {
            if self.tables().all(|known| known.table != model.table) {
                self.hidden.push(Arc::new(model));
            }
        }
        for model in &mut self.models {
            Arc::get_mut(model).expect("nobody else has it yet").seal();
        }
        self.hidden.retain(|hidden| !self.models.iter().any(|model| model.table == hidden.table));
        self
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
