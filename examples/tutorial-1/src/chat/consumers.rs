//! The socket of a room.

use axum::extract::Path;
use narrows::{Close, Connection, Consumer, NoEvent, Reject};
use serde::{Deserialize, Serialize};

/// What a page sends.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub(super) enum FromPage {
    Say { text: String },
}

/// What a page is sent.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub(super) enum ToPage {
    Said { from: String, text: String },
}

/// One open page.
pub(super) struct Room {
    name: String,
}

impl Consumer for Room {
    type Scope = Path<String>;
    type In = FromPage;
    type Out = ToPage;
    type Event = NoEvent;

    async fn connect(Path(name): Path<String>, _: &mut Connection<Self>) -> Result<Self, Reject> {
        Ok(Self { name })
    }

    async fn receive(
        &mut self,
        message: FromPage,
        conn: &mut Connection<Self>,
    ) -> Result<(), Close> {
        let FromPage::Say { text } = message;
        let text = format!("“{text}”, echoes through {}.", self.name);
        conn.send(&ToPage::Said {
            from: "the room".to_owned(),
            text,
        })?;
        Ok(())
    }
}
