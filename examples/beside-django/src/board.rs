use narrows::{BroadcastError, Close, Connection, Consumer, Group, NoEvent, Reject};
use narrows_django::User;
use serde::{Deserialize, Serialize};

/// One page that somebody who is logged in has open.
pub(crate) struct Board {
    board: Group<BoardMsg>,
    name: String,
}

/// What a page sends: `{"text": "hello"}`.
#[derive(Deserialize)]
pub(crate) struct Said {
    text: String,
}

/// What travels in the group `board`, and what a page is sent. Django sends the first two, in `site/board/live.py`.
#[derive(Serialize, Deserialize)]
#[serde(tag = "type")]
pub(crate) enum BoardMsg {
    #[serde(rename = "post.saved")]
    PostSaved { id: i64, title: String, text: String, author: String, new: bool },
    #[serde(rename = "comment.saved")]
    CommentSaved { id: i64, post: i64, text: String, author: String },
    #[serde(rename = "chat.said")]
    Said { author: String, text: String },
    /// The first message on each socket: who Django says that this is.
    #[serde(rename = "welcome")]
    Welcome { name: String },
}

/// Longest text, in characters.
const MAX_TEXT: usize = 500;

impl Consumer for Board {
    // Whoever has no session of Django's with a user in it is refused with a 401; and who has one is closed with 4401
    // when it ends.
    type Scope = User;
    type In = Said;
    type Out = BoardMsg;
    type Event = NoEvent;

    async fn connect(user: User, conn: &mut Connection<Self>) -> Result<Self, Reject> {
        let board = Group::new("board")?;
        conn.send(&BoardMsg::Welcome { name: user.username.clone() })?;
        conn.join(&board).await?;
        Ok(Self { board, name: user.username })
    }

    async fn receive(&mut self, Said { text }: Said, conn: &mut Connection<Self>) -> Result<(), Close> {
        let text = text.trim().to_owned();
        if text.is_empty() || text.chars().count() > MAX_TEXT {
            let detail = format!("a text has 1 to {MAX_TEXT} characters");
            return Ok(conn.send_error("bad_text", &detail)?);
        }
        match conn.broadcast(&self.board, &BoardMsg::Said { author: self.name.clone(), text }).await {
            Err(BroadcastError::Layer(error)) => {
                tracing::debug!(%error, "a message was not sent");
                Ok(conn.send_error("not_sent", "try again in a moment")?)
            }
            sent => Ok(sent?),
        }
    }
}
