//! What all pages of the admin have in common: who may see them, how they look, and what they link to.

mod entry;
mod guard;
mod index;
mod login;
mod nav;
mod page;
mod staff;

use std::sync::Arc;

use axum::Extension;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{get, post};
use narrows_web::{Routes, Site};

pub(crate) use self::entry::redirect;
pub(crate) use self::page::AdminPage;
pub(crate) use self::staff::Staff;
use crate::Admin;

/// What the admin was told, for its views.
#[derive(Debug, Clone)]
pub(crate) struct Shared(pub(crate) Arc<Admin>);

/// The addresses of the shell, with the guard around all that were added before.
///
/// Routes that are added before are for staff alone; those of the log-in are for everybody.
pub(crate) fn guarded(routes: Paths, admin: Admin, site: &Site) -> Routes {
    let shared = Shared(Arc::new(admin));
    let prefix = routes.prefix.clone();
    let inner = routes.route("index", "/", get(index::index));
    let login = format!("{prefix}/login/");
    let made = Arc::default();
    let guard = guard::Guard { site: site.clone(), admin: shared.0.clone(), made, login };
    let inner = inner.routes.with(|router| router.route_layer(from_fn_with_state(guard, guard::staff_only)));
    let open = Paths { routes: inner, prefix };
    let all = open.route("login", "/login/", get(login::page).post(login::submit)).route(
        "logout",
        "/logout/",
        post(login::log_out),
    );
    all.routes.with(|router| router.route_layer(from_fn(guard::headers)).route_layer(Extension(shared)))
}

/// Routes on their way, all below the admin's own address.
#[derive(Debug)]
pub(crate) struct Paths {
    routes: Routes,
    prefix: String,
}

impl Paths {
    /// None yet, below this address.
    pub(crate) fn below(prefix: &str) -> Self {
        Self { routes: Routes::new(), prefix: prefix.to_owned() }
    }

    /// Adds a route by its name and its path below the admin.
    pub(crate) fn route(self, name: &str, path: &str, methods: axum::routing::MethodRouter<Site>) -> Self {
        let path = format!("{}{path}", self.prefix);
        Self { routes: self.routes.route(name, &path, methods), prefix: self.prefix }
    }
}
