use narrows::{BroadcastError, Channels, Group};
use narrows_django::DatabaseError;
use narrows_django::sea_orm::sea_query::{Expr, ExprTrait, OnConflict, Query};
use narrows_django::sea_orm::sqlx;
use narrows_django::sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, RuntimeErr, SqlErr,
};

use serde::Serialize;

use super::tables::{MESSAGES, ROOMS, begin};
use super::{Kept, Messages, RoomKey, Top, pages, text};
use crate::bot::BotChannel;
use crate::protocol::{ServerMsg, now};

/// How often a write is tried that the database broke off for another one's sake.
const TRIES: u32 = 5;

/// A message on its way into the database.
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    pub(crate) room: RoomKey,
    /// Who says it: nobody else has this text, whatever the name.
    pub(crate) sender: String,
    /// The client's own id: a message of this sender with it is stored once.
    pub(crate) once: Option<String>,
    pub(crate) name: String,
    pub(crate) account: bool,
    pub(crate) message: String,
}

/// A message that is stored, and was sent to all in the room.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Said {
    pub(crate) epoch: u64,
    pub(crate) id: u64,
    pub(crate) time: u64,
    /// It was for the bot, which was not asked.
    #[serde(skip)]
    pub(crate) is_bot_busy: bool,
}

/// Why a message was not said. It may be stored all the same; said again with its id, it is stored once.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SayError {
    #[error("the message could not be stored")]
    Store(#[from] DatabaseError),
    #[error("too much is being said in this room")]
    Busy,
    #[error("the message is stored, and could not be sent")]
    Send(#[from] BroadcastError),
    #[error("the node is ending")]
    Ending,
}

impl Messages {
    /// Stores a message and sends it to all in the room, and then to the bot, where it is for it.
    ///
    /// It is done to its end, also when who asked does not wait for it: what is stored is heard. When the process is killed
    /// between the steps, the rest is done when it is said again, or the message is read from the history.
    pub(crate) async fn say(
        &self,
        channels: &Channels,
        group: &Group<ServerMsg>,
        draft: Draft,
        bot: Option<&BotChannel>,
    ) -> Result<Said, SayError> {
        let (messages, channels, group, bot) = (self.clone(), channels.clone(), group.clone(), bot.cloned());
        let saying = tokio::spawn(async move {
            let room = draft.room.clone();
            let (epoch, kept) = messages.say_now(&channels, &group, draft).await?;
            let Kept { id, time, .. } = kept;
            // Behind the message: all see the answer below the question.
            let is_bot_busy = match bot {
                Some(bot) => !bot.ask(&channels, &room, &kept, name_of(epoch, id)).await,
                None => false,
            };
            Ok(Said { epoch, id, time, is_bot_busy })
        });
        saying.await.unwrap_or(Err(SayError::Ending))
    }

    async fn say_now(
        &self,
        channels: &Channels,
        group: &Group<ServerMsg>,
        draft: Draft,
    ) -> Result<(u64, Kept), SayError> {
        let _turn = self.0.turns.take(&draft.room.group).await.ok_or(SayError::Busy)?;
        let once = draft.once.clone();
        let (epoch, kept) = self.0.database.run(async move |pool| store(&pool, &draft).await).await?;
        let Kept { id, message, from, account, time } = kept.clone();
        let msg = ServerMsg::Message { message, from, account, time, id, epoch, once };
        // One that was stored by an earlier try may have been sent by it, too.
        channels.broadcast_once(group, &msg, &name_of(epoch, id)).await?;
        Ok((epoch, kept))
    }
}

/// What no other message of the room is called.
fn name_of(epoch: u64, id: u64) -> String {
    format!("{epoch:x}-{id}")
}

/// The epoch, and the message as it stands in the database, by this try or by an earlier one.
async fn store(pool: &DatabaseConnection, draft: &Draft) -> Result<(u64, Kept), DbErr> {
    for _ in 1..TRIES {
        match store_once(pool, draft).await {
            Err(error) if was_broken_off(&error) => {}
            done => return done,
        }
    }
    store_once(pool, draft).await
}

async fn store_once(pool: &DatabaseConnection, draft: &Draft) -> Result<(u64, Kept), DbErr> {
    let transaction = begin(pool).await?;
    wait_no_longer(&transaction).await?;
    // It locks the room's row until the end: a message that has a smaller number is there before this one.
    let mut number = Query::insert();
    number
        .into_table(ROOMS)
        .columns(["room", "title", "epoch", "last"])
        .values_panic([
            draft.room.group.as_str().into(),
            text::written(&draft.room.title).as_ref().into(),
            new_epoch().into(),
            1_i64.into(),
        ])
        .on_conflict(OnConflict::column("room").value("last", Expr::col((ROOMS, "last")).add(1)).to_owned());
    transaction.execute(&number).await?;
    let Top { epoch, last } = pages::top(&transaction, &draft.room.group).await?;
    let time = now();
    let mut insert = Query::insert();
    insert
        .into_table(MESSAGES)
        .columns(["room", "id", "sender", "once", "name", "account", "body", "folded", "said_at"])
        .values_panic([
            draft.room.group.as_str().into(),
            (last as i64).into(),
            draft.sender.as_str().into(),
            draft.once.clone().into(),
            text::written(&draft.name).as_ref().into(),
            draft.account.into(),
            text::written(&draft.message).as_ref().into(),
            text::folded(&draft.message).into(),
            (time as i64).into(),
        ]);
    match transaction.execute(&insert).await {
        Ok(_) => {
            transaction.commit().await?;
            let Draft { name, account, message, .. } = draft.clone();
            let kept = Kept { id: last, message, from: name, account, time };
            Ok((epoch, kept))
        }
        Err(error) if matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_))) => {
            transaction.rollback().await?;
            stored_before(pool, draft).await?.map(|kept| (epoch, kept)).ok_or(error)
        }
        Err(error) => Err(error),
    }
}

async fn stored_before(pool: &DatabaseConnection, draft: &Draft) -> Result<Option<Kept>, DbErr> {
    let Some(once) = &draft.once else { return Ok(None) };
    let mut select = pages::select(&draft.room.group);
    select.and_where(Expr::col("sender").eq(draft.sender.as_str()));
    select.and_where(Expr::col("once").eq(once.as_str()));
    pool.query_one(&select).await?.map(|row| pages::kept(&row)).transpose()
}

/// A row that stays locked is an error after five seconds, as it is in SQLite: the connection is free then for other rooms.
async fn wait_no_longer(transaction: &DatabaseTransaction) -> Result<(), DbErr> {
    let statement = match transaction.get_database_backend() {
        DbBackend::Postgres => "SET LOCAL lock_timeout = '5s'",
        DbBackend::MySql => "SET innodb_lock_wait_timeout = 5",
        _ => return Ok(()),
    };
    transaction.execute_unprepared(statement).await.map(drop)
}

/// A deadlock, or two transactions that cannot both be.
fn was_broken_off(error: &DbErr) -> bool {
    let (DbErr::Exec(RuntimeErr::SqlxError(error)) | DbErr::Query(RuntimeErr::SqlxError(error))) = error
    else {
        return false;
    };
    let sqlx::Error::Database(error) = error.as_ref() else { return false };
    matches!(error.code().as_deref(), Some("40001" | "40P01"))
}

/// What a browser's numbers hold.
fn new_epoch() -> i64 {
    rand::random_range(1..1_i64 << 53)
}
