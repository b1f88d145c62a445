use std::borrow::Cow;
use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;
use serde::Serialize;
use serde_json::Value;

/// Most values of a form: Django's `DATA_UPLOAD_MAX_NUMBER_FIELDS`.
const MAX_VALUES: usize = 1000;

/// What was typed, by the names of the fields.
#[derive(Clone, Default)]
pub(super) struct Fields(BTreeMap<String, Vec<String>>);

impl Fields {
    /// Reads `a=1&b=2`; none where it is no UTF-8, or too much.
    pub(super) fn parse(body: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(body).ok()?;
        let mut fields = Self::default();
        for (place, pair) in text.split('&').filter(|pair| !pair.is_empty()).enumerate() {
            if place >= MAX_VALUES {
                return None;
            }
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            fields.0.entry(decode(name)?).or_default().push(decode(value)?);
        }
        Some(fields)
    }

    /// As a form would have sent them.
    pub(super) fn of(values: &impl Serialize) -> Self {
        let Ok(Value::Object(values)) = serde_json::to_value(values) else { return Self::default() };
        let texts = values.into_iter().filter_map(|(name, value)| match value {
            Value::Array(items) => Some((name, items.iter().filter_map(text).collect())),
            value => Some((name, vec![text(&value)?])),
        });
        Self(texts.collect())
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &Vec<String>)> {
        self.0.iter().map(|(name, texts)| (name.as_str(), texts))
    }

    pub(super) fn all(&self, name: &str) -> &[String] {
        self.0.get(name).map_or(&[], Vec::as_slice)
    }

    pub(super) fn last(&self, name: &str) -> Option<&str> {
        self.all(name).last().map(String::as_str)
    }

    /// Whether nothing was typed.
    pub(super) fn is_blank(&self, name: &str) -> bool {
        self.all(name).iter().all(|text| text.trim().is_empty())
    }
}

fn decode(text: &str) -> Option<String> {
    let spaced = text.replace('+', " ");
    percent_decode_str(&spaced).decode_utf8().ok().map(Cow::into_owned)
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        // An unchecked box sends nothing.
        Value::Bool(true) => Some("on".to_owned()),
        _ => None,
    }
}
