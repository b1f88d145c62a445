//! How far accounts have read.

use std::collections::HashMap;

use narrows_web::models::sea_orm::ActiveValue::Set;
use narrows_web::models::sea_orm::sea_query::{Expr, ExprTrait, Func, OnConflict, Order, Query};
use narrows_web::models::sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseConnection, DbBackend, DbErr, EntityTrait, QueryFilter,
};
use narrows_web::narrows_django::{DatabaseError, begin_writing};

use super::{Messages, RoomKey, Top, pages, text};
use crate::rooms::models::{mark, message, room};

/// Rooms that are listed for an account: those in which something was said last.
const ROOMS_LISTED: u64 = 50;

/// A room that an account has been to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Visited {
    pub(crate) title: String,
    pub(crate) top: Top,
    pub(crate) read: u64,
}

impl Messages {
    /// Remembers that an account has read a room up to this number, at most that of the newest message. Gives the number
    /// that holds now; `None` where it had read as far before, which costs no write.
    pub(crate) async fn mark(
        &self,
        reader: &str,
        room: &RoomKey,
        id: u64,
    ) -> Result<Option<u64>, DatabaseError> {
        let (reader, group) = (reader.to_owned(), room.group.clone());
        let write = async move |pool: DatabaseConnection| {
            let last = pages::top(&pool, &group).await?.last;
            if last == 0 {
                // Nothing was said there.
                return Ok(None);
            }
            let id = Ord::min(id, last);
            if read(&pool, &reader, &group).await?.is_some_and(|read| read >= id) {
                return Ok(None);
            }
            let greatest = match pool.get_database_backend() {
                DbBackend::Sqlite => "max",
                _ => "greatest",
            };
            let transaction = begin_writing(&pool).await?;
            let greatest =
                Func::cust(greatest).arg(Expr::col((mark::Entity, mark::Column::Id))).arg(id as i64);
            let mut or_further = OnConflict::columns([mark::Column::Reader, mark::Column::Room]);
            let further = or_further.value(mark::Column::Id, greatest).to_owned();
            let row = mark::ActiveModel {
                reader: Set(reader.clone()),
                room: Set(group.clone()),
                id: Set(id as i64),
            };
            let mark = mark::Entity::insert(row).on_conflict(further);
            mark.exec_without_returning(&transaction).await?;
            let holds = read(&transaction, &reader, &group).await?.unwrap_or(id);
            transaction.commit().await?;
            Ok::<_, DbErr>(Some(holds))
        };
        self.0.database.run(write).await
    }

    /// How far an account has read a room; `None` if it never was there.
    pub(crate) async fn read_to(&self, reader: &str, room: &RoomKey) -> Result<Option<u64>, DatabaseError> {
        let (reader, group) = (reader.to_owned(), room.group.clone());
        self.0.database.run(async move |pool| read(&pool, &reader, &group).await).await
    }

    /// How far an account has read each of these rooms, in the same order.
    pub(crate) async fn read_to_all(
        &self,
        reader: &str,
        rooms: &[RoomKey],
    ) -> Result<Vec<Option<u64>>, DatabaseError> {
        let reader = reader.to_owned();
        let groups: Vec<String> = rooms.iter().map(|room| room.group.clone()).collect();
        let list = async move |pool| {
            let of_reader = mark::Entity::find().filter(mark::Column::Reader.eq(reader.as_str()));
            let named = mark::Column::Room.is_in(groups.iter().map(String::as_str));
            let marks = of_reader.filter(named).all(&pool).await?;
            let marks: HashMap<String, i64> = marks.into_iter().map(|mark| (mark.room, mark.id)).collect();
            Ok::<_, DbErr>(groups.iter().map(|group| marks.get(group).map(|id| *id as u64)).collect())
        };
        self.0.database.run(list).await
    }

    /// The rooms that an account has been to and in which something was said: those of the newest messages, in no order.
    pub(crate) async fn visited(&self, reader: &str) -> Result<Vec<Visited>, DatabaseError> {
        let reader = reader.to_owned();
        let list = async move |pool| {
            let mut select = Query::select();
            select
                .column((room::Entity, room::Column::Title))
                .column((room::Entity, room::Column::Epoch))
                .column((room::Entity, room::Column::Last));
            select.column((mark::Entity, mark::Column::Id)).from(mark::Entity);
            select.inner_join(
                room::Entity,
                Expr::col((room::Entity, room::Column::Room)).equals((mark::Entity, mark::Column::Room)),
            );
            select.and_where(Expr::col((mark::Entity, mark::Column::Reader)).eq(reader.as_str()));
            let is_newest =
                Expr::col((message::Entity, message::Column::Id)).equals((room::Entity, room::Column::Last));
            let is_there = Expr::col((message::Entity, message::Column::Room))
                .equals((room::Entity, room::Column::Room));
            select.left_join(message::Entity, is_there.and(is_newest));
            // It was deleted where everything in the room was.
            let said_at =
                Func::coalesce([Expr::col((message::Entity, message::Column::SaidAt)), Expr::val(0_i64)]);
            select.order_by_expr(said_at.into(), Order::Desc);
            select.order_by((room::Entity, room::Column::Title), Order::Asc).limit(ROOMS_LISTED);
            let rows = ConnectionTrait::query_all(&pool, &select).await?;
            let visited = rows.iter().map(|row| {
                let (epoch, last): (i64, i64) = (row.try_get("", "epoch")?, row.try_get("", "last")?);
                Ok(Visited {
                    title: text::read(row.try_get("", "title")?),
                    top: Top { epoch: epoch as u64, last: last as u64 },
                    read: row.try_get::<i64>("", "id")? as u64,
                })
            });
            visited.collect::<Result<Vec<_>, DbErr>>()
        };
        self.0.database.run(list).await
    }
}

async fn read(connection: &impl ConnectionTrait, reader: &str, group: &str) -> Result<Option<u64>, DbErr> {
    let mark = mark::Entity::find_by_id((reader.to_owned(), group.to_owned())).one(connection).await?;
    Ok(mark.map(|mark| mark.id as u64))
}
