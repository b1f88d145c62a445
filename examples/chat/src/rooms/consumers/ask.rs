//! What is read from the database for somebody in a room.

use std::error::Error;

use narrows::{Close, Connection};
use narrows_web::narrows_django::DatabaseError;

use super::{Answer, Inbox, Problem, Room, ToBrowser, reader, tell};

impl Room {
    pub(super) async fn history(
        &self,
        before: Option<u64>,
        after: Option<u64>,
        conn: &mut Connection<Self>,
    ) -> Result<(), Close> {
        let page = match after {
            Some(after) => self.messages.after(&self.key, after).await,
            None => self.messages.before(&self.key, before).await,
        };
        let read = match &self.person.user {
            Some(user) if before.is_none() && after.is_none() => {
                self.messages.read_to(&reader(user), &self.key).await
            }
            _ => Ok(None),
        };
        match page.and_then(|page| Ok(Answer::History { page, read: read? })) {
            Ok(page) => answer(page, conn),
            Err(error) => refuse(&error, conn),
        }
    }

    pub(super) async fn search(
        &self,
        words: &str,
        before: Option<u64>,
        conn: &mut Connection<Self>,
    ) -> Result<(), Close> {
        match self.messages.search(&self.key, words, before).await {
            Ok(found) => answer(Answer::Found(found), conn),
            Err(error) => refuse(&error, conn),
        }
    }

    /// Remembers how far an account has read, and tells its other devices. Guests' browsers remember it themselves.
    pub(super) async fn mark(&self, id: u64, conn: &mut Connection<Self>) -> Result<(), Close> {
        let Some(user) = &self.person.user else { return Ok(()) };
        match self.messages.mark(&reader(user), &self.key, id).await {
            Ok(None) => Ok(()),
            Ok(Some(id)) => {
                let read = Inbox::Read { room: self.key.title.clone(), id };
                // Nothing is lost with it: a device asks for the mark when it comes. So it takes no room in the history
                // from what would be.
                if let Err(error) = conn.broadcast(&Inbox::not_kept(user), &read).await {
                    tracing::debug!(%error, "a mark was not sent");
                }
                Ok(())
            }
            Err(error) => refuse(&error, conn),
        }
    }
}

/// Answers with the reply, where the client waits for one, and with a message otherwise.
fn answer(answer: Answer, conn: &mut Connection<Room>) -> Result<(), Close> {
    let sent = match conn.take_reply() {
        Some(reply) => conn.send_reply(reply, &answer),
        None => conn.send(&ToBrowser::Answer(answer)),
    };
    Ok(sent?)
}

fn refuse(error: &DatabaseError, conn: &mut Connection<Room>) -> Result<(), Close> {
    tracing::warn!(error = error as &dyn Error, "a room's history cannot be read");
    tell(&Problem::NotRead, conn)
}
