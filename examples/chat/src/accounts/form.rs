use std::borrow::Cow;
use std::collections::BTreeMap;
use std::error::Error;
use std::time::Duration;

use axum::http::StatusCode;
use minijinja::Value;
use minijinja::value::Serde;
use serde::Serialize;

/// A form as a page shows it: what was typed, but no password, and what is wrong with it.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Form {
    values: BTreeMap<&'static str, String>,
    problems: BTreeMap<&'static str, Vec<FormProblem>>,
}

/// What is wrong, in English, and under the key by which the page translates it.
#[derive(Debug, Serialize)]
pub(crate) struct FormProblem {
    key: &'static str,
    /// What stands in the translation's gaps, as JSON.
    values: String,
    text: Cow<'static, str>,
}

impl FormProblem {
    pub(crate) fn new(key: &'static str, text: impl Into<Cow<'static, str>>) -> Self {
        Self { key, values: "{}".to_owned(), text: text.into() }
    }

    /// With what stands in the text's one gap.
    pub(crate) fn with(mut self, gap: &str, value: impl Into<serde_json::Value>) -> Self {
        self.values = serde_json::json!({ gap: value.into() }).to_string();
        self
    }
}

impl Form {
    /// Keeps what was typed into a field.
    pub(crate) fn keep(mut self, field: &'static str, value: &str) -> Self {
        self.values.insert(field, value.to_owned());
        self
    }

    /// Says what is wrong with a field; `form` is all of it.
    pub(crate) fn problem(&mut self, field: &'static str, problem: FormProblem) {
        self.problems.entry(field).or_default().push(problem);
    }

    pub(super) fn require(&mut self, field: &'static str, value: &str) {
        if value.trim().is_empty() {
            self.problem(field, FormProblem::new("problem.missing", "This is needed."));
        }
    }

    pub(super) fn is_right(&self) -> bool {
        self.problems.is_empty()
    }

    /// As a template takes it.
    pub(crate) fn value(&self) -> Value {
        Value::from(Serde(self))
    }
}

/// The password was guessed too often.
pub(super) fn throttled(wait: Duration) -> (StatusCode, FormProblem) {
    let seconds = wait.as_secs() + 1;
    let text = format!("Too many attempts. Try again in {seconds} s.");
    (StatusCode::TOO_MANY_REQUESTS, FormProblem::new("problem.throttled", text).with("seconds", seconds))
}

/// Too many passwords are being checked.
pub(super) fn busy() -> (StatusCode, FormProblem) {
    let text = "There is too much to do just now. Try again in a moment.";
    (StatusCode::SERVICE_UNAVAILABLE, FormProblem::new("problem.busy", text))
}

/// The accounts are away.
pub(super) fn unavailable(error: &(dyn Error + 'static)) -> (StatusCode, FormProblem) {
    tracing::error!(error, "the accounts are away");
    busy()
}
