//! What a handler may know about the request that opened its connection.

mod cookies;
mod from_handshake;

pub use cookies::Cookies;
pub use from_handshake::FromHandshake;
