//! What somebody in a room says to others.

use std::error::Error;
use std::time::{Duration, Instant};

use narrows::{BroadcastError, Close, Connection, Group, Message};

use sha2::{Digest, Sha256};

use super::person::hex;
use super::{Inbox, Problem, Room, tell};
use crate::accounts::{Addressee, addressee};
use crate::announcement::{self, Announcement};
use crate::rooms::bot::BotChannel;
use crate::rooms::messages::{Draft, SayError};
use crate::rooms::protocol::{ServerMsg, now};

/// The others are told no more often that somebody is writing; a page shows it for twice as long.
const TYPING_PERIOD: Duration = Duration::from_secs(3);

impl Room {
    pub(super) async fn say(
        &mut self,
        message: String,
        once: Option<String>,
        conn: &mut Connection<Self>,
    ) -> Result<(), Close> {
        self.typed = None;
        let draft = Draft {
            room: self.key.clone(),
            sender: self.person.sender(),
            once,
            name: self.person.name.clone(),
            account: self.person.is_account(),
            message,
        };
        let bot = BotChannel::of(&self.site);
        let said = match self.messages.say(conn.channels(), &self.group, draft, Some(&bot)).await {
            Ok(said) => said,
            Err(error) => return not_said(&error, conn),
        };
        conn.reply(&said)?;
        if said.is_bot_busy { tell(&Problem::BotBusy, conn) } else { Ok(()) }
    }

    pub(super) async fn direct(
        &mut self,
        to: String,
        only_account: bool,
        message: String,
        once: Option<String>,
        conn: &mut Connection<Self>,
    ) -> Result<(), Close> {
        let theirs = match addressee(&self.site, &to).await {
            Ok(Addressee::Account(user)) => Inbox::of(user.id.as_str()),
            Ok(Addressee::Guest) if !only_account => Inbox::of_guests(&to),
            Ok(_) => return tell(&Problem::NoSuchUser, conn),
            Err(error) => {
                tracing::warn!(error = &error as &dyn Error, "nobody can be looked up");
                return tell(&Problem::NotSent, conn);
            }
        };
        match conn.count(&theirs.presence::<()>()).await {
            Ok(0) => return tell(&Problem::NotThere, conn),
            Ok(_) => {}
            // The channel layer is away: so the message would not arrive either.
            Err(error) => {
                tracing::debug!(%error, "nobody knows who is here");
                return tell(&Problem::NotSent, conn);
            }
        }
        let (from, account) = (self.person.name.clone(), self.person.is_account());
        let (mine, direct) = (self.person.inbox(), Inbox::Direct { message, from, account, to, time: now() });
        let once = self.id_of(once);
        if !publish(&theirs, &direct, once.as_deref(), conn).await? {
            return tell(&Problem::NotSent, conn);
        }
        // The sender's own devices show it too, this one among them. Sent it is already.
        if mine != theirs {
            publish(&mine, &direct, once.as_deref(), conn).await?;
        }
        Ok(())
    }

    pub(super) async fn announce(
        &mut self,
        message: String,
        once: Option<String>,
        conn: &mut Connection<Self>,
    ) -> Result<(), Close> {
        if !announcement::is_open(&self.site) {
            return tell(&Problem::Forbidden, conn);
        }
        let (from, account) = (self.person.name.clone(), self.person.is_account());
        let announcement = Announcement { message, from, account, time: now() };
        let once = self.id_of(once);
        match publish(&announcement::everyone(), &announcement, once.as_deref(), conn).await? {
            true => Ok(()),
            false => tell(&Problem::NotSent, conn),
        }
    }

    /// The id by which a layer knows a message of this person again.
    fn id_of(&self, once: Option<String>) -> Option<String> {
        let id = Sha256::digest(format!("{}\n{}", self.person.sender(), once?));
        Some(hex(&id))
    }

    /// Tells the others that this person is writing; not more often than they need it.
    pub(super) async fn typing(&mut self, conn: &mut Connection<Self>) -> Result<(), Close> {
        if self.typed.is_some_and(|typed| typed.elapsed() < TYPING_PERIOD) {
            return Ok(());
        }
        self.typed = Some(Instant::now());
        let typing = ServerMsg::Typing {
            name: self.person.name.clone(),
            account: self.person.is_account(),
            key: self.person.key(),
        };
        // Nobody misses it, and it is not worth an error.
        if let Err(error) = conn.broadcast(&self.typing_group(), &typing).await {
            tracing::debug!(%error, "nobody was told that somebody is writing");
        }
        Ok(())
    }

    /// Who may see that somebody is writing: those whose page shows it.
    pub(super) fn typing_group(&self) -> Group<ServerMsg> {
        Group::keyed("typing", self.group.name()).expect("`typing` is a legal prefix")
    }
}

fn not_said(error: &SayError, conn: &mut Connection<Room>) -> Result<(), Close> {
    match error {
        SayError::Store(_) | SayError::Busy => {
            tracing::warn!(error = error as &dyn Error, "a message was not said");
        }
        SayError::Send(_) | SayError::Ending => tracing::debug!(%error, "a message was not said"),
    }
    tell(&Problem::NotSent, conn)
}

/// Broadcasts for a client, once where the message has an id. `false` while the channel layer is away: the client stays.
async fn publish<M: Message>(
    group: &Group<M>,
    msg: &M,
    once: Option<&str>,
    conn: &mut Connection<Room>,
) -> Result<bool, Close> {
    let sent = match once {
        Some(id) => conn.channels().broadcast_once(group, msg, id).await.map(drop),
        // A client that speaks `narrows.v1` may send it again after a cut.
        None => conn.broadcast_once(group, msg).await.map(drop),
    };
    match sent {
        Ok(()) => Ok(true),
        Err(BroadcastError::Layer(error)) => {
            tracing::debug!(%error, "a message was not sent");
            Ok(false)
        }
        Err(error) => Err(error.into()),
    }
}
