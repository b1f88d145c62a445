use serde_json::json;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

use super::{escape, hex};

/// A message as one JSON object, for `--json-lines`.
pub(super) fn as_json(message: &Message) -> String {
    let (kind, data) = match message {
        Message::Text(text) => ("text", json!(text.as_str())),
        Message::Binary(bytes) => ("binary", json!(hex::encode(bytes))),
        Message::Ping(bytes) => ("ping", json!(hex::encode(bytes))),
        Message::Pong(bytes) => ("pong", json!(hex::encode(bytes))),
        Message::Close(frame) => {
            let (code, reason) = code_and_reason(frame.as_ref());
            ("close", json!({ "code": code, "reason": reason }))
        }
        Message::Frame(_) => unreachable!("reading gives messages"),
    };
    json!({ "type": kind, "data": data }).to_string()
}

/// A message as a line of text; none for what is part of the protocol only.
pub(super) fn as_text(message: &Message) -> Option<String> {
    match message {
        Message::Text(text) => Some(text.as_str().to_owned()),
        Message::Binary(bytes) => Some(hex::encode(bytes)),
        _ => None,
    }
}

/// What a close frame says; without a code there is none (1005 stands for that in most APIs).
pub(super) fn code_and_reason(frame: Option<&CloseFrame>) -> (Option<u16>, &str) {
    frame.map_or((None, ""), |frame| (Some(u16::from(frame.code)), frame.reason.as_str()))
}

/// A code and a reason in a message to the user.
pub(super) fn describe(code: Option<u16>, reason: &str) -> String {
    let code = code.map_or_else(|| "no code".to_owned(), |code| code.to_string());
    if reason.is_empty() { code } else { format!("{code} ({})", escape::one_line(reason)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_json_has_kind_and_data() {
        assert_eq!(as_json(&Message::text("a\n\"b\"")), r#"{"data":"a\n\"b\"","type":"text"}"#);
        assert_eq!(as_json(&Message::binary(vec![1, 255])), r#"{"data":"01ff","type":"binary"}"#);
        let frame = CloseFrame { code: 4001.into(), reason: "bye".into() };
        let close = as_json(&Message::Close(Some(frame)));
        assert_eq!(close, r#"{"data":{"code":4001,"reason":"bye"},"type":"close"}"#);
        assert_eq!(as_json(&Message::Close(None)), r#"{"data":{"code":null,"reason":""},"type":"close"}"#);
    }
}
