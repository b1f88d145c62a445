use std::time::Duration;

use axum::extract::Query;
use narrows::{
    Close, Connection, Consumer, Group, History, NameError, NoEvent, Presence, PresenceDiff, Reject, Resume,
};
use serde::{Deserialize, Serialize};

/// One client in the one room that there is.
pub struct Member {
    room: Group<Said>,
    name: String,
}

/// What is said in the room, by whom, and the sender's own number of it: 1, 2, 3 …
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "type", rename = "said")]
pub struct Said {
    /// The sender.
    pub from: String,
    /// Its number.
    pub n: u64,
}

/// What a member asks for: to say its next number.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename = "say")]
pub struct Say {
    n: u64,
}

/// What a client is sent.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Out {
    /// In the room.
    Said(Said),
    /// Who came and went.
    Presence(PresenceDiff<Device>),
}

/// What a connection says of itself.
#[derive(Debug, Serialize, Deserialize)]
pub struct Device {}

/// The name of a client, in the address.
#[derive(Debug, Deserialize)]
pub struct Who {
    name: String,
}

impl From<Said> for Out {
    fn from(said: Said) -> Self {
        Self::Said(said)
    }
}

impl From<PresenceDiff<Device>> for Out {
    fn from(diff: PresenceDiff<Device>) -> Self {
        Self::Presence(diff)
    }
}

/// The room, with a history for the whole window in which a client may come back, at up to 65 messages a second.
///
/// # Errors
/// None: the name is a legal one.
pub fn room() -> Result<Group<Said>, NameError> {
    Ok(Group::new("ordeal")?.with_history(History::new(8000, Duration::from_secs(120))))
}

/// Who is in it.
///
/// # Errors
/// None: the name is a legal one.
pub fn present() -> Result<Presence<Device>, NameError> {
    Ok(room()?.presence())
}

impl Member {
    async fn enter(name: String, conn: &mut Connection<Self>) -> Result<Self, Reject> {
        let (room, present) = (room()?, present()?);
        conn.join(&room).await?;
        conn.join(&present.diffs()).await?;
        conn.track(&present, &name, Device {}).await?;
        Ok(Self { room, name })
    }
}

impl Consumer for Member {
    type Scope = Query<Who>;
    type In = Say;
    type Out = Out;
    type Event = NoEvent;

    async fn connect(Query(who): Query<Who>, conn: &mut Connection<Self>) -> Result<Self, Reject> {
        Self::enter(who.name, conn).await
    }

    async fn receive(&mut self, Say { n }: Say, conn: &mut Connection<Self>) -> Result<(), Close> {
        let said = Said { from: self.name.clone(), n };
        conn.broadcast_once(&self.room, &said).await?;
        Ok(())
    }
}

impl Resume for Member {
    type Saved = String;

    fn save(&self) -> String {
        self.name.clone()
    }

    async fn resume(name: String, conn: &mut Connection<Self>) -> Result<Self, Reject> {
        Self::enter(name, conn).await
    }
}
