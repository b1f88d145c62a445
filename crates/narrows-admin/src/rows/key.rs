use std::fmt;

use narrows_models::sea_orm::DbBackend;
use narrows_models::sea_orm::sea_query::{Condition, ExprTrait};

use crate::model::Model;
use crate::value;

/// The primary key of a row: the text of each of its columns.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Key(pub(crate) Vec<String>);

/// So many conditions stand beside one another.
const BESIDE: usize = 32;

/// What stands in the place of a key in the addresses of other pages.
const TAKEN: [&str; 3] = ["add", "delete", "options"];

/// No column's text in an address is longer.
const MAX_BYTES: usize = 2048;

impl Key {
    /// The key in an address; `None`, where it is none of this model.
    pub(crate) fn parse(model: &Model, text: &str) -> Option<Self> {
        if text.len() > MAX_BYTES {
            return None;
        }
        let parts: Vec<String> = text.split(',').map(unquote).collect::<Option<_>>()?;
        (parts.len() == model.key.len()).then_some(Self(parts))
    }

    /// The condition that finds the row; `None`, where no row can have such a key.
    pub(crate) fn condition(&self, model: &Model, backend: DbBackend) -> Option<Condition> {
        let mut all = Condition::all();
        for (field, text) in model.key.iter().zip(&self.0) {
            let field = &model.fields[*field];
            let value = value::bind(field, &Some(text.clone()), backend)?;
            all = all.add(field.column().eq(value));
        }
        Some(all)
    }

    /// The condition that finds the rows with one of these keys.
    pub(crate) fn any(model: &Model, keys: &[Self], backend: DbBackend) -> Condition {
        if let [field] = model.key.as_slice() {
            let field = &model.fields[*field];
            // A key that no row can have finds none.
            let values = keys.iter().filter_map(|key| value::bind(field, &key.0.first().cloned(), backend));
            return field.column().is_in(values.collect::<Vec<_>>()).into();
        }
        let conditions: Vec<Condition> =
            keys.iter().filter_map(|key| key.condition(model, backend)).collect();
        // SQLite takes no more than a thousand conditions within one another, as which it reads a row of them.
        conditions.chunks(BESIDE).fold(Condition::any(), |any, some| {
            any.add(some.iter().cloned().fold(Condition::any(), Condition::add))
        })
    }

    /// As people read it.
    pub(crate) fn plain(&self) -> String {
        self.0.join(", ")
    }
}

/// One segment of a path: letters, digits and `-` as they are, other bytes as `_2F`; so is the first one of what is an address
/// of its own.
impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_taken = matches!(self.0.as_slice(), [only] if TAKEN.contains(&only.as_str()));
        for (at, part) in self.0.iter().enumerate() {
            if at > 0 {
                f.write_str(",")?;
            }
            if part.is_empty() {
                f.write_str("_")?;
            }
            for (place, byte) in part.bytes().enumerate() {
                let is_plain = byte.is_ascii_alphanumeric() || byte == b'-';
                if is_plain && !(is_taken && place == 0) {
                    write!(f, "{}", char::from(byte))?;
                } else {
                    write!(f, "_{byte:02X}")?;
                }
            }
        }
        Ok(())
    }
}

fn unquote(part: &str) -> Option<String> {
    if part == "_" {
        return Some(String::new());
    }
    let mut bytes = Vec::with_capacity(part.len());
    let mut rest = part.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'_' {
            bytes.push(byte);
            continue;
        }
        let digits = [rest.next()?, rest.next()?];
        let digits = std::str::from_utf8(&digits).ok()?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_text_goes_through_an_address_and_back() {
        for text in ["", "_", "a/b", "..", "ä,ö", "12", "a b%20<c>", "_2F"] {
            let quoted = Key(vec![text.to_owned()]).to_string();
            assert!(quoted.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-'), "{quoted}");
            assert_eq!(unquote(&quoted).as_deref(), Some(text));
        }
        for taken in TAKEN {
            let quoted = Key(vec![taken.to_owned()]).to_string();
            assert_ne!(quoted, taken);
            assert_eq!(unquote(&quoted).as_deref(), Some(taken));
        }
        for wrong in ["_z1", "_2", "_FF"] {
            assert_eq!(unquote(wrong), None, "{wrong}");
        }
    }
}
