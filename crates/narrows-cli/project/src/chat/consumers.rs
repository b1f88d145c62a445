//! The socket of a room: one `Room` is one open page.

use std::error::Error;

use axum::extract::Path;
use axum::http::StatusCode;
use narrows::{
    Channels, Close, Connection, Consumer, Group, NameError, NoEvent, PresenceDiff, Reject,
};
use narrows_admin::Target;
use narrows_web::Db;
use narrows_web::narrows_django::MaybeUser;
use narrows_web::sea_orm::{ActiveValue::Set, QueryOrder, QuerySelect, entity::prelude::*};
use serde::{Deserialize, Serialize};

use super::models::{message, room};

/// What somebody who comes is shown of what was said before.
const RECENT: u64 = 50;
const MAX_CHARS: usize = 2000;

/// What a page sends.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum FromPage {
    Say { text: String },
}

/// What everybody in a room is told.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum ToRoom {
    Said {
        id: i64,
        from: String,
        text: String,
        at: i64,
    },
    /// By the staff, in the admin.
    Notice { text: String },
}

/// What a page is sent: that, and who came and left.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum ToPage {
    Room(ToRoom),
    Presence(PresenceDiff<()>),
}

pub struct Room {
    room: room::Model,
    group: Group<ToRoom>,
    name: String,
    db: Db,
}

impl Consumer for Room {
    type Scope = (Path<String>, Db, MaybeUser);
    type In = FromPage;
    type Out = ToPage;
    type Event = NoEvent;

    async fn connect(
        (Path(name), db, MaybeUser(user)): Self::Scope,
        conn: &mut Connection<Self>,
    ) -> Result<Self, Reject> {
        let room = find(&db, &name).await?;
        let room = room.ok_or_else(|| Reject::new(StatusCode::NOT_FOUND))?;
        let group = group(&room)?;
        let name = user.map_or_else(|| "guest".to_owned(), |user| user.username);

        // First who is in the group, then what was said before: so nothing is missed in between.
        conn.join(&group).await?;
        conn.join(&everyone()).await?;
        let said = message::Entity::find().filter(message::Column::RoomId.eq(room.id));
        let last = said.order_by_desc(message::Column::Id).limit(RECENT);
        for message in last.all(&db).await?.into_iter().rev() {
            conn.send(&ToPage::Room(message.into()))?;
        }

        let present = group.presence::<()>();
        conn.join(&present.diffs()).await?;
        conn.track(&present, &name, ()).await?;
        Ok(Self {
            room,
            group,
            name,
            db,
        })
    }

    async fn receive(
        &mut self,
        message: FromPage,
        conn: &mut Connection<Self>,
    ) -> Result<(), Close> {
        let FromPage::Say { text } = message;
        let text = text.trim();
        if text.is_empty() || text.chars().count() > MAX_CHARS {
            let detail = format!("A message has 1 to {MAX_CHARS} characters.");
            return Ok(conn.reply_error("length", &detail)?);
        }
        let row = message::ActiveModel {
            room_id: Set(self.room.id),
            author: Set(self.name.clone()),
            text: Set(text.to_owned()),
            sent_at: Set(ChronoUtc::now()),
            ..Default::default()
        };
        let said = row.insert(&self.db).await?;
        conn.reply(&said.id)?;
        conn.broadcast(&self.group, &said.into()).await?;
        Ok(())
    }
}

/// The room of this name.
pub async fn find(db: &Db, name: &str) -> Result<Option<room::Model>, DbErr> {
    room::Entity::find()
        .filter(room::Column::Name.eq(name))
        .one(db)
        .await
}

/// Everybody in a room.
pub fn group(room: &room::Model) -> Result<Group<ToRoom>, NameError> {
    Group::keyed("chat", &room.name)
}

/// All rooms.
fn everyone() -> Group<ToRoom> {
    Group::everyone()
}

/// Tells all, or a room, what staff write in the admin.
pub async fn announce(
    channels: Channels,
    text: String,
    to: Target,
) -> Result<(), Box<dyn Error + Send + Sync>> {
    let group = match to {
        Target::Everyone => everyone(),
        Target::Group(name) => Group::new(name)?,
    };
    channels.broadcast(&group, &ToRoom::Notice { text }).await?;
    Ok(())
}

impl From<message::Model> for ToRoom {
    fn from(message: message::Model) -> Self {
        Self::Said {
            id: message.id,
            from: message.author,
            text: message.text,
            at: message.sent_at.timestamp_millis(),
        }
    }
}

impl From<ToRoom> for ToPage {
    fn from(message: ToRoom) -> Self {
        Self::Room(message)
    }
}

impl From<PresenceDiff<()>> for ToPage {
    fn from(diff: PresenceDiff<()>) -> Self {
        Self::Presence(diff)
    }
}
