//! What clients that speak `narrows.v1` say: in their handshake, in tokens, and around their messages.
#![no_main]

use libfuzzer_sys::fuzz_target;
use narrows::internals::protocol::{envelope, offer, open_token};
use serde_json::Value;

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    let mut offered: Vec<String> = text.split(',').map(str::to_owned).collect();
    offer(&mut offered);
    assert!(!offered.iter().any(|item| item == "narrows.v1"));
    assert!(!open_token(&text));

    for msgpack in [false, true] {
        let Some((reference, rest)) = envelope(bytes, msgpack) else { continue };
        assert!((1..1 << 53).contains(&reference));
        if msgpack {
            continue;
        }
        // Without its `ref` a message of good JSON is what it was, but for that.
        let (Ok(Value::Object(mut whole)), Some(rest)) = (serde_json::from_slice(bytes), rest) else { continue };
        let Ok(Value::Object(rest)) = serde_json::from_slice(&rest) else { panic!("{text}") };
        if text.matches("ref").count() == 1 && !text.contains('\\') {
            assert_eq!(whole.remove("ref"), Some(reference.into()));
            assert_eq!(whole, rest);
        }
    }
});
