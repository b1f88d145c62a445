use axum::extract::Path;
use narrows::{BroadcastError, Close, Connection, Consumer, Group, NameError, NoEvent, Reject};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The chat of the Django Channels tutorial: `{"message": X}` in, `{"message": X}` out, to everyone in the room.
pub(crate) struct Chat {
    room: Group<Event>,
}

#[derive(Deserialize)]
pub(crate) struct Said {
    message: Value,
}

/// On the channel layer, where a Django process may read it too.
#[derive(Serialize, Deserialize)]
#[serde(tag = "type")]
pub(crate) enum Event {
    #[serde(rename = "chat.message")]
    Message { message: Value },
}

#[derive(Serialize)]
pub(crate) struct Shown {
    message: Value,
}

impl From<Event> for Shown {
    fn from(Event::Message { message }: Event) -> Self {
        Self { message }
    }
}

/// The group of a room; an error for a name that a group cannot have.
pub(crate) fn group(room: &str) -> Result<Group<Event>, NameError> {
    Group::new(format!("chat_{room}"))
}

impl Consumer for Chat {
    type Scope = Path<String>;
    type In = Said;
    type Out = Shown;
    type Event = NoEvent;

    async fn connect(Path(room): Path<String>, conn: &mut Connection<Self>) -> Result<Self, Reject> {
        let room = group(&room)?;
        conn.join(&room).await?;
        Ok(Self { room })
    }

    async fn receive(&mut self, Said { message }: Said, conn: &mut Connection<Self>) -> Result<(), Close> {
        match conn.broadcast(&self.room, &Event::Message { message }).await {
            // The channel layer is away for a moment: no reason to end this socket.
            Err(BroadcastError::Layer(error)) => Ok(conn.send_error("not_sent", &error.to_string())?),
            sent => Ok(sent?),
        }
    }
}
