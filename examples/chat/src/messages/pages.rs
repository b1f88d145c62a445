use narrows_django::DatabaseError;
use narrows_django::sea_orm::sea_query::{Expr, ExprTrait, Order, Query, SelectStatement};
use narrows_django::sea_orm::{ConnectionTrait, DbErr, QueryResult};
use serde::Serialize;

use super::tables::{MESSAGES, ROOMS};
use super::{Kept, Messages, RoomKey, Top, text};

/// Messages on one page: each has at most 8 kB.
pub(crate) const PAGE: u64 = 50;

/// A part of a room's history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Page {
    pub(crate) epoch: u64,
    /// The number of the room's newest message.
    pub(crate) last: u64,
    /// In the order of their numbers.
    pub(crate) messages: Vec<Kept>,
    /// There are more in the direction in which was read.
    pub(crate) more: bool,
}

impl Messages {
    /// The newest messages of a room, or those before this number.
    pub(crate) async fn before(&self, room: &RoomKey, id: Option<u64>) -> Result<Page, DatabaseError> {
        self.page(room, Order::Desc, id).await
    }

    /// The messages after this number, the oldest of them first.
    pub(crate) async fn after(&self, room: &RoomKey, id: u64) -> Result<Page, DatabaseError> {
        self.page(room, Order::Asc, Some(id)).await
    }

    async fn page(&self, room: &RoomKey, order: Order, from: Option<u64>) -> Result<Page, DatabaseError> {
        let group = room.group.clone();
        let read = async move |pool| {
            let Top { epoch, last } = top(&pool, &group).await?;
            let mut select = select(&group);
            let id = Expr::col("id");
            match (&order, from.map(|from| i64::try_from(from).unwrap_or(i64::MAX))) {
                (Order::Asc, Some(from)) => select.and_where(id.gt(from)),
                (_, Some(from)) => select.and_where(id.lt(from)),
                (_, None) => &mut select,
            };
            let descends = order == Order::Desc;
            select.order_by("id", order).limit(PAGE + 1);
            let mut messages = read_all(&pool, &select).await?;
            let more = messages.len() as u64 > PAGE;
            messages.truncate(PAGE as usize);
            if descends {
                messages.reverse();
            }
            Ok::<_, DbErr>(Page { epoch, last, messages, more })
        };
        self.0.database.run(read).await
    }

    /// Where the numbers of these rooms stand, in the same order.
    pub(crate) async fn tops(&self, rooms: &[RoomKey]) -> Result<Vec<Top>, DatabaseError> {
        let groups: Vec<String> = rooms.iter().map(|room| room.group.clone()).collect();
        let read = async move |pool| {
            let mut select = Query::select();
            select.columns(["room", "epoch", "last"]).from(ROOMS);
            select.and_where(Expr::col("room").is_in(groups.iter().map(String::as_str)));
            let mut tops = vec![Top::default(); groups.len()];
            let rows = ConnectionTrait::query_all(&pool, &select).await?;
            for row in rows {
                let room: String = row.try_get("", "room")?;
                for place in (0..groups.len()).filter(|place| groups[*place] == room) {
                    tops[place] = top_of(&row)?;
                }
            }
            Ok::<_, DbErr>(tops)
        };
        self.0.database.run(read).await
    }
}

pub(super) async fn top(connection: &impl ConnectionTrait, group: &str) -> Result<Top, DbErr> {
    let mut select = Query::select();
    select.columns(["epoch", "last"]).from(ROOMS).and_where(Expr::col("room").eq(group));
    let row = connection.query_one(&select).await?;
    Ok(row.as_ref().map(top_of).transpose()?.unwrap_or_default())
}

fn top_of(row: &QueryResult) -> Result<Top, DbErr> {
    let (epoch, last): (i64, i64) = (row.try_get("", "epoch")?, row.try_get("", "last")?);
    Ok(Top { epoch: epoch as u64, last: last as u64 })
}

/// The messages of a room, as [`kept`] reads them.
pub(super) fn select(group: &str) -> SelectStatement {
    let mut select = Query::select();
    select.columns(["id", "name", "account", "body", "said_at"]).from(MESSAGES);
    select.and_where(Expr::col("room").eq(group));
    select
}

pub(super) async fn read_all(
    connection: &impl ConnectionTrait,
    select: &SelectStatement,
) -> Result<Vec<Kept>, DbErr> {
    connection.query_all(select).await?.iter().map(kept).collect()
}

pub(super) fn kept(row: &QueryResult) -> Result<Kept, DbErr> {
    let (id, time): (i64, i64) = (row.try_get("", "id")?, row.try_get("", "said_at")?);
    Ok(Kept {
        id: id as u64,
        message: text::read(row.try_get("", "body")?),
        from: text::read(row.try_get("", "name")?),
        account: row.try_get("", "account")?,
        time: time as u64,
    })
}
