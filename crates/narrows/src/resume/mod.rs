//! Connections that come back: tokens, and what goes on.

mod binding;
mod checks;
mod connection;
mod keys;
mod node;
mod opening;
mod resumer;
mod settings;
mod token;

pub(crate) use self::binding::Binding;
pub(crate) use self::checks::Checks;
pub use self::checks::IdentityChecks;
pub(crate) use self::connection::{Return, hand_out, longest_heartbeat, renewed, return_of, spend};
pub(crate) use self::keys::Keys;
pub(crate) use self::node::{Resumption, session_end, user_end};
pub(crate) use self::opening::{Opening, SessionOver};
pub use self::resumer::Resume;
pub(crate) use self::resumer::{Resumer, Saver, Starter};
pub(crate) use self::token::RouteDigest;
#[cfg(feature = "internals")]
pub(crate) use self::token::Token;
