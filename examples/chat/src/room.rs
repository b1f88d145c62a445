use std::hash::{BuildHasher, RandomState};

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use narrows::{
    BroadcastError, Close, Connection, Consumer, Disconnect, Group, Message, NameError, NoEvent, Reject,
};
use narrows_django::UserId;
use serde::Deserialize;

use crate::accounts::{Addressee, Visitor};
use crate::announcement::{self, Announce, Announcement};
use crate::bot::{self, BotChannel, Mention};
use crate::inbox::Inbox;
use crate::protocol::{ClientMsg, Problem, ServerMsg, check_name, now};
use crate::site::Site;

/// What guests are called who chose no name, with a number behind it.
pub(crate) const GUEST: &str = "guest-";

/// One device of one person in a chat room.
pub(crate) struct Room {
    room: Group<ServerMsg>,
    room_name: String,
    name: String,
    /// The account, for somebody who is logged in; otherwise the name is a guest's.
    user: Option<UserId>,
    site: Site,
}

/// The query of the handshake: `?name=Ada`. An account has a name already.
#[derive(Deserialize)]
pub(crate) struct Who {
    #[serde(default)]
    name: String,
}

impl Consumer for Room {
    // Any axum extractors. Where one rejects, the handshake is refused with its answer. As the visitor is one of them,
    // the socket of somebody who is logged in ends with the session.
    type Scope = (State<Site>, Path<String>, Query<Who>, Visitor);
    type In = ClientMsg;
    type Out = ServerMsg;
    type Event = NoEvent;

    async fn connect(
        (State(site), Path(room), Query(who), Visitor(user)): Self::Scope,
        conn: &mut Connection<Self>,
    ) -> Result<Self, Reject> {
        let (name, user, problem) = match user {
            Some(user) => (user.username, Some(user.id), None),
            None => {
                let (name, problem) = guest_name(&who.name, &site).await?;
                (name, None, problem)
            }
        };
        let (group, account) = (group(&room)?, user.is_some());
        // Sent before anything is joined, so that it is the first message whatever the others say meanwhile.
        conn.send(&ServerMsg::Welcome { name: name.clone(), account, room: room.clone(), time: now() })?;
        if let Some(problem) = problem {
            conn.send_error(problem.code(), &problem.to_string())?;
        }
        let this = Self { room: group, room_name: room, name, user, site };
        conn.join(&this.room).await?;
        conn.join(&this.inbox()).await?;
        conn.join(&announcement::everyone()).await?;
        let joined = ServerMsg::Joined { name: this.name.clone(), account, time: now() };
        conn.broadcast(&this.room, &joined).await?;
        Ok(this)
    }

    async fn receive(&mut self, msg: ClientMsg, conn: &mut Connection<Self>) -> Result<(), Close> {
        let msg = match msg.check() {
            Ok(msg) => msg,
            Err(problem) => return tell(&problem, conn),
        };
        let (from, account, time) = (self.name.clone(), self.user.is_some(), now());
        match msg {
            ClientMsg::Message { message } => {
                let mention = bot::command(&message).map(|_| Mention {
                    room: self.room_name.clone(),
                    from: from.clone(),
                    message: message.clone(),
                });
                publish(&self.room, &ServerMsg::Message { message, from, account, time }, conn).await?;
                // Behind the message: all see the answer below the question.
                if let Some(mention) = mention {
                    ask_the_bot(&self.site.bot, &mention, conn).await?;
                }
            }
            ClientMsg::Direct { to, account: only_account, message } => {
                let theirs = match self.site.addressee(&to).await {
                    Ok(Addressee::Account(user)) => Inbox::of(&user.id),
                    Ok(Addressee::Guest) if !only_account => Inbox::of_guests(&to),
                    Ok(_) => return tell(&Problem::NoSuchUser, conn),
                    Err(error) => {
                        tracing::warn!(error = &error as &dyn std::error::Error, "nobody can be looked up");
                        return tell(&Problem::NotSent, conn);
                    }
                };
                let (mine, direct) = (self.inbox(), Inbox::Direct { message, from, account, to, time });
                publish(&theirs, &direct, conn).await?;
                // The sender's own devices show it too, this one among them.
                if mine != theirs {
                    publish(&mine, &direct, conn).await?;
                }
            }
            ClientMsg::Announce { .. } if self.site.announce == Announce::Nobody => {
                tell(&Problem::Forbidden, conn)?;
            }
            ClientMsg::Announce { message } => {
                let announcement = Announcement { message, from, account, time };
                publish(&announcement::everyone(), &announcement, conn).await?;
            }
        }
        Ok(())
    }

    async fn disconnect(self, _: Disconnect, conn: &mut Connection<Self>) {
        let left = ServerMsg::Left { name: self.name, account: self.user.is_some(), time: now() };
        if let Err(error) = conn.broadcast(&self.room, &left).await {
            tracing::warn!(%error, "a room was not told that somebody left");
        }
    }
}

impl Room {
    /// Where this person is reached, on each device.
    fn inbox(&self) -> Group<Inbox> {
        match &self.user {
            Some(user) => Inbox::of(user),
            // All guests who use the name share it, as anybody may use it.
            None => Inbox::of_guests(&self.name),
        }
    }
}

/// Everyone in the room of this name, which is whatever somebody typed, in any script.
pub(crate) fn group(room: &str) -> Result<Group<ServerMsg>, NameError> {
    Group::keyed("chat", room)
}

/// The name of somebody who is not logged in. The name of an account is none: who asks for it is a guest with a number,
/// and is told why.
async fn guest_name(asked: &str, site: &Site) -> Result<(String, Option<Problem>), Reject> {
    let asked = match asked.trim() {
        "" => return Ok((guest(), None)),
        asked => check_name(asked)
            .map_err(|problem| Reject::new(StatusCode::BAD_REQUEST).body(problem.to_string()))?,
    };
    match site.addressee(&asked).await {
        Ok(Addressee::Guest) => Ok((asked, None)),
        Ok(_) => Ok((guest(), Some(Problem::NameTaken))),
        Err(error) => {
            tracing::warn!(error = &error as &dyn std::error::Error, "a guest's name is not checked");
            Ok((guest(), Some(Problem::NameUnchecked)))
        }
    }
}

fn tell(problem: &Problem, conn: &mut Connection<Room>) -> Result<(), Close> {
    Ok(conn.send_error(problem.code(), &problem.to_string())?)
}

/// Broadcasts for a client. While the channel layer is away the client is told so, and stays.
async fn publish<M: Message>(group: &Group<M>, msg: &M, conn: &mut Connection<Room>) -> Result<(), Close> {
    match conn.broadcast(group, msg).await {
        Err(BroadcastError::Layer(error)) => {
            tracing::debug!(%error, "a message was not sent");
            tell(&Problem::NotSent, conn)
        }
        sent => Ok(sent?),
    }
}

async fn ask_the_bot(bot: &BotChannel, mention: &Mention, conn: &mut Connection<Room>) -> Result<(), Close> {
    match conn.channels().send(&bot.0, mention).await {
        Err(BroadcastError::Layer(error)) => {
            tracing::debug!(%error, "the bot was not asked");
            tell(&Problem::BotBusy, conn)
        }
        sent => Ok(sent?),
    }
}

/// A name for somebody who gave none.
fn guest() -> String {
    // The standard library's only random numbers are the keys of its hash maps; good enough for a guest.
    format!("{GUEST}{:04x}", RandomState::new().hash_one(()) & 0xffff)
}
