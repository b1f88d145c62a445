//! The socket of the list: one `Reader` is one open page.

use narrows::{Close, Connection, Consumer, Group, NoEvent, Reject};
use serde::{Deserialize, Serialize};

/// What a page sends: nothing.
#[derive(Debug, Deserialize)]
pub enum Nothing {}

/// What all pages are told.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum News {
    Added { text: String },
}

pub struct Reader;

impl Consumer for Reader {
    type Scope = ();
    type In = Nothing;
    type Out = News;
    type Event = NoEvent;

    async fn connect((): (), conn: &mut Connection<Self>) -> Result<Self, Reject> {
        conn.join(&readers()).await?;
        Ok(Self)
    }

    async fn receive(&mut self, nothing: Nothing, _: &mut Connection<Self>) -> Result<(), Close> {
        match nothing {}
    }
}

/// All pages that show the list.
pub fn readers() -> Group<News> {
    Group::new("newapp").expect("the name is a legal one")
}
