//! Accounts: who somebody is, and the pages to register, to log in, to change a password and to log out.
//!
//! `narrows_web::accounts` has such pages ready; these show how to write one's own, in two languages.

mod next;
mod views;
mod visitor;

use axum::routing::{get, post};
use narrows_web::narrows_django::{DatabaseError, User, login_required};
use narrows_web::{App, Routes, Site};

pub(crate) use self::next::to_log_in;
use self::views::{account, log_in, register, token};
pub(crate) use self::visitor::Visitor;

/// The app.
pub fn app() -> App {
    App::new("accounts").routes(routes)
}

fn routes(site: &Site) -> Routes {
    if LogIn::of(site) == LogIn::Off {
        return Routes::new();
    }
    Routes::new()
        .route("register", "/register/", get(register::page).post(register::submit))
        .route("login", "/login/", get(log_in::page).post(log_in::submit))
        .route("logout", "/logout/", get(log_in::log_out_page).post(log_in::log_out))
        .route("account", "/account/", get(account::page).post(account::submit))
        .route("token", "/account/token/", post(token::show))
        .route("delete-token", "/account/token/delete/", post(token::delete))
}

/// Whether the site has accounts: the setting `accounts`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LogIn {
    /// It has none: everybody chooses a name.
    Off,
    /// It has, and guests may chat too.
    Optional,
    /// It has, and only who is logged in may chat.
    Required,
}

impl LogIn {
    pub(crate) fn of(site: &Site) -> Self {
        match site.settings().text("accounts") {
            "off" => Self::Off,
            "required" => Self::Required,
            _ => Self::Optional,
        }
    }
}

/// Whom a name stands for.
pub(crate) enum Addressee {
    /// This account, and nobody else.
    Account(Box<User>),
    /// Any guest who uses it.
    Guest,
    /// Nobody: an account that is switched off, or none where guests have no entry.
    Nobody,
}

pub(crate) async fn addressee(site: &Site, name: &str) -> Result<Addressee, DatabaseError> {
    let log_in = LogIn::of(site);
    if log_in == LogIn::Off {
        return Ok(Addressee::Guest);
    }
    Ok(match site.accounts().user_by_name(name).await? {
        Some(user) if user.is_active => Addressee::Account(Box::new(user)),
        None if log_in == LogIn::Optional => Addressee::Guest,
        _ => Addressee::Nobody,
    })
}

/// Routes that are for everybody, or for users alone where the site wants a log-in.
pub(crate) fn for_all_or_users(routes: Routes, site: &Site) -> Routes {
    match LogIn::of(site) {
        LogIn::Required => routes.with(|router| router.layer(login_required("/login/"))),
        LogIn::Off | LogIn::Optional => routes,
    }
}
