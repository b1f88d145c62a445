use std::{fmt, str::FromStr};

use serde::{
    Deserializer,
    de::{self, DeserializeSeed, IntoDeserializer, MapAccess, SeqAccess, Unexpected, Visitor, value},
    forward_to_deserialize_any,
};

use super::{Resolved, Value};

/// Why captured values are no value of a type.
#[derive(Debug)]
pub(super) struct Error {
    pub(super) kind: Kind,
    key: Option<String>,
    reason: String,
}

/// Whose fault it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// The client's, who can ask for another path.
    Value,
    /// The programmer's, as no path would do.
    Shape,
}

impl Error {
    fn new(kind: Kind, reason: impl fmt::Display) -> Self {
        Self { kind, key: None, reason: reason.to_string() }
    }

    fn at(mut self, key: &str) -> Self {
        self.key.get_or_insert_with(|| key.to_owned());
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(key) = &self.key {
            write!(f, "`{key}`: ")?;
        }
        f.write_str(&self.reason)
    }
}

impl std::error::Error for Error {}

impl de::Error for Error {
    fn custom<T: fmt::Display>(reason: T) -> Self {
        Self::new(Kind::Value, reason)
    }

    fn invalid_type(unexpected: Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::new(Kind::Shape, format_args!("invalid type: {unexpected}, expected {expected}"))
    }

    fn invalid_length(length: usize, expected: &dyn de::Expected) -> Self {
        Self::new(Kind::Shape, format_args!("invalid length {length}, expected {expected}"))
    }

    fn unknown_field(field: &str, _: &'static [&'static str]) -> Self {
        Self::new(Kind::Shape, format_args!("unknown field `{field}`"))
    }

    fn missing_field(field: &'static str) -> Self {
        Self::new(Kind::Shape, format_args!("missing field `{field}`"))
    }
}

/// All values of a route, to be read as a struct, a tuple or the only value.
#[derive(Clone, Copy)]
pub(super) struct Values<'de>(pub(super) &'de Resolved);

impl<'de> Values<'de> {
    fn map(self) -> impl Iterator<Item = (&'de str, &'de Value)> {
        self.0.kwargs()
    }

    fn seq(self) -> Vec<&'de Value> {
        if self.0.args().is_empty() {
            self.0.kwargs().map(|(_, value)| value).collect()
        } else {
            self.0.args().iter().collect()
        }
    }

    fn only(self) -> Result<One<'de>, Error> {
        let mut all = self.0.args().iter().chain(self.0.kwargs().map(|(_, value)| value));
        match (all.next(), all.count()) {
            (Some(value), 0) => Ok(One(value)),
            (None, _) => Err(Error::new(Kind::Shape, "there is no value, but the type takes one")),
            (Some(_), more) => Err(Error::new(
                Kind::Shape,
                format_args!("there are {} values, but the type takes one", more + 1),
            )),
        }
    }
}

macro_rules! forward {
    ($from:ident => $($method:ident)+) => {
        // A macro, as serde has one method for each type.
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            self.$from()?.$method(visitor)
        })+
    };
}

impl<'de> Deserializer<'de> for Values<'de> {
    type Error = Error;

    forward! { only =>
        deserialize_bool deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128 deserialize_f32
        deserialize_f64 deserialize_char deserialize_str deserialize_string deserialize_bytes
        deserialize_byte_buf deserialize_identifier
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.0.args().is_empty() { self.deserialize_map(visitor) } else { self.deserialize_seq(visitor) }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match &self.seq()[..] {
            [] | [Value::None] => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let values = self.seq();
        let all = values.len();
        let mut access = Seq { values: values.into_iter(), taken: 0 };
        let value = visitor.visit_seq(&mut access)?;
        if access.values.len() > 0 {
            let text = format!("there are {all} values, but the type takes {}", access.taken);
            return Err(Error::new(Kind::Shape, text));
        }
        Ok(value)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_map(Map { entries: self.map(), value: None })
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_map(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.only()?.deserialize_enum(name, variants, visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }
}

struct Seq<I> {
    values: I,
    taken: usize,
}

impl<'de, I: Iterator<Item = &'de Value>> SeqAccess<'de> for Seq<I> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Error> {
        let Some(value) = self.values.next() else {
            return Ok(None);
        };
        self.taken += 1;
        seed.deserialize(One(value)).map(Some).map_err(|error| error.at(&self.taken.to_string()))
    }
}

