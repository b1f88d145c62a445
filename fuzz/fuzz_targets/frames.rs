//! The frame decoder never panics, does not care how its input was cut, and agrees with tungstenite.
//!
//! The first byte of the data says which end decodes, the next four how long the reads are.
#![no_main]

use libfuzzer_sys::fuzz_target;
use narrows::internals::{Decoder, FrameLimits, Item, ProtocolError, Role};
use tokio_tungstenite::tungstenite;

// The judge is the one that the crate's own tests use.
#[path = "../../crates/narrows/src/transport/frame/tests/differential.rs"]
mod differential;

fuzz_target!(|data: &[u8]| {
    let Some(([role, reads @ ..], wire)) = data.split_first_chunk::<5>() else { return };
    let role = if role & 1 == 0 { Role::Server } else { Role::Client };
    differential::assert_agreement(role, wire, reads);
});
