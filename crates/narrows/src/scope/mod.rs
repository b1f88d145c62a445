//! What a handler may know about the request that opened its connection.

mod cookies;

pub use cookies::Cookies;
