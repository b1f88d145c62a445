//! Whether those who have a socket still have their session, and may still log in.

use std::collections::HashMap;
use std::sync::Weak;
use std::time::SystemTime;

use narrows::{Checking, Identity, IdentityCheck, Standing};

use crate::accounts::{Accounts, Inner};
use crate::database::DatabaseError;
use crate::session::{AT_ONCE, Found};
use crate::signing::verify_session_auth_hash;
use crate::user::{BACKEND, HASH, ID, User, UserId};

/// Asks for sessions and users of many sockets at once.
pub(crate) struct AccountsCheck {
    /// The accounts have the check themselves.
    accounts: Weak<Inner>,
}

/// The accounts ended before the sockets did: nobody can say any more.
#[derive(Debug, thiserror::Error)]
#[error("the accounts are gone")]
struct Gone;

impl AccountsCheck {
    pub(crate) fn new(accounts: Weak<Inner>) -> Self {
        Self { accounts }
    }
}

impl IdentityCheck for AccountsCheck {
    fn check<'a>(&'a self, identities: &'a [Identity]) -> Checking<'a> {
        Box::pin(async move {
            let accounts = Accounts::upgrade(&self.accounts).ok_or(Gone)?;
            let known = Known::ask(&accounts, identities).await?;
            let now = SystemTime::now();
            let mut standings = Vec::with_capacity(identities.len());
            for some in identities.chunks(AT_ONCE) {
                standings.extend(some.iter().map(|identity| known.standing(identity, now)));
                tokio::task::yield_now().await;
            }
            Ok(standings)
        })
    }
}

/// What the database says of all of them.
struct Known<'a> {
    accounts: &'a Accounts,
    sessions: Found,
    users: HashMap<UserId, User>,
}

impl<'a> Known<'a> {
    async fn ask(accounts: &'a Accounts, identities: &[Identity]) -> Result<Self, DatabaseError> {
        let keys: Vec<&str> = identities.iter().filter_map(Identity::session).collect();
        let sessions = if keys.is_empty() { Found::new() } else { accounts.sessions_by_keys(&keys).await? };
        let ids: Vec<UserId> = identities.iter().filter_map(Identity::user).map(UserId::new).collect();
        let users = accounts.users_by_ids(&ids).await?;
        Ok(Self { accounts, sessions, users })
    }

    fn standing(&self, identity: &Identity, now: SystemTime) -> Standing {
        let Some(key) = identity.session() else {
            // A session in its cookie: nobody but its time can end it, and the user.
            let over = identity.expires().is_some_and(|time| time <= now);
            let holds = !over && identity.user().is_none_or(|id| self.may_log_in(id, identity.proof()));
            return if holds { Standing::Holds(identity.expires()) } else { Standing::Ended };
        };
        let Some((values, expires)) = self.sessions.get(key) else { return Standing::Ended };
        let text = |name| values.get::<String>(name).unwrap_or_default();
        let backends = &self.accounts.inner().log_in.backends;
        let holds = identity.user().is_none_or(|id| {
            self.accounts.is_same_user(id, &text(ID))
                && backends.iter().any(|backend| *backend == text(BACKEND))
                && self.may_log_in(id, &text(HASH))
        });
        if holds { Standing::Holds(Some((*expires).into())) } else { Standing::Ended }
    }

    /// Whether the user is there and active, and has the password that this hash is of.
    fn may_log_in(&self, id: &str, hash: &str) -> bool {
        self.users.get(&UserId::new(id)).is_some_and(|user| {
            user.is_active && verify_session_auth_hash(hash, &user.password, self.accounts.keys()).is_some()
        })
    }
}
