use std::ops::Deref;

use axum::extract::FromRequestParts;
use http::StatusCode;
use http::request::Parts;
use narrows_web::minijinja::Value;
use narrows_web::minijinja::value::Serde;
use narrows_web::{Error, Page, Result, Site, context};

use super::{Shared, Staff, nav};

/// A page of the admin: a [`Page`] with the navigation and what its reader may.
#[derive(Debug, Clone)]
pub(crate) struct AdminPage {
    page: Page,
    shared: Shared,
    staff: Staff,
}

impl AdminPage {
    /// Who reads it.
    pub(crate) fn staff(&self) -> &Staff {
        &self.staff
    }

    /// What the admin was told.
    pub(crate) fn admin(&self) -> &crate::Admin {
        &self.shared.0
    }

    /// What the admin was told, to take along.
    pub(crate) fn shared_admin(&self) -> std::sync::Arc<crate::Admin> {
        self.shared.0.clone()
    }

    /// The address of a model's list, below which its rows are.
    pub(crate) fn url_of(&self, model: &crate::model::Model) -> Result<String> {
        Ok(self.site().url_for("admin:list", &[("model", model.table.as_str())])?)
    }

    /// Where the page stands: titles, and addresses of all but the last.
    pub(crate) fn crumbs(&self, crumbs: &[(&str, Option<&str>)]) -> Value {
        crumbs.iter().map(|&(title, url)| context! { title, url }).collect()
    }

    /// Answers with this status instead of 200.
    #[must_use]
    pub(crate) fn status(mut self, status: StatusCode) -> Self {
        self.page = self.page.status(status);
        self
    }

    /// Renders a template that extends `admin/base.html`, with what it names.
    ///
    /// # Errors
    /// When there is no such template, or it is wrong.
    pub(crate) fn render(&self, template: &str, more: Value) -> Result {
        let path = self.page.uri().path();
        let admin = context! {
            title => self.admin().title.clone(),
            nav => Value::from(Serde(nav::sections(self.admin(), self.page.site(), &self.staff, path)?)),
        };
        self.page.render(template, context! { admin, ..more })
    }
}

impl Deref for AdminPage {
    type Target = Page;

    fn deref(&self) -> &Page {
        &self.page
    }
}

impl FromRequestParts<Site> for AdminPage {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, site: &Site) -> Result<Self, Error> {
        let staff = Staff::from_request_parts(parts, site).await?;
        let shared = parts.extensions.get::<Shared>().cloned().ok_or_else(Error::not_found)?;
        let page = Page::from_request_parts(parts, site).await?;
        Ok(Self { page, shared, staff })
    }
}
