//! Payloads from other nodes and messages of clients: any bytes are read or refused, never a panic, and what
//! was read once is written and read as the same again.
#![no_main]

use std::collections::BTreeMap;

use libfuzzer_sys::fuzz_target;
use narrows::codec::{Codec, Incoming, Payload, Raw};
use narrows::{Message, PayloadFormat};
use serde::{Deserialize, Serialize};
use serde_json::Value;

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type")]
enum Chat {
    #[serde(rename = "chat.message")]
    Message { message: String, from: Option<String>, n: Option<i64> },
}

fuzz_target!(|data: &[u8]| {
    for format in [PayloadFormat::MsgPack, PayloadFormat::Json] {
        round_trip::<Chat>(format, data);
        let _ = format.decode::<BTreeMap<String, Value>>(data).is_ok();
    }
    let text = std::str::from_utf8(data).ok();
    let payloads = [Some(Payload::Binary(data)), text.map(Payload::Text)];
    for payload in payloads.into_iter().flatten() {
        for codec in [Codec::Json, Codec::MsgPack] {
            let _ = Chat::decode(payload, codec).is_ok();
            let _ = Value::decode(payload, codec).is_ok();
            assert!(Raw::decode(payload, codec).is_ok());
        }
    }
});

fn round_trip<M: Message + PartialEq + std::fmt::Debug>(format: PayloadFormat, data: &[u8]) {
    if let Ok(message) = format.decode::<M>(data) {
        let written = format.encode(&message).expect("what was read can be written");
        assert_eq!(format.decode::<M>(&written).expect("what was written can be read"), message);
    }
}
