//! The socket of a room.

use std::time::Duration;

use axum::extract::Path;
use axum::http::StatusCode;
use narrows::{
    Close, Connection, Consumer, Group, History, NameError, NoEvent, PresenceDiff, Reject,
};
use narrows_web::narrows_django::Session;
use serde::{Deserialize, Serialize};

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
    Said { from: String, text: String },
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
    group: Group<ToRoom>,
    name: String,
}

impl Consumer for Room {
    type Scope = (Path<String>, Session);
    type In = FromPage;
    type Out = ToPage;
    type Event = NoEvent;

    async fn connect(
        (Path(room), session): Self::Scope,
        conn: &mut Connection<Self>,
    ) -> Result<Self, Reject> {
        let Some(name) = session.get::<String>("name") else {
            return Err(Reject::new(StatusCode::FORBIDDEN));
        };
        let group = group(&room)?;
        conn.join(&group).await?;
        let present = group.presence::<()>();
        conn.join(&present.diffs()).await?;
        conn.track(&present, &name, ()).await?;
        Ok(Self { group, name })
    }

    async fn receive(
        &mut self,
        message: FromPage,
        conn: &mut Connection<Self>,
    ) -> Result<(), Close> {
        let FromPage::Say { text } = message;
        conn.broadcast(
            &self.group,
            &ToRoom::Said {
                from: self.name.clone(),
                text,
            },
        )
        .await?;
        Ok(())
    }
}

/// Everybody in a room. What was said in the last ten minutes is kept for those who were away.
pub(super) fn group(room: &str) -> Result<Group<ToRoom>, NameError> {
    let history = History::new(200, Duration::from_secs(600));
    Ok(Group::keyed("chat", room)?.with_history(history))
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
