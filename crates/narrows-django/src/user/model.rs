use std::fmt;
use std::sync::Arc;

/// The primary key of a user, as the text that Django keeps in a session: `42`, or a UUID.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UserId(Arc<str>);

impl UserId {
    /// The id with this text.
    pub fn new(text: &str) -> Self {
        Self(text.into())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What type the primary key of users has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum KeyKind {
    /// `AutoField`: 32 bits. What `auth_user` has.
    #[default]
    Integer,
    /// `BigAutoField`: 64 bits.
    BigInteger,
    /// `UUIDField`: a `uuid` on PostgreSQL and on new MariaDB, 32 hexadecimal digits elsewhere.
    Uuid,
    /// `CharField`.
    Text,
}

/// Which table and columns hold the users: Django's `AUTH_USER_MODEL`.
///
/// A column that the model lacks is `None`: nobody is in the staff then, everybody is active, and texts are empty. The
/// columns `password` and `last_login` are in every model that is made from Django's `AbstractBaseUser`.
///
/// ```
/// use narrows_django::{KeyKind, UserModel};
///
/// let mut model = UserModel::default();
/// model.table = "people_person".to_owned();
/// model.key_kind = KeyKind::Uuid;
/// model.username = "email".to_owned();
/// model.is_staff = None;
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct UserModel {
    /// The table. Default `auth_user`.
    pub table: String,
    /// The column of the primary key. Default `id`.
    pub key: String,
    /// The type of the primary key.
    pub key_kind: KeyKind,
    /// The column of the name to log in with: Django's `USERNAME_FIELD`. Default `username`.
    pub username: String,
    /// The column of the email. Default `email`.
    pub email: Option<String>,
    /// The column of the first name. Default `first_name`.
    pub first_name: Option<String>,
    /// The column of the last name. Default `last_name`.
    pub last_name: Option<String>,
    /// The column that says whether the user may use the admin. Default `is_staff`.
    pub is_staff: Option<String>,
    /// The column that says whether the user may do everything. Default `is_superuser`.
    pub is_superuser: Option<String>,
    /// The column that says whether the user may log in. Default `is_active`.
    pub is_active: Option<String>,
    /// The column of the time at which the user registered. Default `date_joined`.
    pub date_joined: Option<String>,
}

impl Default for UserModel {
    fn default() -> Self {
        let column = |name: &str| Some(name.to_owned());
        Self {
            table: "auth_user".to_owned(),
            key: "id".to_owned(),
            key_kind: KeyKind::Integer,
            username: "username".to_owned(),
            email: column("email"),
            first_name: column("first_name"),
            last_name: column("last_name"),
            is_staff: column("is_staff"),
            is_superuser: column("is_superuser"),
            is_active: column("is_active"),
            date_joined: column("date_joined"),
        }
    }
}

impl UserModel {
    /// The table that says which groups a user is in, as Django names it.
    pub fn groups_table(&self) -> String {
        format!("{}_groups", self.table)
    }

    /// The table of the permissions that users have by themselves.
    pub fn permissions_table(&self) -> String {
        format!("{}_user_permissions", self.table)
    }

    /// The column of both that points at the user: the model's name in lower case, which has no `_`.
    pub fn link_column(&self) -> String {
        format!("{}_id", self.table.rsplit('_').next().unwrap_or("user"))
    }
}
