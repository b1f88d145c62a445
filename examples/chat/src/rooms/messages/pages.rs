use narrows_web::models::sea_orm::{
    self, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, FromQueryResult, Order, QueryFilter, QueryOrder,
    QuerySelect, Select,
};
use narrows_web::narrows_django::DatabaseError;
use serde::Serialize;

use super::{Kept, Messages, RoomKey, Top, text};
use crate::rooms::models::{message, room};

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
            let mut select = said_in(&group);
            let id = message::Column::Id;
            select = match (&order, from.map(|from| i64::try_from(from).unwrap_or(i64::MAX))) {
                (Order::Asc, Some(from)) => select.filter(id.gt(from)),
                (_, Some(from)) => select.filter(id.lt(from)),
                (_, None) => select,
            };
            let descends = order == Order::Desc;
            let mut messages = read_all(&pool, select.order_by(id, order).limit(PAGE + 1)).await?;
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
            let named = room::Column::Room.is_in(groups.iter().map(String::as_str));
            let found = room::Entity::find().filter(named).all(&pool).await?;
            let top = |group: &String| found.iter().find(|room| room.room == *group).map(Top::of);
            Ok::<_, DbErr>(groups.iter().map(|group| top(group).unwrap_or_default()).collect())
        };
        self.0.database.run(read).await
    }
}

impl Top {
    pub(super) fn of(room: &room::Model) -> Self {
        Self { epoch: room.epoch as u64, last: room.last as u64 }
    }
}

pub(super) async fn top(connection: &impl ConnectionTrait, group: &str) -> Result<Top, DbErr> {
    let room = room::Entity::find_by_id(group.to_owned()).one(connection).await?;
    Ok(room.as_ref().map(Top::of).unwrap_or_default())
}

/// The messages of a room.
pub(super) fn said_in(group: &str) -> Select<message::Entity> {
    message::Entity::find().filter(message::Column::Room.eq(group))
}

/// What is told of a message.
#[derive(FromQueryResult)]
struct Row {
    id: i64,
    name: String,
    account: bool,
    body: String,
    said_at: i64,
}

impl From<Row> for Kept {
    fn from(Row { id, name, account, body, said_at }: Row) -> Self {
        let (message, from) = (text::read(body), text::read(name));
        Self { id: id as u64, message, from, account, time: said_at as u64 }
    }
}

pub(super) async fn read_all(
    connection: &impl ConnectionTrait,
    select: Select<message::Entity>,
) -> Result<Vec<Kept>, DbErr> {
    use message::Column::{Account, Body, Id, Name, SaidAt};

    let rows = select.select_only().columns([Id, Name, Account, Body, SaidAt]);
    Ok(rows.into_model::<Row>().all(connection).await?.into_iter().map(Kept::from).collect())
}
