//! Whose a connection is, and its end when that is over.

mod asking;
mod check;
mod digest;
mod ends;
mod holder;
mod keeper;
mod notice;
mod recent;
mod register;
mod table;
#[cfg(all(test, not(narrows_loom)))]
mod tests;

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use http::request::Parts;

pub use self::check::{Checking, IdentityCheck, Standing};
pub(crate) use self::digest::SessionDigest;
pub(crate) use self::holder::Bound;
pub(crate) use self::recent::Since;
pub(crate) use self::register::{First, Identities, NotBound};

/// Whose a connection is, and for how long: a session, a user, a time.
///
/// A connection that has one ends with it, on every node: with
/// [`Channels::end_session`](crate::Channels::end_session), [`Channels::end_user`](crate::Channels::end_user), when its
/// time is over, or when its [check](IdentityCheck) says so. The client is then closed with 4401.
///
/// ```
/// use axum::extract::FromRequestParts;
/// use axum::http::{StatusCode, request::Parts};
/// use narrows::Identity;
///
/// /// For the `Scope` of a consumer: a socket that asked for it ends with its session.
/// struct User(String);
///
/// impl<S: Send + Sync> FromRequestParts<S> for User {
///     type Rejection = StatusCode;
///
///     async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, StatusCode> {
///         let (key, user) = ("a session's key", "42"); // as the site's own sessions say
///         Identity::new().with_session(key).with_user(user).bind(parts);
///         Ok(Self(user.to_owned()))
///     }
/// }
/// ```
///
/// Clones are cheap.
#[derive(Clone, Default)]
pub struct Identity(Arc<Fields>);

/// The name of the cookie by which the identity of a request was found, in its extensions.
#[derive(Debug, Clone)]
pub(crate) struct BoundCookie(pub(crate) Box<str>);

#[derive(Clone, Default)]
struct Fields {
    session: Option<Box<str>>,
    user: Option<Box<str>>,
    expires: Option<SystemTime>,
    proof: Box<str>,
    check: Option<Arc<dyn IdentityCheck>>,
}

impl Identity {
    /// Nobody's yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// It belongs to the session with this key.
    #[must_use]
    pub fn with_session(mut self, key: impl Into<Box<str>>) -> Self {
        self.fields().session = Some(key.into());
        self
    }

    /// It belongs to the user with this id.
    #[must_use]
    pub fn with_user(mut self, id: impl Into<Box<str>>) -> Self {
        self.fields().user = Some(id.into());
        self
    }

    /// It holds until this time, and is checked then: the check may say that it holds for longer. Without a check it
    /// ends then. To a second.
    #[must_use]
    pub fn until(mut self, time: SystemTime) -> Self {
        self.fields().expires = Some(time);
        self
    }

    /// Who says whether it still holds, and what they need for that besides session and user, such as the hash of a
    /// password.
    ///
    /// Those who share one check are asked about together: a site makes it once and gives out clones.
    #[must_use]
    pub fn checked_by(mut self, check: Arc<dyn IdentityCheck>, proof: impl Into<Box<str>>) -> Self {
        let fields = self.fields();
        (fields.check, fields.proof) = (Some(check), proof.into());
        self
    }

    /// The session's key.
    #[must_use]
    pub fn session(&self) -> Option<&str> {
        self.0.session.as_deref()
    }

    /// The user's id.
    #[must_use]
    pub fn user(&self) -> Option<&str> {
        self.0.user.as_deref()
    }

    /// Until when it holds, as it was made.
    #[must_use]
    pub fn expires(&self) -> Option<SystemTime> {
        self.0.expires
    }

    /// What its check needs.
    #[must_use]
    pub fn proof(&self) -> &str {
        &self.0.proof
    }

    /// For an extractor: the connection of this handshake will have it. A later one takes the place of an earlier.
    pub fn bind(self, parts: &mut Parts) {
        parts.extensions.remove::<BoundCookie>();
        parts.extensions.insert(self);
    }

    /// As [`bind`](Self::bind), for an identity that was found by the cookie of this name: the connection
    /// [goes on](crate::Resume) later for a client alone that brings this cookie with the same value as now.
    ///
    /// Without it that is the cookie that holds the key of the session, if there is one.
    pub fn bind_to_cookie(self, parts: &mut Parts, name: &str) {
        parts.extensions.insert(BoundCookie(name.into()));
        parts.extensions.insert(self);
    }

    pub(crate) fn check(&self) -> Option<&Arc<dyn IdentityCheck>> {
        self.0.check.as_ref()
    }

    fn fields(&mut self) -> &mut Fields {
        Arc::make_mut(&mut self.0)
    }
}

impl fmt::Debug for Identity {
    /// Without the session's key and the proof, which are secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut d = f.debug_struct("Identity");
        d.field("user", &self.user()).field("expires", &self.expires()).finish_non_exhaustive()
    }
}
