//! A message in Redis, whoever wrote it, is opened or refused, without a panic; and what opens can be sent on.
//!
//! The first byte says in which format it is read.
#![no_main]

use libfuzzer_sys::fuzz_target;
use narrows_redis::PayloadFormat;

fuzz_target!(|data: &[u8]| {
    let Some((format, message)) = data.split_first() else { return };
    let format = if format & 1 == 0 { PayloadFormat::MsgPack } else { PayloadFormat::Json };
    narrows_redis::internals::open(format, message);
});
