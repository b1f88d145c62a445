//! Accounts: who somebody is, and the pages to register, to log in, to change a password and to log out.

mod account;
mod form;
mod log_in;
mod next;
mod register;
mod token;
mod visitor;

use axum::Router;
use axum::routing::{get, post};
use narrows_django::{Accounts, DatabaseError, User, login_required};

pub(crate) use self::form::{Form, FormProblem};
pub(crate) use self::next::log_in as log_in_address;
pub(crate) use self::visitor::Visitor;
use crate::site::Site;

/// Whether the site has accounts.
#[derive(Clone)]
pub enum LogIn {
    /// It has none: everybody chooses a name.
    Off,
    /// It has, and guests may chat too.
    Optional(Accounts),
    /// It has, and only who is logged in may chat.
    Required(Accounts),
}

impl LogIn {
    pub(crate) fn accounts(&self) -> Option<&Accounts> {
        match self {
            Self::Off => None,
            Self::Optional(accounts) | Self::Required(accounts) => Some(accounts),
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

impl Site {
    pub(crate) async fn addressee(&self, name: &str) -> Result<Addressee, DatabaseError> {
        let Some(accounts) = self.log_in.accounts() else { return Ok(Addressee::Guest) };
        Ok(match accounts.user_by_name(name).await? {
            Some(user) if user.is_active => Addressee::Account(Box::new(user)),
            None if matches!(self.log_in, LogIn::Optional(_)) => Addressee::Guest,
            _ => Addressee::Nobody,
        })
    }
}

pub(crate) fn router() -> Router<Site> {
    Router::new()
        .route("/register/", get(register::page).post(register::submit))
        .route("/login/", get(log_in::page).post(log_in::submit))
        .route("/logout/", get(log_in::log_out_page).post(log_in::log_out))
        .route("/account/", get(account::page).post(account::submit))
        .route("/account/token/", post(token::show))
        .route("/account/token/delete/", post(token::delete))
}

/// Routes that are for everybody, or for users alone where the site wants a log-in.
pub(crate) fn for_all_or_users(routes: Router<Site>, site: &Site) -> Router<Site> {
    match site.log_in {
        LogIn::Required(_) => routes.layer(login_required("/login/")),
        LogIn::Off | LogIn::Optional(_) => routes,
    }
}
