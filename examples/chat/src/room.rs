use std::hash::{BuildHasher, RandomState};

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use narrows::{
    BroadcastError, Close, Connection, Consumer, Disconnect, Group, Message, NameError, NoEvent, Reject,
};
use serde::Deserialize;

use crate::announcement::{self, Announce, Announcement};
use crate::bot::{self, BotChannel, Mention};
use crate::protocol::{ClientMsg, Problem, ServerMsg, check_name, now};

/// One device of one person in a chat room.
pub(crate) struct Room {
    room: Group<ServerMsg>,
    room_name: String,
    name: String,
    site: Site,
}

/// What all rooms of the site have in common.
#[derive(Debug, Clone)]
pub(crate) struct Site {
    pub(crate) announce: Announce,
    pub(crate) bot: BotChannel,
}

/// The query of the handshake: `?name=Ada`.
#[derive(Deserialize)]
pub(crate) struct Who {
    #[serde(default)]
    name: String,
}

impl Consumer for Room {
    // Any axum extractors. Where one rejects, the handshake is refused with its answer.
    type Scope = (State<Site>, Path<String>, Query<Who>);
    type In = ClientMsg;
    type Out = ServerMsg;
    type Event = NoEvent;

    async fn connect(
        (State(site), Path(room), Query(who)): Self::Scope,
        conn: &mut Connection<Self>,
    ) -> Result<Self, Reject> {
        let name = match who.name.trim() {
            "" => guest(),
            name => check_name(name)
                .map_err(|problem| Reject::new(StatusCode::BAD_REQUEST).body(problem.to_string()))?,
        };
        let group = group(&room)?;
        // Sent before anything is joined, so that it is the first message whatever the others say meanwhile.
        conn.send(&ServerMsg::Welcome { name: name.clone(), room: room.clone(), time: now() })?;
        conn.join(&group).await?;
        conn.join(&inbox(&name)).await?;
        conn.join(&announcement::everyone()).await?;
        conn.broadcast(&group, &ServerMsg::Joined { name: name.clone(), time: now() }).await?;
        Ok(Self { room: group, room_name: room, name, site })
    }

    async fn receive(&mut self, msg: ClientMsg, conn: &mut Connection<Self>) -> Result<(), Close> {
        let msg = match msg.check() {
            Ok(msg) => msg,
            Err(problem) => return Ok(conn.send_error(problem.code(), &problem.to_string())?),
        };
        let (from, time) = (self.name.clone(), now());
        match msg {
            ClientMsg::Message { message } => {
                let mention = bot::command(&message).map(|_| Mention {
                    room: self.room_name.clone(),
                    from: from.clone(),
                    message: message.clone(),
                });
                publish(&self.room, &ServerMsg::Message { message, from, time }, conn).await?;
                // Behind the message: all see the answer below the question.
                if let Some(mention) = mention {
                    ask_the_bot(&self.site.bot, &mention, conn).await?;
                }
            }
            ClientMsg::Direct { to, message } => {
                let (theirs, mine) = (inbox(&to), inbox(&from));
                let direct = ServerMsg::Direct { message, from, to, time };
                publish(&theirs, &direct, conn).await?;
                // The sender's own devices show it too, this one among them.
                if mine != theirs {
                    publish(&mine, &direct, conn).await?;
                }
            }
            ClientMsg::Announce { .. } if self.site.announce == Announce::Nobody => {
                conn.send_error(Problem::Forbidden.code(), &Problem::Forbidden.to_string())?;
            }
            ClientMsg::Announce { message } => {
                publish(&announcement::everyone(), &Announcement { message, from, time }, conn).await?;
            }
        }
        Ok(())
    }

    async fn disconnect(self, _: Disconnect, conn: &mut Connection<Self>) {
        let left = ServerMsg::Left { name: self.name, time: now() };
        if let Err(error) = conn.broadcast(&self.room, &left).await {
            tracing::warn!(%error, "a room was not told that somebody left");
        }
    }
}

/// Everyone in the room of this name, which is whatever somebody typed, in any script.
pub(crate) fn group(room: &str) -> Result<Group<ServerMsg>, NameError> {
    Group::keyed("chat", room)
}

/// Broadcasts for a client. While the channel layer is away the client is told so, and stays.
async fn publish<M: Message>(group: &Group<M>, msg: &M, conn: &mut Connection<Room>) -> Result<(), Close> {
    match conn.broadcast(group, msg).await {
        Err(BroadcastError::Layer(error)) => {
            tracing::debug!(%error, "a message was not sent");
            Ok(conn.send_error(Problem::NotSent.code(), &Problem::NotSent.to_string())?)
        }
        sent => Ok(sent?),
    }
}

async fn ask_the_bot(bot: &BotChannel, mention: &Mention, conn: &mut Connection<Room>) -> Result<(), Close> {
    match conn.channels().send(&bot.0, mention).await {
        Err(BroadcastError::Layer(error)) => {
            tracing::debug!(%error, "the bot was not asked");
            Ok(conn.send_error(Problem::BotBusy.code(), &Problem::BotBusy.to_string())?)
        }
        sent => Ok(sent?),
    }
}

/// Where one person is reached, on each device: all who use the name share it, as there are no accounts here.
fn inbox(name: &str) -> Group<ServerMsg> {
    Group::inbox(name)
}

/// A name for somebody who gave none.
fn guest() -> String {
    // The standard library's only random numbers are the keys of its hash maps; good enough for a guest.
    format!("guest-{:04x}", RandomState::new().hash_one(()) & 0xffff)
}
