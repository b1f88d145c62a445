use narrows::{BroadcastError, Channels, Group};
use narrows_web::models::sea_orm::ActiveValue::Set;
use narrows_web::models::sea_orm::sea_query::{Expr, ExprTrait, OnConflict};
use narrows_web::models::sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, EntityTrait,
    QueryFilter, RuntimeErr, SqlErr, sqlx,
};
use narrows_web::narrows_django::{DatabaseError, begin_writing};
use serde::Serialize;

use super::{Kept, Messages, RoomKey, Top, pages, text};
use crate::rooms::bot::BotChannel;
use crate::rooms::models::{message, room};
use crate::rooms::protocol::{ServerMsg, now};

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
    let transaction = begin_writing(pool).await?;
    wait_no_longer(&transaction).await?;
    // It locks the room's row until the end: a message that has a smaller number is there before this one.
    let (group, title) = (draft.room.group.clone(), text::written(&draft.room.title).into_owned());
    let number = room::ActiveModel {
        room: Set(group.clone()),
        title: Set(title),
        epoch: Set(new_epoch()),
        last: Set(1),
    };
    let next = Expr::col((room::Entity, room::Column::Last)).add(1);
    let mut or_next = OnConflict::column(room::Column::Room);
    let number = room::Entity::insert(number).on_conflict(or_next.value(room::Column::Last, next).to_owned());
    number.exec_without_returning(&transaction).await?;
    let Top { epoch, last } = pages::top(&transaction, &group).await?;
    let time = now();
    let said = message::ActiveModel {
        room: Set(group),
        id: Set(last as i64),
        sender: Set(draft.sender.clone()),
        once: Set(draft.once.clone()),
        name: Set(text::written(&draft.name).into_owned()),
        account: Set(draft.account),
        body: Set(text::written(&draft.message).into_owned()),
        folded: Set(text::folded(&draft.message)),
        said_at: Set(time as i64),
    };
    match message::Entity::insert(said).exec_without_returning(&transaction).await {
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
    let earlier = pages::said_in(&draft.room.group)
        .filter(message::Column::Sender.eq(draft.sender.as_str()))
        .filter(message::Column::Once.eq(once.as_str()));
    Ok(pages::read_all(pool, earlier).await?.pop())
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
