use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

use http::HeaderValue;
use http::request::Parts;
use narrows::{Checking, Identity, IdentityCheck};

use crate::accounts::Accounts;
use crate::user::UserId;
use crate::ways::active::{active_users, standing, user_of};
use crate::ways::credentials::{authorization, subprotocol_tokens};
use crate::ways::{Entering, WayIn};

/// Lets in who has a token of Django REST framework, a row of the table `authtoken_token`: `Authorization: Token <key>`,
/// or the subprotocol `bearer.<key>`.
///
/// A socket that came with a token ends when its row is deleted, or its user is not active any more.
/// [`Accounts::make_token`] makes tokens.
///
/// ```
/// use narrows_django::ways::TokenWay;
///
/// let way = TokenWay::new(); // as Django REST framework has it
/// let other = TokenWay::new().keyword("Bearer");
/// ```
pub struct TokenWay {
    keyword: String,
    prefix: Option<String>,
    check: OnceLock<Arc<dyn IdentityCheck>>,
}

impl Default for TokenWay {
    fn default() -> Self {
        Self { keyword: "Token".to_owned(), prefix: Some("bearer.".to_owned()), check: OnceLock::new() }
    }
}

impl TokenWay {
    /// With the keyword `Token` and the prefix `bearer.`.
    pub fn new() -> Self {
        Self::default()
    }

    /// What stands in front of the token in `Authorization`, such as `Bearer`.
    #[must_use]
    pub fn keyword(mut self, keyword: impl Into<String>) -> Self {
        self.keyword = keyword.into();
        self
    }

    /// What a subprotocol begins with that carries a token. Default `bearer.`; with `None` none does.
    #[must_use]
    pub fn subprotocol_prefix(mut self, prefix: Option<&str>) -> Self {
        self.prefix = prefix.map(str::to_owned);
        self
    }
}

impl TokenWay {
    fn check(&self, accounts: &Accounts) -> &Arc<dyn IdentityCheck> {
        self.check.get_or_init(|| Arc::new(TokenCheck(accounts.clone())))
    }
}

impl WayIn for TokenWay {
    fn enter<'a>(&'a self, parts: &'a mut Parts, accounts: &'a Accounts) -> Entering<'a> {
        Box::pin(async move {
            let offered = self.prefix.iter().flat_map(|prefix| subprotocol_tokens(parts, prefix));
            let offered = offered.map(Cow::into_owned);
            let header = authorization(parts, &self.keyword).map(str::to_owned);
            let tokens: Vec<String> = header.into_iter().chain(offered).take(2).collect();
            if tokens.is_empty() {
                return Ok(None);
            }
            let users = accounts.users_of_tokens(tokens.iter().map(String::as_str)).await?;
            for token in tokens {
                let Some(id) = users.get(&token) else { continue };
                let Some(user) = accounts.user_by_id(id).await?.filter(|user| user.is_active) else {
                    continue;
                };
                let check = self.check(accounts);
                let identity = Identity::new().with_user(user.id.as_str()).checked_by(check.clone(), token);
                return Ok(Some((user, identity)));
            }
            tracing::debug!("a token was refused");
            Ok(None)
        })
    }

    fn challenge(&self) -> Option<HeaderValue> {
        HeaderValue::from_str(&self.keyword).ok()
    }

    fn identity_check(&self, accounts: &Accounts) -> Option<(&'static str, Arc<dyn IdentityCheck>)> {
        Some(("narrows-django.token", self.check(accounts).clone()))
    }

    fn subprotocol_prefix(&self) -> Option<&str> {
        self.prefix.as_deref()
    }
}

/// An identity's proof is its token.
struct TokenCheck(Accounts);

impl IdentityCheck for TokenCheck {
    fn check<'a>(&'a self, identities: &'a [Identity]) -> Checking<'a> {
        Box::pin(async move {
            let tokens = self.0.users_of_tokens(identities.iter().map(Identity::proof)).await?;
            let users = active_users(&self.0, identities).await?;
            let holds = |identity: &Identity| {
                let user = tokens.get(identity.proof()).map(UserId::as_str);
                user.is_some() && user == identity.user() && user_of(identity, &users).is_some()
            };
            Ok(identities.iter().map(|identity| standing(identity, holds(identity))).collect())
        })
    }
}
