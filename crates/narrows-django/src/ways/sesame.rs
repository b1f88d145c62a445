use std::sync::{Arc, OnceLock};
use std::time::SystemTime;

use chrono::{SubsecRound, Utc};
use http::request::Parts;
use narrows::{Checking, Identity, IdentityCheck};
use sea_orm::ConnectionTrait;
use sea_orm::sea_query::{Alias, Expr, ExprTrait, Query};

use super::active::{active_users, standing, user_of};
use super::credentials::{query, subprotocol_tokens};
use super::{Entering, WayIn};
use crate::accounts::Accounts;
use crate::database::{DatabaseError, time_value};
use crate::sesame::{Holder, Sesame, SesameError, SesameToken};
use crate::signing::{SecretKeys, session_auth_hash};
use crate::user::{Key, User, UserId};

/// Lets in who has a link with a token of [django-sesame](crate::sesame), `?sesame=…`, or offers the subprotocol
/// `bearer.<token>`.
///
/// A token for one time ends with this log-in, and of two requests at the same time one comes in. A socket that came
/// with a token for several times ends when the token does; every socket ends when the user's password changes, if
/// that ends tokens, or the user is not active any more.
///
/// A link stays in histories and logs: a token that is to be secret for long has no place there. This way in never logs
/// one.
///
/// ```
/// use std::time::Duration;
///
/// use narrows_django::SecretKeys;
/// use narrows_django::sesame::{Sesame, SesameSettings};
/// use narrows_django::ways::SesameWay;
///
/// let mut settings = SesameSettings::default();
/// settings.max_age = Some(Duration::from_secs(600));
/// let way = SesameWay::new(Sesame::new(settings, &SecretKeys::new("a long secret"))?).scope("status-page");
/// # Ok::<(), narrows_django::sesame::SesameSettingsError>(())
/// ```
pub struct SesameWay {
    sesame: Arc<Sesame>,
    scope: Arc<str>,
    prefix: Option<String>,
    check: OnceLock<Arc<dyn IdentityCheck>>,
}

impl SesameWay {
    /// With the tokens that these settings make, in the default scope.
    pub fn new(sesame: Sesame) -> Self {
        Self {
            sesame: Arc::new(sesame),
            scope: "".into(),
            prefix: Some("bearer.".to_owned()),
            check: OnceLock::new(),
        }
    }

    /// Takes only tokens of this scope.
    #[must_use]
    pub fn scope(mut self, scope: &str) -> Self {
        self.scope = scope.into();
        self
    }

    /// What a subprotocol begins with that carries a token. Default `bearer.`; with `None` none does.
    #[must_use]
    pub fn subprotocol_prefix(mut self, prefix: Option<&str>) -> Self {
        self.prefix = prefix.map(str::to_owned);
        self
    }

    fn tokens(&self, parts: &Parts) -> Vec<SesameToken> {
        let offered = self.prefix.iter().flat_map(|prefix| subprotocol_tokens(parts, prefix));
        let tokens = query(parts, &self.sesame.settings().token_name).into_iter().chain(offered).take(2);
        let now = SystemTime::now();
        let read = tokens.map(|token| self.sesame.read(&token, now));
        read.filter_map(|read| read.inspect_err(|error| tracing::debug!(%error, "a token was refused")).ok())
            .collect()
    }

    async fn user(&self, token: SesameToken, accounts: &Accounts) -> Result<Option<User>, DatabaseError> {
        let Some(user) = self.holder(&token, accounts).await?.filter(|user| user.is_active) else {
            tracing::debug!("a token is for nobody here");
            return Ok(None);
        };
        let (sesame, scope, key) = (self.sesame.clone(), self.scope.clone(), token.key().to_owned());
        let holder = user.clone();
        let slow = token.is_slow();
        let verify = move || sesame.verify(&token, &Holder { key: &key, ..Holder::from(&holder) }, &scope);
        let verified = if slow {
            // Fails where the runtime ends.
            tokio::task::spawn_blocking(verify).await.unwrap_or(Err(SesameError::Invalid))
        } else {
            verify()
        };
        if let Err(error) = verified {
            tracing::debug!(%error, "a token was refused");
            return Ok(None);
        }
        if !self.sesame.settings().one_time {
            return Ok(Some(user));
        }
        record(user, accounts).await
    }

