mod csrf;
mod jwt;
pub(crate) mod kit;
mod layers;
mod sesame;
mod sockets;
mod tokens;
