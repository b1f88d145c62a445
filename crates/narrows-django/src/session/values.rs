use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::signing::json;

/// What a session holds, each value as the JSON in which it was written: what nobody touches here goes back as it came,
/// such as a whole number that only Python has the digits for.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Values(BTreeMap<String, Box<RawValue>>);

impl Values {
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// A value, where there is one of that shape.
    pub(crate) fn get<T: DeserializeOwned>(&self, name: &str) -> Option<T> {
        serde_json::from_str(self.0.get(name)?.get()).ok()
    }

    pub(super) fn insert<T: Serialize>(&mut self, name: &str, value: &T) -> Result<(), serde_json::Error> {
        let text = String::from_utf8(json::to_vec(value)?).expect("JSON is UTF-8");
        self.0.insert(name.to_owned(), RawValue::from_string(text)?);
        Ok(())
    }

    /// Takes a value out; `null` for one that has no other form here.
    pub(super) fn remove(&mut self, name: &str) -> Option<Value> {
        let removed = self.0.remove(name)?;
        Some(serde_json::from_str(removed.get()).unwrap_or_default())
    }

    pub(super) fn contains(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
