use narrows::{Close, Connection, Consumer, NoEvent, Reject, Text};
use narrows_web::narrows_django::User;
use serde::Serialize;

use super::Inbox;

/// One device of a user that waits for what is pushed to it.
pub(super) struct Notifications;

/// What the page is sent: what the inbox holds.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub(super) struct Pushed(Inbox);

impl From<Inbox> for Pushed {
    fn from(message: Inbox) -> Self {
        Self(message)
    }
}

impl Consumer for Notifications {
    // Who is not logged in is refused, and the socket ends with the session.
    type Scope = User;
    type In = Text;
    type Out = Pushed;
    type Event = NoEvent;

    async fn connect(user: User, conn: &mut Connection<Self>) -> Result<Self, Reject> {
        let inbox = Inbox::of(user.id.as_str());
        conn.join(&inbox).await?;
        conn.track(&inbox.presence(), "device", ()).await?;
        Ok(Self)
    }

    async fn receive(&mut self, _: Text, conn: &mut Connection<Self>) -> Result<(), Close> {
        Ok(conn.send_error("not_taken", "nothing is taken here; send with POST /api/notify/")?)
    }
}
