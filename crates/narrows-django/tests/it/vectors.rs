//! What Django and django-sesame wrote themselves, with the clock held at [`now`].

use std::sync::LazyLock;
use std::time::{Duration, SystemTime};

use narrows_django::SecretKeys;
use serde_json::Value;

static ALL: LazyLock<Value> = LazyLock::new(|| parse(include_str!("../vectors/django.json")));

/// Vectors of another file.
pub(crate) fn parse(json: &str) -> Value {
    serde_json::from_str(json).expect("the vectors are JSON")
}

/// The vectors of this name.
pub(crate) fn vectors(name: &str) -> &'static Value {
    ALL.get(name).unwrap_or_else(|| panic!("no vectors called {name}"))
}

/// A list of vectors.
pub(crate) fn list(name: &str) -> &'static [Value] {
    vectors(name).as_array().expect("the vectors are a list")
}

/// A text in a vector.
pub(crate) fn text<'a>(vector: &'a Value, name: &str) -> &'a str {
    vector[name].as_str().unwrap_or_else(|| panic!("no text {name} in {vector}"))
}

/// The keys that the vectors were made with.
pub(crate) fn keys() -> SecretKeys {
    let fallbacks = list("SECRET_KEY_FALLBACKS").iter().map(|key| key.as_str().expect("keys are texts"));
    SecretKeys::new(vectors("SECRET_KEY").as_str().expect("the key is a text")).fallbacks(fallbacks)
}

/// The time at which the vectors were made.
pub(crate) fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH
        + Duration::from_secs(vectors("frozen_time").as_u64().expect("the time is a number"))
}
