use std::sync::Arc;

use axum::extract::FromRequestParts;
use http::request::Parts;
use narrows_django::{Permissions, User};
use narrows_web::Error;

use crate::model::Model;

/// The member of the staff who asks, and what they may.
///
/// Every view of the admin takes it, and asks it before it does anything.
#[derive(Debug, Clone)]
pub(crate) struct Staff {
    user: Arc<User>,
    permissions: Arc<Permissions>,
}

impl Staff {
    pub(super) fn new(user: User, permissions: Permissions) -> Self {
        Self { user: Arc::new(user), permissions: Arc::new(permissions) }
    }

    /// Who it is.
    pub(crate) fn user(&self) -> &User {
        &self.user
    }

    /// Whether they may do this: a permission of Django's, such as `chat.change_room`.
    pub(crate) fn may(&self, permission: &str) -> bool {
        self.permissions.has(permission)
    }

    /// Whether they may `view`, `add`, `change` or `delete` rows of a model: who may change them may see them too.
    pub(crate) fn may_do(&self, model: &Model, action: &str) -> bool {
        match action {
            "add" if model.no_adding => false,
            "view" => self.may(&model.permission("view")) || self.may(&model.permission("change")),
            _ => self.may(&model.permission(action)),
        }
    }

    /// Goes on only for those who may.
    pub(crate) fn need(&self, permission: &str) -> Result<(), Error> {
        if self.may(permission) { Ok(()) } else { Err(Error::forbidden()) }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Staff {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Error> {
        parts.extensions.get::<Self>().cloned().ok_or_else(Error::forbidden)
    }
}
