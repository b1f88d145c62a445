//! What was typed into one field, as the type of the field wants it.

use std::cell::RefCell;
use std::fmt::Display;
use std::str::FromStr;

use serde::de::value::{SeqDeserializer, StrDeserializer};
use serde::de::{self, Deserializer, IntoDeserializer, Visitor};

use super::errors::{FormErrors, REQUIRED};
use super::reader::ReadError;

const WHOLE: &str = "Enter a whole number.";
const NUMBER: &str = "Enter a number.";
const CHOICE: &str = "Choose one of the list.";
const TRUTH: &str = "Enter yes or no.";
const NUL: &str = "Null characters are not allowed.";
const NESTED: &str = "a field of a form cannot hold fields";

/// One field: the last of its texts, or all of them for a list.
pub(super) struct FieldValue<'a> {
    name: &'a str,
    texts: Vec<&'a str>,
    instead: Option<String>,
    errors: &'a RefCell<FormErrors>,
}

impl<'a> FieldValue<'a> {
    pub(super) fn new(name: &'a str, texts: &'a [String], errors: &'a RefCell<FormErrors>) -> Self {
        Self { name, texts: texts.iter().map(String::as_str).collect(), instead: None, errors }
    }

    /// Takes this text in place of what was typed, which is wrong for that reason.
    pub(super) fn instead(mut self, text: String, why: Option<&str>) -> Self {
        self.instead = Some(text);
        if let Some(why) = why {
            self.note(why);
        }
        self
    }

    fn text(&self) -> &str {
        self.instead.as_deref().or(self.texts.last().copied()).unwrap_or_default()
    }

    fn is_blank(&self) -> bool {
        self.text().trim().is_empty()
    }

    fn note(&self, why: &str) {
        let mut errors = self.errors.borrow_mut();
        if !errors.of(self.name).iter().any(|there| there == why) {
            errors.add(self.name, why);
        }
    }

    /// The number that was typed; where it is none that is noted, and another one taken.
    fn number<N: FromStr + Default>(&self, least: impl Display, most: impl Display) -> N {
        let text = self.text().trim();
        let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
        let is_whole = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        match text.parse() {
            Ok(number) => number,
            Err(_) if text.is_empty() => self.otherwise(REQUIRED),
            Err(_) if is_whole => {
                self.otherwise(&format!("Enter a whole number between {least} and {most}."))
            }
            Err(_) => self.otherwise(WHOLE),
        }
    }

    fn float(&self) -> f64 {
        let text = self.text().trim();
        match text.parse::<f64>() {
            Ok(number) if number.is_finite() => number,
            _ if text.is_empty() => self.otherwise(REQUIRED),
            _ => self.otherwise(NUMBER),
        }
    }

    fn otherwise<N: Default>(&self, why: &str) -> N {
        self.note(why);
        N::default()
    }
}

/// The methods for whole numbers, each with the bounds of its type.
macro_rules! whole_numbers {
    // A macro, as each is the same with another type.
    ($($method:ident $visit:ident $kind:ty,)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
            visitor.$visit(self.number::<$kind>(<$kind>::MIN, <$kind>::MAX))
        })*
    };
}

impl<'de> Deserializer<'de> for FieldValue<'_> {
    type Error = ReadError;

    whole_numbers! {
        deserialize_i8 visit_i8 i8,
        deserialize_i16 visit_i16 i16,
        deserialize_i32 visit_i32 i32,
        deserialize_i64 visit_i64 i64,
        deserialize_i128 visit_i128 i128,
        deserialize_u8 visit_u8 u8,
        deserialize_u16 visit_u16 u16,
        deserialize_u32 visit_u32 u32,
        deserialize_u64 visit_u64 u64,
        deserialize_u128 visit_u128 u128,
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        visitor.visit_f64(self.float())
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        visitor.visit_f64(self.float())
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        visitor.visit_bool(match self.text().trim().to_ascii_lowercase().as_str() {
            "on" | "true" | "1" | "yes" => true,
            "" | "off" | "false" | "0" | "no" => false,
            _ => self.otherwise(TRUTH),
        })
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        if self.texts.is_empty() && self.instead.is_none() {
            self.note(REQUIRED);
        }
        if self.text().contains('\0') {
            self.note(NUL);
        }
        visitor.visit_str(self.text())
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        self.deserialize_str(visitor)
    }

    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        self.deserialize_str(visitor)
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        self.deserialize_str(visitor)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        self.deserialize_str(visitor)
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        visitor.visit_bytes(self.text().as_bytes())
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        self.deserialize_bytes(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        if self.is_blank() { visitor.visit_none() } else { visitor.visit_some(self) }
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

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        visitor.visit_unit()
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        let typed = self.texts.iter().filter(|text| !text.trim().is_empty());
        let item = |text| Self {
            name: self.name,
            texts: vec![text],
            instead: self.instead.clone(),
            errors: self.errors,
        };
        let items: Vec<FieldValue<'_>> = typed.copied().map(item).collect();
        visitor.visit_seq(SeqDeserializer::new(items.into_iter()))
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, ReadError> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        let chosen = match variants.iter().find(|variant| **variant == self.text().trim()) {
            Some(variant) => variant,
            None => {
                self.note(if self.is_blank() { REQUIRED } else { CHOICE });
                variants.first().copied().unwrap_or_default()
            }
        };
        visitor.visit_enum(StrDeserializer::new(chosen))
    }

    fn deserialize_map<V: Visitor<'de>>(self, _: V) -> Result<V::Value, ReadError> {
        Err(de::Error::custom(NESTED))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, ReadError> {
        Err(de::Error::custom(NESTED))
    }
}

impl<'a> IntoDeserializer<'_, ReadError> for FieldValue<'a> {
    type Deserializer = FieldValue<'a>;

    fn into_deserializer(self) -> FieldValue<'a> {
        self
    }
}
