//! What channels_redis did, for the tests.

use serde_json::Value;

/// `tests/vectors/redis.json`.
pub(crate) fn vectors() -> Value {
    serde_json::from_str(include_str!("../tests/vectors/redis.json")).unwrap()
}

/// The bytes of a text such as `"82a4"`.
pub(crate) fn hex(text: &Value) -> Vec<u8> {
    let text = text.as_str().unwrap();
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}
