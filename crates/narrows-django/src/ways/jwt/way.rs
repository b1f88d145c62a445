use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime};

use http::HeaderValue;
use http::request::Parts;
use narrows::{Identity, IdentityCheck};
use serde_json::Value;

use super::claims::{self, JwtClaims, JwtError, Rules};
use super::jwks::Jwks;
use super::key::{JwtKey, JwtKeyError};
use crate::accounts::Accounts;
use crate::database::DatabaseError;
use crate::user::{User, UserId};
use crate::ways::active::ActiveCheck;
use crate::ways::credentials::{authorization, subprotocol_tokens};
use crate::ways::{Entering, WayIn};

/// How often it is looked whether a file of keys has changed.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Lets in who brings a JSON Web Token (RFC 7519) that somebody with the right key signed: `Authorization: Bearer
/// <token>`, or the subprotocol `bearer.<token>`.
///
/// The token has to say when it ends (`exp`) and who it is for; that user has to be there and active. A socket that came
/// with it ends with it, or when the user is not active any more. Tokens without a signature are not tokens.
///
/// ```
/// use narrows_django::ways::{JwtKey, JwtWay};
///
/// // What djangorestframework-simplejwt signs with the site's `SECRET_KEY`.
/// let way = JwtWay::builder()
///     .key(JwtKey::hs256(b"the site's SECRET_KEY, a long secret")?)
///     .user_id_claim("user_id")
///     .require("token_type", "access")
///     .build()?;
/// # Ok::<(), narrows_django::ways::JwtKeyError>(())
/// ```
#[derive(Clone)]
pub struct JwtWay(Arc<Inner>);

struct Inner {
    keys: Vec<JwtKey>,
    file: Option<Jwks>,
    rules: Rules,
    user: UserClaim,
    keyword: String,
    prefix: Option<String>,
    check: OnceLock<Arc<dyn IdentityCheck>>,
}

#[derive(Debug, Clone)]
enum UserClaim {
    Id(String),
    Name(String),
}

impl JwtWay {
    /// Settings, none of which has to be changed but the keys.
    pub fn builder() -> JwtWayBuilder {
        JwtWayBuilder {
            keys: Vec::new(),
            file: None,
            look_every: LOOK_EVERY,
            rules: Rules {
                leeway: Duration::from_secs(10),
                audiences: Vec::new(),
                issuers: Vec::new(),
                required: Vec::new(),
            },
            user: UserClaim::Id("sub".to_owned()),
            keyword: "Bearer".to_owned(),
            prefix: Some("bearer.".to_owned()),
        }
    }

    /// Reads a token, without a look at users.
    ///
    /// # Errors
    /// When it is not to be believed.
    pub fn read(&self, token: &str, now: SystemTime) -> Result<JwtClaims, JwtError> {
        let file = self.0.file.as_ref().map(Jwks::keys);
        let keys = self.0.keys.iter().chain(file.iter().flat_map(|keys| keys.iter()));
        claims::read(token, keys, &self.0.rules, now)
    }

    /// Reads the file of keys again; it is read anyway when it has changed. It blocks for a moment.
    ///
    /// # Errors
    /// When it cannot be read. The old keys stay.
    pub fn reload(&self) -> Result<(), JwtKeyError> {
        self.0.file.as_ref().map_or(Ok(()), Jwks::reload)
    }

    /// Looks from time to time whether there are other keys, and not on this thread.
    async fn look(&self) {
        if self.0.file.as_ref().is_some_and(Jwks::is_due) {
            let way = self.clone();
            let looked = tokio::task::spawn_blocking(move || way.0.file.as_ref().map(Jwks::refresh)).await;
            // It fails where the runtime ends, and then nobody waits for the answer.
            drop(looked);
        }
    }

    async fn user(&self, claims: &JwtClaims, accounts: &Accounts) -> Result<Option<User>, DatabaseError> {
        let user = match &self.0.user {
            UserClaim::Id(claim) => match claims.claims.get(claim) {
                Some(Value::String(id)) => accounts.user_by_id(&UserId::new(id)).await?,
                Some(Value::Number(id)) => accounts.user_by_id(&UserId::new(&id.to_string())).await?,
                _ => None,
            },
            UserClaim::Name(claim) => match claims.claims.get(claim) {
                Some(Value::String(name)) => accounts.user_by_name(name).await?,
                _ => None,
            },
        };
        Ok(user.filter(|user| user.is_active))
    }

    fn tokens(&self, parts: &Parts) -> Vec<String> {
        let offered = self.0.prefix.iter().flat_map(|prefix| subprotocol_tokens(parts, prefix));
        let offered = offered.map(Cow::into_owned);
        authorization(parts, &self.0.keyword).map(str::to_owned).into_iter().chain(offered).take(2).collect()
    }
}

impl JwtWay {
    fn check(&self, accounts: &Accounts) -> &Arc<dyn IdentityCheck> {
        self.0.check.get_or_init(|| Arc::new(ActiveCheck(accounts.clone())))
    }
}

