use narrows::{Close, Connection, Consumer, NoEvent, Reject, Text};

use crate::announcement;

/// One person and the server: every text comes back, until one says "exit".
pub(crate) struct One;

impl Consumer for One {
    // Nothing of the handshake is needed, not even the id: nobody else is in this chat.
    type Scope = ();
    type In = Text;
    type Out = Text;
    type Event = NoEvent;

    async fn connect((): (), conn: &mut Connection<Self>) -> Result<Self, Reject> {
        conn.join(&announcement::everyone()).await?;
        Ok(Self)
    }

    async fn receive(&mut self, Text(text): Text, conn: &mut Connection<Self>) -> Result<(), Close> {
        match text.trim() {
            "exit" => Err(Close::with(1000, "you said exit")),
            "关闭" => Err(Close::with(1000, "你说了“关闭”")),
            _ => Ok(conn.send(&Text(format!("server: {text}")))?),
        }
    }
}
