use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use narrows_web::Site;
use narrows_web::narrows_django::{MaybeUser, Refused, User};

use super::LogIn;

/// Who sent a request: an account that is logged in, or somebody whom the site does not know.
pub(crate) struct Visitor(pub(crate) Option<User>);

impl FromRequestParts<Site> for Visitor {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, site: &Site) -> Result<Self, Refused> {
        if LogIn::of(site) == LogIn::Off {
            return Ok(Self(None));
        }
        MaybeUser::from_request_parts(parts, site).await.map(|MaybeUser(user)| Self(user))
    }
}
