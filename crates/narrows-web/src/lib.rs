//! The HTTP side of a Narrows project: apps with their routes, models, templates and static files, in one program.
//!
//! * [`Project`] is a site: its [`App`]s, its settings, and what its program does.
//! * [`Routes`] are an app's addresses, with names that `url_for` knows.
//! * [`Page`] renders a template for the request at hand; [`Db`] is the database; both are extractors.
//! * [`Site`] is what all of them share: the state of the router.

pub mod accounts;
mod app;
mod assets;
pub mod auth;
mod builtin;
mod commands;
mod context;
mod db;
mod error;
mod error_pages;
pub mod flash;
mod form;
mod page;
mod project;
mod reader;
mod reload;
mod routes;
mod site;
mod static_files;
mod templates;
pub mod testing;

pub use app::App;
pub use assets::Assets;
#[doc(hidden)]
pub use assets::embedded;
#[doc(hidden)]
pub use context::serialized;
pub use db::{Db, Tx};
pub use error::{Error, Result};
pub use form::{Form, FormErrors};
pub use garde;
pub use minijinja;
pub use narrows;
pub use narrows_django;
pub use narrows_models as models;
pub use narrows_models::sea_orm;
pub use page::{Page, redirect};
pub use project::{DataFolder, DataFolderError, Opened, Project, ProjectError};
pub use routes::{Routes, UrlError};
pub use site::Site;
pub use templates::TemplateErrors;

#[cfg(doctest)]
#[doc = include_str!("../../../docs/web.md")]
struct Web;
