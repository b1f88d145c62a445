use serde_json::Value;
use tokio_tungstenite::tungstenite::Message;

use super::{escape, hex};

/// What must come before the connection is closed, if anything must: `--count` and `--expect`.
#[derive(Debug)]
pub(super) struct Goals {
    count: Option<u64>,
    came: u64,
    expected: Vec<Expected>,
}

#[derive(Debug)]
enum Expected {
    Text(String),
    Json(Value),
}

impl Goals {
    pub(super) fn new(count: Option<u64>, texts: &[String], values: &[Value]) -> Self {
        let texts = texts.iter().cloned().map(Expected::Text);
        Self { count, came: 0, expected: texts.chain(values.iter().cloned().map(Expected::Json)).collect() }
    }

    /// Whether there is anything to wait for.
    pub(super) fn are_met(&self) -> bool {
        self.expected.is_empty() && self.count.is_none_or(|count| self.came >= count)
    }

    /// Takes note of a message: the first goal that it meets is met, and no other.
    pub(super) fn note(&mut self, message: &Message) {
        if !matches!(message, Message::Text(_) | Message::Binary(_)) {
            return;
        }
        self.came += 1;
        if let Some(met) = self.expected.iter().position(|expected| expected.is(message)) {
            self.expected.remove(met);
        }
    }

    /// What has not come yet, in words.
    pub(super) fn missing(&self) -> String {
        let count = self.count.filter(|count| self.came < *count);
        let count = count.map(|count| format!("{} of {count} messages came", self.came));
        let expected = self.expected.iter().map(|expected| match expected {
            Expected::Text(text) => format!("no message was {:?}", escape::one_line(text)),
            Expected::Json(value) => format!("no message held {value}"),
        });
        count.into_iter().chain(expected).collect::<Vec<_>>().join(", ")
    }
}

impl Expected {
    fn is(&self, message: &Message) -> bool {
        match (self, message) {
            (Self::Text(expected), Message::Text(text)) => expected == text.as_str(),
            (Self::Text(expected), Message::Binary(bytes)) => *expected == hex::encode(bytes),
            (Self::Json(expected), Message::Text(text)) => {
                serde_json::from_str(text).is_ok_and(|found| holds(&found, expected))
            }
            _ => false,
        }
    }
}

/// Whether objects have at least these members; all else must be equal.
fn holds(found: &Value, expected: &Value) -> bool {
    match (found, expected) {
        (Value::Object(found), Value::Object(expected)) => {
            expected.iter().all(|(key, expected)| found.get(key).is_some_and(|found| holds(found, expected)))
        }
        (Value::Array(found), Value::Array(expected)) => {
            found.len() == expected.len() && found.iter().zip(expected).all(|(a, b)| holds(a, b))
        }
        _ => found == expected,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_message_meets_one_expectation() {
        let mut goals = Goals::new(None, &["a".to_owned(), "a".to_owned()], &[]);
        goals.note(&Message::text("a"));
        goals.note(&Message::text("b"));
        assert!(!goals.are_met());
        assert_eq!(goals.missing(), r#"no message was "a""#);
        goals.note(&Message::text("a"));
        assert!(goals.are_met());
    }

    #[test]
    fn json_may_have_more_members_than_expected() {
        let expected = json!({ "type": "said", "by": { "id": 1 }, "tags": [{ "a": 1 }] });
        let mut goals = Goals::new(None, &[], &[expected]);
        for other in [
            r#"{"type":"said"}"#,
            r#"{"type":"said","by":{"id":2},"tags":[{"a":1}]}"#,
            r#"{"type":"said","by":{"id":1},"tags":[{"a":1},2]}"#,
            "said",
            "[]",
        ] {
            goals.note(&Message::text(other));
            assert!(!goals.are_met(), "{other}");
        }
        let more = json!({ "type": "said", "by": { "id": 1, "x": 0 }, "tags": [{ "a": 1, "b": 2 }], "n": 3 });
        goals.note(&Message::text(more.to_string()));
        assert!(goals.are_met());
    }

    #[test]
    fn only_messages_count() {
        let mut goals = Goals::new(Some(2), &[], &[]);
        goals.note(&Message::Ping(Vec::new().into()));
        goals.note(&Message::text("a"));
        assert_eq!(goals.missing(), "1 of 2 messages came");
        goals.note(&Message::binary(vec![1]));
        assert!(goals.are_met());
    }
}
