//! Users as Django keeps them.

mod authenticate;
mod change;
mod extract;
mod key;
mod log_in;
mod managing;
mod model;
mod name;
mod new_permission;
mod next;
mod permissions;
mod register;
mod rows;
mod settings;
mod throttle;

use chrono::{DateTime, Utc};

pub use self::authenticate::LogInError;
pub use self::change::ChangePasswordError;
pub use self::extract::{MaybeUser, StaffUser, Superuser};
pub(crate) use self::key::Key;
pub(crate) use self::log_in::{BACKEND, HASH, ID};
pub use self::model::{KeyKind, UserId, UserModel};
pub use self::name::NameProblem;
pub use self::new_permission::NewPermission;
pub use self::next::{LoginRequired, LoginRequiredService, log_in_url, login_required, safe_next};
pub use self::permissions::Permissions;
pub use self::register::{NewUser, RegisterError};
pub(crate) use self::settings::LogInSettings;
pub use self::throttle::{Attempt, Rate, Throttle, ThrottleSettings, Throttled};

/// A user who is logged in. As an extractor it refuses who is not, with a 401.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct User {
    /// The primary key.
    pub id: UserId,
    /// What the user logs in with.
    pub username: String,
    /// Empty where the user gave none.
    pub email: String,
    /// Empty where the user gave none.
    pub first_name: String,
    /// Empty where the user gave none.
    pub last_name: String,
    /// Whether the user may use the admin.
    pub is_staff: bool,
    /// Whether the user may do everything.
    pub is_superuser: bool,
    /// Whether the user may log in.
    pub is_active: bool,
    /// When the user registered.
    pub date_joined: DateTime<Utc>,
    /// When the user last logged in.
    pub last_login: Option<DateTime<Utc>>,
    /// The password as it is kept: Django's text with algorithm, salt and hash.
    pub(crate) password: String,
}

impl std::fmt::Debug for User {
    /// Without the password's text.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut d = f.debug_struct("User");
        d.field("id", &self.id).field("username", &self.username).finish_non_exhaustive()
    }
}
