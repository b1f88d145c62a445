use std::collections::HashMap;
use std::time::SystemTime;

use narrows::{Checking, Identity, IdentityCheck, Standing};

use crate::accounts::Accounts;
use crate::database::DatabaseError;
use crate::user::{User, UserId};

/// Says of identities whether their users are still there and active, and of those with an end whether it has come.
pub(super) struct ActiveCheck(pub(super) Accounts);

impl IdentityCheck for ActiveCheck {
    fn check<'a>(&'a self, identities: &'a [Identity]) -> Checking<'a> {
        Box::pin(async move {
            let users = active_users(&self.0, identities).await?;
            Ok(identities
                .iter()
                .map(|identity| standing(identity, user_of(identity, &users).is_some()))
                .collect())
        })
    }
}

/// The users of these identities who are there and active, by one query.
pub(super) async fn active_users(
    accounts: &Accounts,
    identities: &[Identity],
) -> Result<HashMap<UserId, User>, DatabaseError> {
    let ids: Vec<_> = identities.iter().filter_map(Identity::user).map(UserId::new).collect();
    let mut users = accounts.users_by_ids(&ids).await?;
    users.retain(|_, user| user.is_active);
    Ok(users)
}

pub(super) fn user_of<'a>(identity: &Identity, users: &'a HashMap<UserId, User>) -> Option<&'a User> {
    users.get(&UserId::new(identity.user()?))
}

/// What an identity's own end says, where nothing else speaks against it.
pub(super) fn standing(identity: &Identity, holds: bool) -> Standing {
    match identity.expires() {
        _ if !holds => Standing::Ended,
        Some(end) if end <= SystemTime::now() => Standing::Ended,
        end => Standing::Holds(end),
    }
}
