use http::request::Parts;
use narrows::Identity;

use super::Ways;
use crate::accounts::Accounts;
use crate::database::DatabaseError;
use crate::user::User;

/// Who came in by one of the request's ways, as far as they were asked: a handler with two extractors asks twice, and a
/// token for one time is good for one.
#[derive(Clone, Default)]
struct Entered {
    asked: usize,
    who: Option<(User, Identity)>,
}

/// Who comes in by one of the [`Ways`] of a request.
pub(crate) async fn enter(
    parts: &mut Parts,
    accounts: &Accounts,
) -> Result<Option<(User, Identity)>, DatabaseError> {
    let Some(Ways(ways)) = parts.extensions.get::<Ways>().cloned() else { return Ok(None) };
    let mut entered = parts.extensions.remove::<Entered>().unwrap_or_default();
    // An extractor outside of a layer did not see the layer's way yet.
    for way in &ways[entered.asked.min(ways.len())..] {
        if entered.who.is_some() {
            break;
        }
        entered.who = way.enter(parts, accounts).await?;
        entered.asked += 1;
    }
    let who = entered.who.clone();
    parts.extensions.insert(entered);
    Ok(who)
}
