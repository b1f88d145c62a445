//! Accounts for Narrows in Django's own formats: sessions, users, passwords and tokens.
//!
//! * [`Accounts`] is a site's accounts: its keys, its database, and how its sessions are kept. [`Accounts::layer`] goes
//!   around the routes.
//! * [`Session`], [`User`] and [`MaybeUser`] are extractors, for views and for a consumer's `Scope`. A socket that asked
//!   for one ends with its session.
//! * [`ways`] are the other ways in: tokens, django-sesame, JWT.
//! * `Upstream`, with the feature of this name, is the site that is not in Rust, behind this one.
//! * [`signing`] and [`sesame`] are Django's and django-sesame's formats by themselves.

mod accounts;
mod check;
mod csrf;
mod database;
mod error;
mod hex;
pub mod password;
pub mod sesame;
mod session;
mod settings;
pub mod signing;
#[cfg(feature = "superuser")]
pub mod superuser;
#[cfg(feature = "upstream")]
mod upstream;
mod user;
pub mod ways;

pub use accounts::{Accounts, AccountsBuilder};
pub use csrf::{CsrfLayer, CsrfService, TrustedOriginError};
pub use database::{Database, DatabaseError, begin_writing};
pub use error::Refused;
pub use sea_orm;
pub use session::{
    ListSessionsError, ListedSession, ParseSessionIdError, SameSite, SaveError, Session, SessionCookie,
    SessionEngine, SessionId, SessionLayer, SessionPage, SessionService,
};
pub use settings::{AccountSettings, AccountSettingsError};
pub use signing::SecretKeys;
#[cfg(feature = "upstream")]
pub use upstream::{ParseUpstreamError, Upstream};
pub use user::{
    Attempt, ChangePasswordError, KeyKind, LogInError, LoginRequired, LoginRequiredService, MaybeUser,
    NameProblem, NewPermission, NewUser, Permissions, Rate, RegisterError, StaffUser, Superuser, Throttle,
    ThrottleSettings, Throttled, User, UserId, UserModel, log_in_url, login_required, safe_next,
};

#[cfg(doctest)]
#[doc = include_str!("../../../docs/coming-from-django.md")]
struct ComingFromDjango;
