//! The socket of a room.

use axum::extract::Path;
use axum::http::StatusCode;
use narrows::{Close, Connection, Consumer, Group, NameError, NoEvent, PresenceDiff, Reject};
use narrows_web::Db;
use narrows_web::models::sea_orm::prelude::ChronoUtc;
use narrows_web::models::sea_orm::{
    ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
};
use narrows_web::narrows_django::User;
use serde::{Deserialize, Serialize};

use super::models::{MAX_ROOM, message};

/// What somebody who comes is shown of what was said before.
const RECENT: u64 = 50;

/// What a page sends.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub(super) enum FromPage {
    Say { text: String },
}

/// What everybody in a room is told.
#[derive(Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub(super) enum ToRoom {
    Said { id: i64, from: String, text: String },
}

/// What a page is sent: that, and who came and left.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum ToPage {
    Room(ToRoom),
    Presence(PresenceDiff<()>),
}

/// One open page.
pub(super) struct Room {
    room: String,
    group: Group<ToRoom>,
    user: User,
    db: Db,
}

impl Consumer for Room {
    type Scope = (Path<String>, User, Db);
    type In = FromPage;
    type Out = ToPage;
    type Event = NoEvent;

    async fn connect(
        (Path(room), user, db): Self::Scope,
        conn: &mut Connection<Self>,
    ) -> Result<Self, Reject> {
        if room.chars().count() > MAX_ROOM {
            return Err(Reject::new(StatusCode::NOT_FOUND));
        }
        let group = group(&room)?;
        // First into the group, then what was said before: so nothing is missed in between.
        conn.join(&group).await?;
        let recent = message::Entity::find().filter(message::Column::Room.eq(&room));
        let recent = recent
            .order_by_desc(message::Column::Id)
            .limit(RECENT)
            .all(&db)
            .await?;
        for message in recent.into_iter().rev() {
            conn.send(&ToPage::Room(message.into()))?;
        }
        let present = group.presence::<()>();
        conn.join(&present.diffs()).await?;
        conn.track(&present, &user.username, ()).await?;
        Ok(Self {
            room,
            group,
            user,
            db,
        })
    }

    async fn receive(
        &mut self,
        message: FromPage,
        conn: &mut Connection<Self>,
    ) -> Result<(), Close> {
        let FromPage::Say { text } = message;
        let message = message::ActiveModel {
            room: Set(self.room.clone()),
            author: Set(self.user.username.clone()),
            text: Set(text),
            sent_at: Set(ChronoUtc::now()),
            ..Default::default()
        };
        let message = message::Entity::insert(message)
            .exec_with_returning(&self.db)
            .await?;
        conn.broadcast(&self.group, &message.into()).await?;
        Ok(())
    }
}

/// Everybody in a room.
pub(super) fn group(room: &str) -> Result<Group<ToRoom>, NameError> {
    Group::keyed("chat", room)
}

impl From<message::Model> for ToRoom {
    fn from(message: message::Model) -> Self {
        Self::Said {
            id: message.id,
            from: message.author,
            text: message.text,
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
