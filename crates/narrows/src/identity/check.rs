use std::error::Error;
use std::pin::Pin;
use std::time::SystemTime;

use super::Identity;

/// Says of many identities at once whether they still hold.
///
/// Each node asks every [`identity_check_period`](crate::ChannelsBuilder::identity_check_period), when the time of an
/// identity is over, on [`Channels::check_user`](crate::Channels::check_user), and when messages may have been lost: one
/// call for up to 5000 of them, with equal ones named once. It runs on a shard, and has 10 s.
pub trait IdentityCheck: Send + Sync + 'static {
    /// One [`Standing`] for each identity, in their order.
    ///
    /// # Errors
    /// When it cannot be found out now: all of them hold until the next check. A panic, a wrong number of answers and
    /// time over are errors too.
    fn check<'a>(&'a self, identities: &'a [Identity]) -> Checking<'a>;
}

/// What [`IdentityCheck::check`] gives.
pub type Checking<'a> =
    Pin<Box<dyn Future<Output = Result<Vec<Standing>, Box<dyn Error + Send + Sync>>> + Send + 'a>>;

/// Whether an identity still holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It holds, until this time where it has one.
    Holds(Option<SystemTime>),
    /// It does not, and its connections are closed.
    Ended,
}
