use axum::extract::Path;
use narrows::{BroadcastError, Close, Connection, Consumer, Group, NoEvent, Reject, Text};
use serde::{Deserialize, Serialize};

use crate::announcement;
use crate::rooms::protocol::{Problem, check_text};

/// Everyone who opened the same group reads what any of them says.
pub(crate) struct GroupChat {
    group: Group<Line>,
}

/// What travels through the group. Its members receive the bare text, by `From`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "type", rename = "group.line")]
pub(crate) struct Line {
    text: String,
}

impl From<Line> for Text {
    fn from(line: Line) -> Self {
        Self(line.text)
    }
}

impl Consumer for GroupChat {
    type Scope = Path<String>;
    type In = Text;
    type Out = Text;
    type Event = NoEvent;

    async fn connect(Path(id): Path<String>, conn: &mut Connection<Self>) -> Result<Self, Reject> {
        // Keyed, as the id is whatever somebody typed.
        let group = Group::keyed("group", id)?;
        conn.join(&group).await?;
        conn.join(&announcement::everyone()).await?;
        Ok(Self { group })
    }

    async fn receive(&mut self, Text(text): Text, conn: &mut Connection<Self>) -> Result<(), Close> {
        match check_text(&text) {
            Ok(()) => match conn.broadcast(&self.group, &Line { text }).await {
                // The channel layer is away for a moment: no reason to end this socket.
                Err(BroadcastError::Layer(_)) => {
                    conn.send(&Text(format!("server: {}", Problem::NotSent)))?;
                }
                sent => sent?,
            },
            Err(problem) => conn.send(&Text(format!("server: {problem}")))?,
        }
        Ok(())
    }
}
