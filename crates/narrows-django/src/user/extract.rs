//! Users, for views and for a consumer's `Scope`.

use axum::extract::FromRequestParts;
use http::request::Parts;
use narrows::Identity;

use super::User;
use crate::accounts::Accounts;
use crate::error::Refused;
use crate::session::Session;
use crate::signing::session_auth_hash;
use crate::ways;

impl<S: Send + Sync> FromRequestParts<S> for Accounts {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Refused> {
        parts.extensions.get::<Accounts>().cloned().ok_or(Refused::NoLayer)
    }
}

/// Whom the session was found to be of, while it is not changed: a request with several extractors asks the database once.
#[derive(Clone)]
struct Known {
    user: User,
    changes: u64,
}

/// The user, or nobody.
///
/// The session is asked first, then the other [ways](crate::ways) in. A socket whose `Scope` asks for a user belongs to
/// the session and the user: it ends with either.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MaybeUser(pub Option<User>);

impl<S: Send + Sync> FromRequestParts<S> for MaybeUser {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refused> {
        let accounts = Accounts::from_request_parts(parts, state).await?;
        let session = Session::from_request_parts(parts, state).await?;
        if let Some(known) = parts.extensions.get::<Known>()
            && known.changes == session.changes()
        {
            return Ok(Self(Some(known.user.clone())));
        }
        let before = accounts.identity_of_session(&session);
        if let Some(user) = accounts.session_user(&session).await? {
            if let Some(identity) = accounts.identity_of_session(&session) {
                let hash = session_auth_hash(&user.password, accounts.keys().current());
                let identity =
                    identity.with_user(user.id.as_str()).checked_by(accounts.identity_check(), hash);
                identity.bind_to_cookie(parts, &accounts.cookie().name);
            }
            parts.extensions.insert(Known { user: user.clone(), changes: session.changes() });
            return Ok(Self(Some(user)));
        }
        if before.is_some() && accounts.identity_of_session(&session).is_none() {
            // It was emptied just now: the socket is nobody's, and must not end with what is gone already.
            parts.extensions.remove::<Identity>();
        }
        let Some((user, identity)) = ways::enter(parts, &accounts).await? else { return Ok(Self(None)) };
        identity.bind(parts);
        Ok(Self(Some(user)))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for User {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refused> {
        MaybeUser::from_request_parts(parts, state).await?.0.ok_or(Refused::Anonymous)
    }
}

/// A user of the staff. It refuses nobody's requests with a 401, and other users' with a 403.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StaffUser(pub User);

impl<S: Send + Sync> FromRequestParts<S> for StaffUser {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refused> {
        let user = User::from_request_parts(parts, state).await?;
        if user.is_staff { Ok(Self(user)) } else { Err(Refused::Forbidden) }
    }
}

/// A user who may do everything. It refuses nobody's requests with a 401, and other users' with a 403.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Superuser(pub User);

impl<S: Send + Sync> FromRequestParts<S> for Superuser {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refused> {
        let user = User::from_request_parts(parts, state).await?;
        if user.is_superuser { Ok(Self(user)) } else { Err(Refused::Forbidden) }
    }
}
