use narrows_core::Group;
use serde::Deserialize;
use serde_json::Value;

use super::{Control, Reply, Spoken};
use crate::codec::{Codec, DecodeError, Incoming, Payload};
use crate::connection::{Connection, SendError};
use crate::consumer::Consumer;
use crate::resume::renewed;

/// What a client asks of the server itself.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "type")]
pub(crate) enum Request {
    #[serde(rename = "narrows.ping")]
    Ping,
    /// A page of a roster.
    #[serde(rename = "narrows.roster")]
    Roster {
        group: String,
        #[serde(default)]
        after: Option<String>,
    },
    /// Something of a later version.
    #[serde(other)]
    Unknown,
}

impl Request {
    pub(crate) fn read(payload: Payload<'_>, codec: Codec) -> Result<Self, DecodeError> {
        Self::decode(payload, codec)
    }
}

/// Does what a client asks of the server itself; what is not known is answered where that is asked for.
pub(crate) async fn answer<C: Consumer>(
    conn: &mut Connection<C>,
    request: Result<Request, DecodeError>,
    reference: Option<u64>,
    token: Option<String>,
) {
    let reply = conn.spoken.as_deref().zip(reference).map(|(spoken, number)| Spoken::owe(spoken, number));
    let sent = match (request, reply) {
        (Ok(Request::Ping), reply) => {
            let ponged = pong(conn, token);
            reply.map_or(ponged, |reply| conn.send_empty(&reply))
        }
        (Ok(Request::Roster { group, after }), Some(reply)) => {
            roster(conn, reply, &group, after.as_deref()).await
        }
        (Ok(Request::Unknown), Some(reply)) => {
            conn.send_reply_error(reply, "unknown", "this server knows no such request")
        }
        (Err(error), Some(reply)) => conn.send_reply_error(reply, "malformed", &error.to_string()),
        (_, None) => Ok(()),
    };
    // A connection that takes nothing more needs no answer either.
    let _ = sent;
}

/// A page of who is in a group, for the members of its diffs alone.
async fn roster<C: Consumer>(
    conn: &mut Connection<C>,
    reply: Reply,
    group: &str,
    after: Option<&str>,
) -> Result<(), SendError> {
    let presence = Group::<()>::new(group).map(|group| group.presence::<Value>());
    let Ok(presence) = presence else {
        return conn.send_reply_error(reply, "malformed", "this cannot be the name of a group");
    };
    if !conn.link.0.is_member(&presence.diffs().topic()).await {
        return conn.send_reply_error(reply, "forbidden", "this connection is not told who is in this group");
    }
    match conn.roster(&presence, after).await {
        Ok(page) => conn.send_reply(reply, &page),
        Err(error) => {
            tracing::debug!(%error, "a roster was not read");
            conn.send_reply_error(reply, "unavailable", "who is here cannot be said just now")
        }
    }
}

/// Says that the connection is alive, and hands out a fresh token where one is due.
fn pong<C: Consumer>(conn: &mut Connection<C>, token: Option<String>) -> Result<(), SendError> {
    let link = &conn.link.0;
    link.send_frame(Control::Pong { token }.frame(link.settings.codec)?)
}

/// Hands out a fresh token where one is due, whether the client pings or not.
pub(crate) fn renew<C: Consumer>(consumer: &C, conn: &mut Connection<C>) {
    if let Some(token) = renewed(consumer, conn) {
        // A connection that takes nothing more needs no token: it has one.
        let _ = pong(conn, Some(token));
    }
}
