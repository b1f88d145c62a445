//! The socket of a room: one `Room` is one open page.

mod ask;
mod person;
mod say;

use std::time::{Duration, Instant};

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use narrows::{
    Close, Connection, Consumer, Group, History, NameError, NoEvent, PresenceDiff, Reject, Resume,
};
use narrows_web::Site;
use serde::{Deserialize, Serialize};

pub(crate) use self::person::{GUEST, Here, Person, reader};
use super::Messages;
use super::messages::{Found, Page, RoomKey};
use super::protocol::{ClientMsg, Problem, ServerMsg, now};
use crate::accounts::Visitor;
use crate::announcement::{self, Announcement};
use crate::notifications::Inbox;

/// One device of one person in a chat room.
pub(crate) struct Room {
    group: Group<ServerMsg>,
    key: RoomKey,
    person: Person,
    site: Site,
    messages: Messages,
    /// It speaks `narrows.v1`.
    is_page: bool,
    /// When the others were told last that this person is writing.
    typed: Option<Instant>,
}

/// What goes on when a connection was lost and came back.
#[derive(Serialize, Deserialize)]
pub(crate) struct Saved {
    room: String,
    person: Person,
}

/// The query of the handshake: `?name=Ada&guest=…`. An account has a name already, and may say `?as=Ada`.
#[derive(Deserialize)]
pub(crate) struct Who {
    #[serde(default)]
    name: String,
    /// A secret that a guest's browser keeps, so that all its connections are one person.
    #[serde(default)]
    guest: String,
    /// The account that it wants to be, and otherwise nobody.
    #[serde(rename = "as")]
    account: Option<String>,
}

/// What a browser in a room is sent.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum ToBrowser {
    Msg(ServerMsg),
    Presence(PresenceDiff<Here>),
    Answer(Answer),
}

/// What a browser asked for, where it did not ask with a `ref`.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub(crate) enum Answer {
    History {
        #[serde(flatten)]
        page: Page,
        /// How far the account has read, with the newest page.
        #[serde(skip_serializing_if = "Option::is_none")]
        read: Option<u64>,
    },
    Found(Found),
}

impl From<ServerMsg> for ToBrowser {
    fn from(msg: ServerMsg) -> Self {
        Self::Msg(msg)
    }
}

impl From<Inbox> for ToBrowser {
    fn from(message: Inbox) -> Self {
        Self::Msg(message.into())
    }
}

impl From<Announcement> for ToBrowser {
    fn from(announcement: Announcement) -> Self {
        Self::Msg(announcement.into())
    }
}

impl From<PresenceDiff<Here>> for ToBrowser {
    fn from(diff: PresenceDiff<Here>) -> Self {
        Self::Presence(diff)
    }
}

impl Consumer for Room {
    // Any axum extractors. Where one rejects, the handshake is refused with its answer. As the visitor is one of them,
    // the socket of somebody who is logged in ends with the session.
    type Scope = (State<Site>, Path<String>, Query<Who>, Visitor);
    type In = ClientMsg;
    type Out = ToBrowser;
    type Event = NoEvent;

    async fn connect(
        (State(site), Path(room), Query(who), Visitor(user)): Self::Scope,
        conn: &mut Connection<Self>,
    ) -> Result<Self, Reject> {
        // What waits in a page of an account is not to be said by whoever is logged in now.
        if who.account.is_some_and(|name| user.as_ref().is_none_or(|user| user.username != name)) {
            return Err(Reject::new(StatusCode::UNAUTHORIZED));
        }
        let (person, problem) = match user {
            Some(user) => (Person::account(user), None),
            None => Person::guest(&who.name, &who.guest, &site).await?,
        };
        let mut this = Self::new(&room, person, site)?;
        // Sent before anything is joined, so that it is the first message whatever the others say meanwhile.
        conn.send(&this.welcome().into())?;
        if let Some(problem) = problem {
            conn.send_error(problem.code(), &problem.to_string())?;
        }
        this.enter(conn).await?;
        Ok(this)
    }