    /// The user that the token says it is for.
    async fn holder(&self, token: &SesameToken, accounts: &Accounts) -> Result<Option<User>, DatabaseError> {
        let model = &accounts.inner().model;
        match self.sesame.settings().primary_key_field.as_str() {
            "pk" => accounts.user_by_id(&UserId::new(token.key())).await,
            field if field == model.key => accounts.user_by_id(&UserId::new(token.key())).await,
            field if field == model.username => accounts.user_by_name(token.key()).await,
            field => {
                tracing::error!(field, "tokens name users by a field that is neither the key nor the name");
                Ok(None)
            }
        }
    }
}

impl SesameWay {
    fn check(&self, accounts: &Accounts) -> &Arc<dyn IdentityCheck> {
        self.check
            .get_or_init(|| Arc::new(SesameCheck { sesame: self.sesame.clone(), accounts: accounts.clone() }))
    }
}

impl WayIn for SesameWay {
    fn enter<'a>(&'a self, parts: &'a mut Parts, accounts: &'a Accounts) -> Entering<'a> {
        Box::pin(async move {
            for token in self.tokens(parts) {
                let expires = token.expires().filter(|_| !self.sesame.settings().one_time);
                let Some(user) = self.user(token, accounts).await? else { continue };
                let check = self.check(accounts);
                let proof = proof(&self.sesame, accounts.keys(), &user);
                let mut identity =
                    Identity::new().with_user(user.id.as_str()).checked_by(check.clone(), proof);
                if let Some(expires) = expires {
                    identity = identity.until(expires);
                }
                return Ok(Some((user, identity)));
            }
            Ok(None)
        })
    }

    fn identity_check(&self, accounts: &Accounts) -> Option<(&'static str, Arc<dyn IdentityCheck>)> {
        Some(("narrows-django.sesame", self.check(accounts).clone()))
    }

    fn subprotocol_prefix(&self) -> Option<&str> {
        self.prefix.as_deref()
    }
}

struct SesameCheck {
    sesame: Arc<Sesame>,
    accounts: Accounts,
}

impl IdentityCheck for SesameCheck {
    fn check<'a>(&'a self, identities: &'a [Identity]) -> Checking<'a> {
        Box::pin(async move {
            let users = active_users(&self.accounts, identities).await?;
            let same = |identity: &Identity| {
                let user = user_of(identity, &users);
                user.is_some_and(|user| proof(&self.sesame, self.accounts.keys(), user) == identity.proof())
            };
            Ok(identities.iter().map(|identity| standing(identity, same(identity))).collect())
        })
    }
}

/// Records the log-in, which ends the token. Of two who come with the same one, the second finds another log-in than the
/// one that the token knows of, and does not come in.
async fn record(mut user: User, accounts: &Accounts) -> Result<Option<User>, DatabaseError> {
    let model = &accounts.inner().model;
    let backend = accounts.database().backend();
    let Some(key) = Key::parse(model.key_kind, &user.id) else { return Ok(None) };
    let now = Utc::now().trunc_subsecs(6);
    let last_login = || Expr::col(Alias::new("last_login"));
    let mut update = Query::update();
    update
        .table(Alias::new(&model.table))
        .value(Alias::new("last_login"), Expr::val(time_value(now, backend)));
    update.and_where(Expr::col(Alias::new(&model.key)).eq(key.expr(backend)));
    update.and_where(match user.last_login {
        Some(before) => last_login().eq(time_value(before, backend)),
        None => last_login().is_null(),
    });
    let updated = accounts.database().run(async move |pool| pool.execute(&update).await).await?;
    if updated.rows_affected() == 0 {
        tracing::debug!("a token for one time was used twice");
        return Ok(None);
    }
    user.last_login = Some(now);
    Ok(Some(user))
}

/// What ends tokens, other than time and a log-in, as a hash.
fn proof(sesame: &Sesame, keys: &SecretKeys, user: &User) -> String {
    let settings = sesame.settings();
    let password = if settings.invalidate_on_password_change { &user.password } else { "" };
    let email = if settings.invalidate_on_email_change { &user.email } else { "" };
    session_auth_hash(&format!("{password}\n{email}"), keys.current())
}
