use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use narrows_django::{MaybeUser, Refused, User};

use crate::site::Site;

/// Who sent a request: an account that is logged in, or somebody whom the site does not know.
pub(crate) struct Visitor(pub(crate) Option<User>);

impl FromRequestParts<Site> for Visitor {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, site: &Site) -> Result<Self, Refused> {
        match site.log_in.accounts() {
            Some(_) => MaybeUser::from_request_parts(parts, site).await.map(|MaybeUser(user)| Self(user)),
            None => Ok(Self(None)),
        }
    }
}
