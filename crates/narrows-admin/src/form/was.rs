//! What a row was when its form was made.

use sha2::{Digest, Sha256};

use super::parse::untouched;
use crate::model::Model;
use crate::rows::Row;

/// For each field that a form edits, a digest of the value and one of what its input showed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Was(Vec<(String, String)>);

impl Was {
    /// Of the row as it is now.
    pub(super) fn of(model: &Model, fields: &[usize], row: &Row) -> Self {
        let digests = fields.iter().map(|at| {
            let (field, cell) = (&model.fields[*at], row.cell(*at));
            // NULL is not the empty text.
            let value = cell.as_ref().map_or("0".to_owned(), |cell| format!("1{cell}"));
            (digest(&field.name, &value), digest(&field.name, &untouched(field, cell)))
        });
        Self(digests.collect())
    }

    /// As a form sends it back; `None`, where it is of another form.
    pub(super) fn parse(text: &str, fields: &[usize]) -> Option<Self> {
        let pairs: Option<Vec<_>> = text
            .split('.')
            .filter(|pair| !pair.is_empty())
            .map(|pair| pair.split_once('-').map(|(value, shown)| (value.to_owned(), shown.to_owned())))
            .collect();
        pairs.filter(|pairs| pairs.len() == fields.len()).map(Self)
    }

    pub(super) fn text(&self) -> String {
        let pairs: Vec<String> = self.0.iter().map(|(value, shown)| format!("{value}-{shown}")).collect();
        pairs.join(".")
    }

    /// Whether the value of the field at this place of the form is the same in both.
    pub(super) fn same(&self, other: &Self, place: usize) -> bool {
        self.0.get(place).map(|pair| &pair.0) == other.0.get(place).map(|pair| &pair.0)
    }

    /// Whether this is what the input showed.
    pub(super) fn shown(&self, model: &Model, field: usize, place: usize, typed: &str) -> bool {
        self.0.get(place).is_some_and(|pair| pair.1 == digest(&model.fields[field].name, typed))
    }
}

/// Short: it tells a change from none, and keeps nothing from anybody.
fn digest(name: &str, text: &str) -> String {
    let mut hash = Sha256::new();
    hash.update((name.len() as u64).to_be_bytes());
    hash.update(name);
    hash.update(text);
    hash.finalize()[..9].iter().map(|byte| format!("{byte:02x}")).collect()
}