struct Map<'de, I> {
    entries: I,
    value: Option<(&'de str, &'de Value)>,
}

impl<'de, I: Iterator<Item = (&'de str, &'de Value)>> MapAccess<'de> for Map<'de, I> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        self.value = self.entries.next();
        self.value.map(|(key, _)| seed.deserialize(value::BorrowedStrDeserializer::new(key))).transpose()
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        let (key, value) =
            self.value.take().ok_or_else(|| Error::new(Kind::Shape, "a value was read before its name"))?;
        seed.deserialize(One(value)).map_err(|error| error.at(key))
    }
}

/// One captured value.
struct One<'de>(&'de Value);

impl<'de> One<'de> {
    fn text(&self, expected: &dyn de::Expected) -> Result<&'de str, Error> {
        match self.0 {
            Value::Text(text) => Ok(text),
            Value::Integer(number) => Ok(number.as_str()),
            Value::Bool(yes) => Err(de::Error::invalid_type(Unexpected::Bool(*yes), expected)),
            Value::None => {
                Err(Error::new(Kind::Shape, "the group took no part; an `Option` would allow for that"))
            }
        }
    }

    fn parse<T: FromStr>(&self, expected: &dyn de::Expected) -> Result<T, Error> {
        let text = self.text(expected)?;
        text.parse().map_err(|_| Error::new(Kind::Value, format_args!("{text:?} is not {expected}")))
    }
}

macro_rules! parse {
    ($($method:ident $visit:ident)+) => {
        // A macro, as serde has one method for each type.
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            let value = self.parse(&visitor)?;
            visitor.$visit(value)
        })+
    };
}

impl<'de> Deserializer<'de> for One<'de> {
    type Error = Error;

    parse! {
        deserialize_i8 visit_i8  deserialize_i16 visit_i16  deserialize_i32 visit_i32  deserialize_i64 visit_i64
        deserialize_i128 visit_i128  deserialize_u8 visit_u8  deserialize_u16 visit_u16
        deserialize_u32 visit_u32  deserialize_u64 visit_u64  deserialize_u128 visit_u128
        deserialize_f32 visit_f32  deserialize_f64 visit_f64
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Value::Text(text) => visitor.visit_borrowed_str(text),
            Value::Integer(number) => match (number.parse(), number.parse()) {
                (Ok(number), _) => visitor.visit_u64(number),
                (_, Ok(number)) => visitor.visit_i64(number),
                _ => visitor.visit_borrowed_str(number.as_str()),
            },
            Value::Bool(yes) => visitor.visit_bool(*yes),
            Value::None => visitor.visit_unit(),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let yes = if let Value::Bool(yes) = self.0 { *yes } else { self.parse(&visitor)? };
        visitor.visit_bool(yes)
    }

    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let c = self.parse(&visitor)?;
        visitor.visit_char(c)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let text = self.text(&visitor)?;
        visitor.visit_borrowed_str(text)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_str(visitor)
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let text = self.text(&visitor)?;
        visitor.visit_borrowed_bytes(text.as_bytes())
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_bytes(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if *self.0 == Value::None { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let text = self.text(&"the name of a variant")?;
        IntoDeserializer::<Error>::into_deserializer(text).deserialize_enum(name, variants, visitor)
    }

    forward_to_deserialize_any! { unit unit_struct seq tuple tuple_struct map struct identifier ignored_any }
}
