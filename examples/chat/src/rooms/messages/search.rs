use std::time::Duration;

use narrows_web::models::sea_orm::sea_query::{Expr, ExprTrait, Func};
use narrows_web::models::sea_orm::{
    ColumnTrait, DatabaseConnection, DbBackend, DbErr, QueryFilter, QueryOrder, QuerySelect,
};
use narrows_web::narrows_django::DatabaseError;
use serde::Serialize;

use super::{Kept, Messages, RoomKey, Top, pages, text};
use crate::rooms::models::message;

/// Hits on one page.
const HITS: usize = 30;
/// Messages that one search looks at: what is older is for the next page. By number, so the index of the room's messages is
/// all that is read.
const WINDOW: u64 = 20_000;
/// Words of one search; each is looked for in each message.
const WORDS: usize = 8;
/// Searches that run at once on this node: SQLite has four connections, and a log-in is not to wait for somebody's search.
pub(super) const SEARCHES: usize = 2;
/// How long a search waits for its turn.
const PATIENCE: Duration = Duration::from_secs(10);

/// What a search found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Found {
    pub(crate) epoch: u64,
    /// The newest first.
    pub(crate) messages: Vec<Kept>,
    /// Before which number to go on; `None` when all were looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) before: Option<u64>,
}

impl Messages {
    /// The messages of a room in which all words of a text occur, also within words, newest first: those before this number,
    /// or all. Case makes no difference, and no character has a meaning of its own. A few search at once, the others wait.
    pub(crate) async fn search(
        &self,
        room: &RoomKey,
        words: &str,
        before: Option<u64>,
    ) -> Result<Found, DatabaseError> {
        let folded = text::folded(words);
        let words: Vec<String> = folded.split_whitespace().take(WORDS).map(str::to_owned).collect();
        let group = room.group.clone();
        let turn = tokio::time::timeout(PATIENCE, self.0.searches.clone().acquire_owned()).await;
        let turn = turn.map_err(|_| DatabaseError::Slow)?.expect("it is never closed");
        let search = async move |pool| {
            // The turn is over with the statement: SQLite's runs to its end, also when nobody waits for it any more.
            let searching = tokio::spawn(async move {
                let found = find(&pool, &group, &words, before).await;
                drop(turn);
                found
            });
            searching.await.map_err(|error| DbErr::Custom(error.to_string())).flatten()
        };
        self.0.database.run(search).await
    }
}

async fn find(
    pool: &DatabaseConnection,
    group: &str,
    words: &[String],
    before: Option<u64>,
) -> Result<Found, DbErr> {
    let Top { epoch, last } = pages::top(pool, group).await?;
    let end = before.map_or(last + 1, |before| Ord::min(before, last + 1));
    let Some(oldest) = oldest(pool, group).await?.filter(|_| !words.is_empty()) else {
        return Ok(Found { epoch, messages: Vec::new(), before: None });
    };
    let start = Ord::max(end.saturating_sub(WINDOW), oldest);
    let id = message::Column::Id;
    let mut select = pages::said_in(group).filter(id.lt(end as i64)).filter(id.gte(start as i64));
    let position = match pool.get_database_backend() {
        DbBackend::Postgres => "strpos",
        _ => "instr",
    };
    for word in words {
        let found = Func::cust(position).arg(Expr::col(message::Column::Folded)).arg(word.as_str());
        select = select.filter(Expr::expr(found).gt(0));
    }
    let mut messages = pages::read_all(pool, select.order_by_desc(id).limit(HITS as u64 + 1)).await?;
    let before = if messages.len() > HITS {
        messages.truncate(HITS);
        messages.last().map(|message| message.id)
    } else {
        Some(start).filter(|start| *start > oldest)
    };
    Ok(Found { epoch, messages, before })
}

async fn oldest(pool: &DatabaseConnection, group: &str) -> Result<Option<u64>, DbErr> {
    let oldest = pages::said_in(group).order_by_asc(message::Column::Id).select_only();
    let id: Option<i64> = oldest.column(message::Column::Id).into_tuple().one(pool).await?;
    Ok(id.map(|id| id as u64))
}

#[cfg(test)]
mod tests {
    use narrows::Group;

    use super::*;

    #[tokio::test]
    async fn two_search_at_once_and_who_waits_too_long_for_a_turn_is_told() {
        let messages = Messages::of(crate::project().test().await.site());
        let room = RoomKey::new(&Group::new("lobby").unwrap(), "lobby");
        let searches = &messages.0.searches;
        let (one, two) = (searches.acquire().await.unwrap(), searches.acquire().await.unwrap());
        tokio::time::pause();
        assert!(matches!(messages.search(&room, "word", None).await, Err(DatabaseError::Slow)));
        // The database works by another clock.
        tokio::time::resume();
        drop(one);
        for _ in 0..3 {
            assert!(messages.search(&room, "word", None).await.unwrap().messages.is_empty());
        }
        drop(two);
        assert_eq!(searches.available_permits(), SEARCHES);
    }
}
