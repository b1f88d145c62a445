use std::fmt;

use narrows_models::sea_orm::DbBackend;
use narrows_models::sea_orm::sea_query::{Condition, ExprTrait};

use crate::model::Model;
use crate::value;

/// The primary key of a row: the text of each of its columns.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Key(pub(crate) Vec<String>);

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

    /// As people read it.
    pub(crate) fn plain(&self) -> String {
        self.0.join(", ")
    }
}

/// One segment of a path: letters, digits and `-` as they are, other bytes as `_2F`.
impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, part) in self.0.iter().enumerate() {
            if at > 0 {
                f.write_str(",")?;
            }
            if part.is_empty() {
                f.write_str("_")?;
            }
            for byte in part.bytes() {
                if byte.is_ascii_alphanumeric() || byte == b'-' {
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
        for wrong in ["_z1", "_2", "_FF"] {
            assert_eq!(unquote(wrong), None, "{wrong}");
        }
    }
}
