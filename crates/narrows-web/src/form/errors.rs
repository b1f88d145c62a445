use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use super::fields::Fields;

/// Nothing was typed where something is needed.
pub(super) const REQUIRED: &str = "This field is required.";
/// It is not what the field holds.
pub(super) const INVALID: &str = "Enter a valid value.";

/// What is wrong with a form, by the names of its fields; `form` is the form as a whole.
///
/// ```
/// let mut errors = narrows_web::FormErrors::default();
/// errors.add("name", "Somebody has this name already.");
/// assert_eq!(errors.of("name"), ["Somebody has this name already."]);
/// ```
///
/// It is no [`Error`](std::error::Error), so that `?` does not make a page of errors of it: the form is shown again.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct FormErrors(BTreeMap<String, Vec<String>>);

impl FormErrors {
    /// Adds what is wrong with a field.
    pub fn add(&mut self, field: &str, text: impl Into<String>) {
        self.0.entry(field.to_owned()).or_default().push(text.into());
    }

    /// What is wrong with a field.
    pub fn of(&self, field: &str) -> &[String] {
        self.0.get(field).map_or(&[], Vec::as_slice)
    }

    /// Whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The fields with which something is wrong, and what.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[String])> {
        self.0.iter().map(|(field, texts)| (field.as_str(), texts.as_slice()))
    }

    /// Takes over what the rules say of the fields that could be read.
    pub(super) fn add_report(&mut self, report: &garde::Report, fields: &Fields) {
        let unread = self.clone();
        for (path, error) in report.iter() {
            let path = path.to_string();
            let field = path.split(['.', '[']).next().filter(|name| !name.is_empty()).unwrap_or("form");
            if !unread.of(field).is_empty() {
                continue;
            }
            if fields.is_blank(field) && field != "form" {
                if self.of(field).is_empty() {
                    self.add(field, REQUIRED);
                }
            } else {
                self.add(field, sentence(error.message()));
            }
        }
    }
}

/// The rules' own texts begin in lower case and have no full stop.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let Some(first) = letters.next() else { return INVALID.to_owned() };
    let end = if text.ends_with(['.', '!', '?']) { "" } else { "." };
    format!("{}{}{end}", first.to_uppercase(), letters.as_str())
}

impl fmt::Display for FormErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, (field, texts)) in self.0.iter().enumerate() {
            let join = if place == 0 { "" } else { "; " };
            write!(f, "{join}{field}: {}", texts.join(" "))?;
        }
        Ok(())
    }
}
