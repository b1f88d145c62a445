use std::fmt::Write;
use std::panic::Location;

use serde::Serialize;
use serde_json::Value;

/// What a test expects, as JSON.
pub(super) fn expected_json<T: Serialize + ?Sized>(expected: &T, at: &Location<'_>) -> Value {
    match serde_json::to_value(expected) {
        Ok(expected) => expected,
        Err(error) => panic!("the expected value is no JSON: {error}\n  at {at}"),
    }
}

/// Panics when something else came, with the places where it differs.
pub(super) fn must_equal(expected: &Value, came: &Value, at: &Location<'_>) {
    if came != expected {
        let places = difference(expected, came);
        panic!("expected {expected}\n     got {came}\n{places}  at {at}");
    }
}

/// Where two values differ, one line for each place: its path, what was expected, what came.
fn difference(expected: &Value, came: &Value) -> String {
    let mut lines = String::new();
    compare("", Some(expected), Some(came), &mut lines);
    lines
}

fn compare(path: &str, expected: Option<&Value>, came: Option<&Value>, lines: &mut String) {
    match (expected, came) {
        (Some(Value::Object(expected)), Some(Value::Object(came))) => {
            let more = came.keys().filter(|key| !expected.contains_key(*key));
            for key in expected.keys().chain(more) {
                compare(&format!("{path}.{key}"), expected.get(key), came.get(key), lines);
            }
        }
        (Some(Value::Array(expected)), Some(Value::Array(came))) => {
            for at in 0..expected.len().max(came.len()) {
                compare(&format!("{path}[{at}]"), expected.get(at), came.get(at), lines);
            }
        }
        (expected, came) if expected == came => {}
        (expected, came) => {
            let path = if path.is_empty() { "." } else { path };
            let shown = |value: Option<&Value>| value.map_or("nothing".to_owned(), Value::to_string);
            // Writing to a string does not fail.
            let _ = writeln!(lines, "  at {path} expected {}, got {}", shown(expected), shown(came));
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_place_that_differs_is_named_and_no_other() {
        let expected = json!({"type": "said", "from": {"name": "ada"}, "tags": [1, 2]});
        let came = json!({"type": "said", "from": {"name": "bob"}, "tags": [1], "at": 7});
        let places = "  at .from.name expected \"ada\", got \"bob\"\n  \
                      at .tags[1] expected 2, got nothing\n  at .at expected nothing, got 7\n";
        assert_eq!(difference(&expected, &came), places);
        assert_eq!(difference(&json!(1), &json!("1")), "  at . expected 1, got \"1\"\n");
        assert_eq!(difference(&expected, &expected), "");
    }
}