impl WayIn for JwtWay {
    fn enter<'a>(&'a self, parts: &'a mut Parts, accounts: &'a Accounts) -> Entering<'a> {
        Box::pin(async move {
            let tokens = self.tokens(parts);
            if tokens.is_empty() {
                return Ok(None);
            }
            self.look().await;
            for token in tokens {
                let claims = match self.read(&token, SystemTime::now()) {
                    Ok(claims) => claims,
                    Err(error) => {
                        tracing::debug!(%error, "a JSON Web Token was refused");
                        continue;
                    }
                };
                if let Some(user) = self.user(&claims, accounts).await? {
                    let check = self.check(accounts);
                    let identity = Identity::new().with_user(user.id.as_str()).until(claims.expires);
                    let identity = identity.checked_by(check.clone(), "");
                    return Ok(Some((user, identity)));
                }
                tracing::debug!("a JSON Web Token is for nobody here");
            }
            Ok(None)
        })
    }

    fn challenge(&self) -> Option<HeaderValue> {
        HeaderValue::from_str(&self.0.keyword).ok()
    }

    fn identity_check(&self, accounts: &Accounts) -> Option<(&'static str, Arc<dyn IdentityCheck>)> {
        Some(("narrows-django.jwt", self.check(accounts).clone()))
    }

    fn subprotocol_prefix(&self) -> Option<&str> {
        self.0.prefix.as_deref()
    }
}

/// A [`JwtWay`] on its way.
#[must_use = "`.build()` makes the way in"]
pub struct JwtWayBuilder {
    keys: Vec<JwtKey>,
    file: Option<PathBuf>,
    look_every: Duration,
    rules: Rules,
    user: UserClaim,
    keyword: String,
    prefix: Option<String>,
}

impl JwtWayBuilder {
    /// A key; called again, one more.
    pub fn key(mut self, key: JwtKey) -> Self {
        self.keys.push(key);
        self
    }

    /// A file with a JSON Web Key Set (RFC 7517), such as an identity provider publishes. It is read again when it has
    /// changed; keys in it for other algorithms are left aside.
    pub fn key_file(mut self, path: impl AsRef<Path>) -> Self {
        self.file = Some(path.as_ref().to_owned());
        self
    }

    /// How often it is looked whether that file has changed, at most, and only when a token comes. Default every second.
    pub fn look_every(mut self, interval: Duration) -> Self {
        self.look_every = interval;
        self
    }

    /// How far the issuer's clock may be off. Default 10 seconds.
    pub fn leeway(mut self, leeway: Duration) -> Self {
        self.rules.leeway = leeway;
        self
    }

    /// A name of this site: the token has to be for it (`aud`). Called again, one more. Without a name only tokens for
    /// no site in particular are good.
    pub fn audience(mut self, name: impl Into<String>) -> Self {
        self.rules.audiences.push(name.into());
        self
    }

    /// Who has to have made the token (`iss`); called again, or who else. Default anybody with a key.
    pub fn issuer(mut self, name: impl Into<String>) -> Self {
        self.rules.issuers.push(name.into());
        self
    }

    /// A claim that the token has to have with exactly this value; called again, one more.
    pub fn require(mut self, claim: impl Into<String>, value: impl Into<Value>) -> Self {
        self.rules.required.push((claim.into(), value.into()));
        self
    }

    /// The claim with the user's primary key, a text or a whole number. Default `sub`.
    pub fn user_id_claim(mut self, claim: impl Into<String>) -> Self {
        self.user = UserClaim::Id(claim.into());
        self
    }

    /// The claim with the name that the user logs in with, instead of the key. Whoever signs must not let people choose
    /// it for themselves.
    pub fn username_claim(mut self, claim: impl Into<String>) -> Self {
        self.user = UserClaim::Name(claim.into());
        self
    }

    /// What stands in front of the token in `Authorization`. Default `Bearer`.
    pub fn keyword(mut self, keyword: impl Into<String>) -> Self {
        self.keyword = keyword.into();
        self
    }

    /// What a subprotocol begins with that carries a token. Default `bearer.`; with `None` none does.
    pub fn subprotocol_prefix(mut self, prefix: Option<&str>) -> Self {
        self.prefix = prefix.map(str::to_owned);
        self
    }

    /// Makes the way in.
    ///
    /// # Errors
    /// When there is no key, or the file cannot be read.
    pub fn build(self) -> Result<JwtWay, JwtKeyError> {
        if self.keys.is_empty() && self.file.is_none() {
            return Err(JwtKeyError::NoKey);
        }
        let file = self.file.map(|path| Jwks::open(&path, self.look_every)).transpose()?;
        let Self { keys, rules, user, keyword, prefix, .. } = self;
        Ok(JwtWay(Arc::new(Inner { keys, file, rules, user, keyword, prefix, check: OnceLock::new() })))
    }
}