    async fn receive(&mut self, msg: ClientMsg, conn: &mut Connection<Self>) -> Result<(), Close> {
        match msg.check() {
            Ok(msg) => self.handle(msg, conn).await,
            Err(problem) => tell(&problem, conn),
        }
    }

    /// The room's messages are in the database: a page is told by the protocol, and asks for them. A client that has
    /// nothing but a WebSocket is told so here.
    async fn unrecovered(&mut self, group: &str, conn: &mut Connection<Self>) -> Result<(), Close> {
        if self.is_page || group != self.group.name() {
            return Ok(());
        }
        Ok(conn.send(&ServerMsg::Missed { time: now() }.into())?)
    }
}

impl Resume for Room {
    type Saved = Saved;

    fn save(&self) -> Saved {
        Saved { room: self.key.title.clone(), person: self.person.clone() }
    }

    /// What was missed comes first, and nobody noticed that this device was away.
    async fn resume(Saved { room, person }: Saved, conn: &mut Connection<Self>) -> Result<Self, Reject> {
        let site = conn.extension::<Site>().cloned();
        let site = site.ok_or_else(|| Reject::new(StatusCode::INTERNAL_SERVER_ERROR))?;
        let mut this = Self::new(&room, person, site)?;
        this.enter(conn).await?;
        Ok(this)
    }
}

impl Room {
    fn new(room: &str, person: Person, site: Site) -> Result<Self, NameError> {
        let group = group(room)?;
        let key = RoomKey::new(&group, room);
        let messages = Messages::of(&site);
        Ok(Self { group, key, person, site, messages, is_page: false, typed: None })
    }

    fn welcome(&self) -> ServerMsg {
        ServerMsg::Welcome {
            name: self.person.name.clone(),
            account: self.person.is_account(),
            room: self.key.title.clone(),
            time: now(),
            present: self.group.presence::<Here>().group().to_owned(),
            key: self.person.key(),
        }
    }

    /// Joins all groups of somebody in a room.
    async fn enter(&mut self, conn: &mut Connection<Self>) -> Result<(), Reject> {
        let inbox = self.person.inbox();
        conn.join(&self.group).await?;
        conn.join(&inbox).await?;
        conn.join(&announcement::everyone()).await?;
        // A page of somebody's own, with nothing but a WebSocket, gets no more than it asks for.
        self.is_page = conn.speaks_narrows();
        let present = self.group.presence();
        if self.is_page {
            conn.join(&present.diffs()).await?;
            conn.join(&self.typing_group()).await?;
        }
        conn.track(&present, self.person.key(), self.person.here()).await?;
        // Where others look when they write to this person alone.
        conn.track(&inbox.presence(), "device", ()).await?;
        Ok(())
    }

    async fn handle(&mut self, msg: ClientMsg, conn: &mut Connection<Self>) -> Result<(), Close> {
        match msg {
            ClientMsg::Message { message, once } => self.say(message, once, conn).await,
            ClientMsg::Direct { to, account, message, once } => {
                self.direct(to, account, message, once, conn).await
            }
            ClientMsg::Announce { message, once } => self.announce(message, once, conn).await,
            ClientMsg::Typing => self.typing(conn).await,
            ClientMsg::History { before, after } => self.history(before, after, conn).await,
            ClientMsg::Search { words, before } => self.search(&words, before, conn).await,
            ClientMsg::Read { id } => self.mark(id, conn).await,
        }
    }
}

/// Everyone in the room of this name, which is whatever somebody typed, in any script.
///
/// Its newest messages are at hand for those who come back after a cut; all of them are in the database.
pub(crate) fn group(room: &str) -> Result<Group<ServerMsg>, NameError> {
    Ok(Group::keyed("chat", room)?.with_history(History::new(200, Duration::from_secs(600))))
}

/// Tells a client what is wrong with what it sent: as the reply, where it waits for one.
fn tell(problem: &Problem, conn: &mut Connection<Room>) -> Result<(), Close> {
    let (code, detail) = (problem.code(), problem.to_string());
    let sent = match conn.take_reply() {
        Some(reply) => conn.send_reply_error(reply, code, &detail),
        None => conn.send_error(code, &detail),
    };
    Ok(sent?)
}
