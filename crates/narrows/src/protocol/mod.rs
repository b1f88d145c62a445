//! `narrows.v1`, the subprotocol of clients that come back by themselves: what is said beside a consumer's own messages.
//!
//! `docs/wire.md` has its description.

mod control;
mod envelope;
mod json;
mod mark;
mod msgpack;
mod offer;
mod positions;
mod reply;
mod request;
mod welcome;

#[cfg(feature = "internals")]
pub mod internals;

use narrows_core::Position;

use crate::connection::Link;
use crate::resume::{Binding, Checks, Return, RouteDigest};

pub(crate) use self::control::Control;
pub(crate) use self::envelope::Envelope;
pub(crate) use self::mark::Mark;
pub(crate) use self::offer::{MAX_TOKEN, Offer};
use self::positions::Positions;
pub use self::reply::Reply;
pub(crate) use self::request::{Request, answer, renew};
pub(crate) use self::welcome::welcome;

/// The name that a client offers.
pub(crate) const SUBPROTOCOL: &str = "narrows.v1";

/// The code with which a client closes that is about to come back, such as when the server was silent for too long.
pub(crate) const COMING_BACK: u16 = 3001;

/// Whether a client stays away after this close code, unless somebody has it begin anew: see `docs/wire.md`.
pub(crate) fn is_final(code: u16) -> bool {
    matches!(code, 1000 | 1002 | 1003 | 1007..=1010 | 4000..)
}

/// What a connection keeps whose client speaks `narrows.v1`.
#[derive(Debug)]
pub(crate) struct Spoken {
    /// The connection's own number, the same when it was resumed.
    pub(crate) connection: u128,
    /// What the client had last of each group; taken by the join of it.
    pub(crate) positions: Positions,
    /// The id of the next broadcast for the message that is being handled, if it has one: no other has it, and it is
    /// the same when the client sends the message again.
    pub(crate) message_id: Option<Box<str>>,
    /// This connection goes on where an earlier one ended.
    pub(crate) resumed: bool,
    /// The client's own name; what it sends with a `ref` has an id then.
    pub(crate) client: Option<Box<str>>,
    /// The `ref` of the message that is being handled, until it is answered.
    pub(crate) reply: Option<u64>,
    /// What is wrong with that message.
    pub(crate) problem: Option<Box<str>>,
    /// `None` where nothing can come back.
    pub(crate) returns: Option<Box<Return>>,
}

/// A handshake with a client that speaks `narrows.v1`.
pub(crate) struct Speaking {
    pub(crate) offer: Offer,
    /// Where it comes back with a token: the connection's number, its generation, and the node that had it.
    pub(crate) returned: Option<(u128, u32, u64)>,
    /// Its consumer goes on.
    pub(crate) resumed: bool,
    pub(crate) route: RouteDigest,
    pub(crate) checks: Checks,
    pub(crate) binding: Option<Binding>,
}

impl Speaking {
    /// The connection has its place.
    pub(crate) fn begin(self, link: &Link) -> Spoken {
        let resumption = link.channels.resumption();
        let (connection, generation, from) = self.returned.unwrap_or_else(|| (rand::random(), 0, 0));
        let returns = (!resumption.window().is_zero()).then(|| {
            let live = resumption.enter(connection, generation, &link.shard, link.key);
            Box::new(Return::new(generation, self.route, self.checks, self.binding, live))
        });
        if self.returned.is_some() {
            let (resumption, shard) = (resumption.clone(), link.shard.clone());
            shard.spawn_task(async move { resumption.tell(from, connection, generation).await });
        }
        Spoken {
            connection,
            positions: self.offer.positions,
            message_id: None,
            resumed: self.resumed,
            client: self.offer.client,
            reply: None,
            problem: None,
            returns,
        }
    }
}

impl Spoken {
    /// What the client had last of a group, once.
    pub(crate) fn take_position(&mut self, group: &str) -> Option<Position> {
        self.positions.take(group)
    }
}
