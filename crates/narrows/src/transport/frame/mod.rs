//! The frames of RFC 6455, without I/O: bytes in, messages out, and back.
//!
//! A shard reads every socket into one shared buffer, so a decoder must not own one: a message that lies
//! whole in what was read is handed out where it lies, and only one that spans reads or fragments is
//! collected, in memory that grows with the bytes that came and not with those that were announced.
//! An idle connection thus costs the few bytes of [`Decoder`] itself.
//!
//! Absent on purpose: sockets, timers, answers. Who answers a ping or a close is the session's affair.

mod close;
mod decoder;
mod encoder;
mod error;
mod header;
mod mask;
mod partial;
mod text;
mod writer;

#[cfg(test)]
mod tests;

pub use close::is_sendable_close_code;
pub use decoder::{Decoder, FrameLimits, Item, Role};
pub use encoder::{encode, encode_close, encode_masked, frame_header};
pub use error::ProtocolError;
pub use header::Opcode;
pub use mask::Mask;
pub use writer::FrameWriter;
