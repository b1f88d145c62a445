//! How far accounts have read.

use std::collections::HashMap;

use narrows_django::DatabaseError;
use narrows_django::sea_orm::sea_query::{Expr, ExprTrait, Func, OnConflict, Order, Query};
use narrows_django::sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, DbErr};

use super::tables::{MARKS, MESSAGES, ROOMS, begin};
use super::{Messages, RoomKey, Top, pages, text};

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
            let id = Ord::min(id, last);
            if read(&pool, &reader, &group).await?.is_some_and(|read| read >= id) {
                return Ok(None);
            }
            let greatest = match pool.get_database_backend() {
                DbBackend::Sqlite => "max",
                _ => "greatest",
            };
            let transaction = begin(&pool).await?;
            let mut insert = Query::insert();
            insert
                .into_table(MARKS)
                .columns(["reader", "room", "id"])
                .values_panic([reader.as_str().into(), group.as_str().into(), (id as i64).into()])
                .on_conflict(
                    OnConflict::columns(["reader", "room"])
                        .value("id", Func::cust(greatest).arg(Expr::col((MARKS, "id"))).arg(id as i64))
                        .to_owned(),
                );
            transaction.execute(&insert).await?;
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
            let mut select = Query::select();
            select.columns(["room", "id"]).from(MARKS).and_where(Expr::col("reader").eq(reader.as_str()));
            select.and_where(Expr::col("room").is_in(groups.iter().map(String::as_str)));
            let rows = ConnectionTrait::query_all(&pool, &select).await?;
            let marks = rows.iter().map(|row| Ok((row.try_get("", "room")?, row.try_get::<i64>("", "id")?)));
            let marks = marks.collect::<Result<HashMap<String, i64>, DbErr>>()?;
            Ok::<_, DbErr>(groups.iter().map(|group| marks.get(group).map(|id| *id as u64)).collect())
        };
        self.0.database.run(list).await
    }

    /// The rooms that an account has been to and in which something was said: those of the newest messages, in no order.
    pub(crate) async fn visited(&self, reader: &str) -> Result<Vec<Visited>, DatabaseError> {
        let reader = reader.to_owned();
        let list = async move |pool| {
            let mut select = Query::select();
            select.column((ROOMS, "title")).column((ROOMS, "epoch")).column((ROOMS, "last"));
            select.column((MARKS, "id")).from(MARKS);
            select.inner_join(ROOMS, Expr::col((ROOMS, "room")).equals((MARKS, "room")));
            select.and_where(Expr::col((MARKS, "reader")).eq(reader.as_str()));
            let is_newest = Expr::col((MESSAGES, "id")).equals((ROOMS, "last"));
            let is_there = Expr::col((MESSAGES, "room")).equals((ROOMS, "room"));
            select.left_join(MESSAGES, is_there.and(is_newest));
            // It was deleted where everything in the room was.
            let said_at = Func::coalesce([Expr::col((MESSAGES, "said_at")), Expr::val(0_i64)]);
            select.order_by_expr(said_at.into(), Order::Desc);
            select.order_by((ROOMS, "title"), Order::Asc).limit(ROOMS_LISTED);
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
    let mut select = Query::select();
    select.column("id").from(MARKS);
    select.and_where(Expr::col("reader").eq(reader)).and_where(Expr::col("room").eq(group));
    let row = connection.query_one(&select).await?;
    row.map(|row| row.try_get::<i64>("", "id").map(|id| id as u64)).transpose()
}
