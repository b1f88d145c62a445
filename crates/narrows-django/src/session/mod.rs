//! Sessions as Django keeps them.

mod codec;
mod cookie;
mod error;
mod expiry;
mod extract;
mod handle;
mod key;
mod layer;
mod listed;
mod store;
mod values;

use std::path::PathBuf;

pub use self::cookie::{SameSite, SessionCookie};
pub use self::error::SaveError;
pub(crate) use self::extract::{AT_ONCE, Found};
pub use self::handle::Session;
pub use self::layer::{SessionLayer, SessionService};
pub use self::listed::{ListSessionsError, ListedSession, ParseSessionIdError, SessionId, SessionPage};
pub(crate) use self::store::{Changed, Store};
pub(crate) use self::values::Values;

/// How sessions are kept: Django's `SESSION_ENGINE`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum SessionEngine {
    /// `db`: in the table `django_session`.
    #[default]
    Database,
    /// `cached_db`: the same table; Django's cache is not asked, as its entry holds nothing that the row does not. A
    /// Django process that has an entry goes on with it until it expires: see
    /// [`AccountsBuilder::on_session_change`](crate::AccountsBuilder::on_session_change).
    CachedDatabase,
    /// `signed_cookies`: in the cookie itself. Such a session cannot be ended before its time, and it has no key.
    SignedCookies,
    /// `file`: a file a session, in this folder, which must be there: Django's `SESSION_FILE_PATH`.
    Files(PathBuf),
}
