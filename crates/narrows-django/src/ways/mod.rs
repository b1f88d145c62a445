//! Ways in other than a session: tokens, django-sesame, JWT, or one of your own.
//!
//! [`Accounts::way_in`](crate::Accounts::way_in) makes a way into a layer. [`User`] and [`MaybeUser`](crate::MaybeUser)
//! ask the session first and then the ways of the layers around the route, the outermost first; the first that knows
//! somebody decides. It is the same for views and for WebSockets.
//!
//! * [`TokenWay`]: the tokens of Django REST framework, rows of a table.
//! * [`SesameWay`]: links with a token of django-sesame.
//! * [`JwtWay`]: signed claims of somebody whom the site trusts.
//!
//! A page's script cannot set headers of a WebSocket's handshake, but it can offer subprotocols. These ways also read a
//! token from there: `new WebSocket(url, ["chat.v1", "bearer." + token])`. The layer takes it out of the request, so
//! that the server cannot choose it; the other one has to be chosen, or the browser fails the connection.

mod active;
mod credentials;
mod entered;
mod jwt;
mod layer;
mod sesame;
mod token;

use std::pin::Pin;
use std::sync::Arc;

use http::HeaderValue;
use http::request::Parts;
use narrows::{Identity, IdentityCheck};

pub use self::credentials::subprotocol_tokens;
pub(crate) use self::entered::enter;
pub use self::jwt::{JwtAlgorithm, JwtClaims, JwtError, JwtKey, JwtKeyError, JwtWay, JwtWayBuilder};
pub use self::layer::{WayInLayer, WayInService};
pub use self::sesame::SesameWay;
pub use self::token::TokenWay;
use crate::accounts::Accounts;
use crate::database::DatabaseError;
use crate::user::User;

/// A way in: who a request says it is, and proves to be.
///
/// ```
/// use http::request::Parts;
/// use narrows::Identity;
/// use narrows_django::Accounts;
/// use narrows_django::ways::{Entering, WayIn};
///
/// /// Believes a proxy in front, which checks certificates of clients and says whose they are.
/// struct Certificate;
///
/// impl WayIn for Certificate {
///     fn enter<'a>(&'a self, parts: &'a mut Parts, accounts: &'a Accounts) -> Entering<'a> {
///         Box::pin(async move {
///             let name = parts.headers.get("x-client-name").and_then(|name| name.to_str().ok());
///             let Some(name) = name else { return Ok(None) };
///             let user = accounts.user_by_name(name).await?.filter(|user| user.is_active);
///             Ok(user.map(|user| {
///                 let identity = Identity::new().with_user(user.id.as_str());
///                 (user, identity)
///             }))
///         })
///     }
/// }
/// ```
pub trait WayIn: Send + Sync + 'static {
    /// The user, with what ends a socket that came this way; `None` where the request says nothing of the kind, or
    /// nothing that is true. It is asked once for a request.
    ///
    /// # Errors
    /// When the database is away.
    fn enter<'a>(&'a self, parts: &'a mut Parts, accounts: &'a Accounts) -> Entering<'a>;

    /// What a 401 says in `WWW-Authenticate`. Default nothing.
    fn challenge(&self) -> Option<HeaderValue> {
        None
    }

    /// The check of the identities that it gives, with a name for it: a socket that was cut off and comes back is asked
    /// about by the check of this name, whichever node it comes to. Default none: such a socket is an ordinary new one.
    fn identity_check(&self, accounts: &Accounts) -> Option<(&'static str, Arc<dyn IdentityCheck>)> {
        let _ = accounts;
        None
    }

    /// What a subprotocol begins with that is no subprotocol but a token for this way: the layer takes those out of the
    /// request, and [`subprotocol_tokens`] has them. Default none.
    fn subprotocol_prefix(&self) -> Option<&str> {
        None
    }
}

/// What [`WayIn::enter`] gives.
pub type Entering<'a> =
    Pin<Box<dyn Future<Output = Result<Option<(User, Identity)>, DatabaseError>> + Send + 'a>>;

/// The ways in of a request, in the order in which they are tried. The session is always first.
#[derive(Clone, Default)]
pub(crate) struct Ways(pub(crate) Vec<Arc<dyn WayIn>>);
