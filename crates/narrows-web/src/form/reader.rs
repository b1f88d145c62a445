//! A form read into a struct, with what is wrong with each of its fields, not just the first.
//!
//! serde ends at the first error. So a number that cannot be read is noted and taken for another one, and the reading goes
//! on; a text that its type refuses is replaced by stand-ins, one after another, and all is read again. What comes out then
//! is only good for the rules of the other fields.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::de::value::StrDeserializer;
use serde::de::{self, DeserializeOwned, DeserializeSeed, Deserializer, MapAccess, Visitor};
use serde::forward_to_deserialize_any;

use super::errors::{FormErrors, INVALID, REQUIRED};
use super::fields::Fields;
use super::value::FieldValue;

/// What types that read themselves from texts accept.
const STAND_INS: [&str; 10] = [
    "1970-01-01",
    "00:00:00",
    "1970-01-01T00:00:00",
    "1970-01-01T00:00:00Z",
    "00000000-0000-4000-8000-000000000000",
    "0",
    "1",
    "127.0.0.1",
    "http://a.example/",
    "a@a.example",
];
/// So many fields get stand-ins: a struct has fewer, and of a map whoever sends the form says how many there are.
const MAX_FIELDS: usize = 100;
/// The browsers' `time` and `datetime-local` leave the seconds out.
const SECONDS: &str = ":00";
/// Characters of a reason in the log.
const MAX_WHY: usize = 200;
const UNREADABLE: &str = "This form cannot be read.";

/// The value, where there is one, and what is wrong.
pub(super) fn read<T: DeserializeOwned>(fields: &Fields) -> (Option<T>, FormErrors) {
    let mut help = Help::default();
    loop {
        let errors = RefCell::default();
        let read = T::deserialize(Reader { fields, help: &help, errors: &errors });
        let mut errors = errors.into_inner();
        match read {
            Ok(value) => return (Some(value), errors),
            Err(ReadError::Missing(name)) if help.added.insert(name) => {}
            Err(ReadError::Refused { field }) if help.next_stand_in(&field, fields) => {}
            Err(ReadError::Refused { field }) => {
                if errors.of(&field).is_empty() {
                    errors.add(&field, INVALID);
                }
                return (None, errors);
            }
            Err(ReadError::Missing(name)) => {
                errors.add(name, REQUIRED);
                return (None, errors);
            }
            Err(ReadError::Form(why)) => {
                // What a type says may have in it what was sent.
                let why: String = why.chars().take(MAX_WHY).collect();
                tracing::error!(
                    why,
                    form = std::any::type_name::<T>(),
                    "a form cannot be read into its type"
                );
                errors.add("form", UNREADABLE);
                return (None, errors);
            }
        }
    }
}

/// What earlier readings found missing.
#[derive(Default)]
struct Help {
    /// Fields that are read as if nothing was typed.
    added: BTreeSet<&'static str>,
    /// How many stand-ins of a field were refused.
    stand_ins: BTreeMap<String, usize>,
}

impl Help {
    /// Goes on to the next one, if there is any.
    fn next_stand_in(&mut self, field: &str, fields: &Fields) -> bool {
        let tried = self.stand_ins.entry(field.to_owned()).or_insert(0);
        *tried += 1;
        // The first is what was typed, with seconds.
        if *tried == 1 && !is_without_seconds(fields.last(field).unwrap_or_default()) {
            *tried += 1;
        }
        *tried <= STAND_INS.len() + 1 && self.stand_ins.len() <= MAX_FIELDS
    }

    fn value<'a>(
        &self,
        name: &'a str,
        fields: &'a Fields,
        errors: &'a RefCell<FormErrors>,
    ) -> FieldValue<'a> {
        let value = FieldValue::new(name, fields.all(name), errors);
        match self.stand_ins.get(name) {
            None => value,
            Some(1) => {
                value.instead(format!("{}{SECONDS}", fields.last(name).unwrap_or_default().trim()), None)
            }
            Some(tried) => {
                let why = if fields.is_blank(name) { REQUIRED } else { INVALID };
                value.instead(STAND_INS[tried - 2].to_owned(), Some(why))
            }
        }
    }
}

/// Whether it ends in `10:30` and has no seconds.
fn is_without_seconds(text: &str) -> bool {
    let time = text.trim().rsplit(['T', ' ']).next().unwrap_or_default();
    time.len() == 5 && time.as_bytes()[2] == b':'
}

/// All fields, for a struct or a map.
struct Reader<'a> {
    fields: &'a Fields,
    help: &'a Help,
    errors: &'a RefCell<FormErrors>,
}

impl<'de> Deserializer<'de> for Reader<'_> {
    type Error = ReadError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        let sent = self.fields.iter().map(|(name, _)| name);
        let added = self.help.added.iter().copied().filter(|name| self.fields.all(name).is_empty());
        let names: Vec<&str> = sent.chain(added).collect();
        visitor.visit_map(Entries { reader: self, names: names.into_iter(), name: "" })
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        visitor.visit_unit()
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option seq tuple
        tuple_struct map struct enum identifier ignored_any
    }
}

struct Entries<'a> {
    reader: Reader<'a>,
    names: std::vec::IntoIter<&'a str>,
    name: &'a str,
}

impl<'de> MapAccess<'de> for Entries<'_> {
    type Error = ReadError;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, ReadError> {
        let Some(name) = self.names.next() else { return Ok(None) };
        self.name = name;
        seed.deserialize(StrDeserializer::new(name)).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, ReadError> {
        let Reader { fields, help, errors } = self.reader;
        seed.deserialize(help.value(self.name, fields, errors)).map_err(|error| match error {
            // Whatever the type says is about this field.
            ReadError::Form(_) => ReadError::Refused { field: self.name.to_owned() },
            error => error,
        })
    }
}

/// Why the reading ended.
#[derive(Debug)]
pub(super) enum ReadError {
    /// A field did not come.
    Missing(&'static str),
    /// The type of a field does not take what was typed.
    Refused { field: String },
    /// The form as a whole is not as its type is.
    Form(String),
}

impl de::Error for ReadError {
    fn custom<T: fmt::Display>(why: T) -> Self {
        Self::Form(why.to_string())
    }

    fn missing_field(field: &'static str) -> Self {
        Self::Missing(field)
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(field) => write!(f, "{field} is missing"),
            Self::Refused { field } => write!(f, "{field} is refused"),
            Self::Form(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for ReadError {}
