//! Tables as migrations see them, the same on every database.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// All tables of one app: what a snapshot holds, and what its migrations add up to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schema {
    /// The tables, by name.
    pub tables: BTreeMap<String, Table>,
}

/// A table.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Table {
    /// Its columns, in order.
    pub columns: Vec<Column>,
    /// The columns of its primary key.
    pub primary_key: Vec<String>,
    /// Its indexes and unique constraints.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub indexes: Vec<Index>,
    /// What its columns point at.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub foreign_keys: Vec<ForeignKey>,
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub kind: Kind,
    /// Whether it may hold nothing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub null: bool,
    /// What a row has that says nothing of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<Literal>,
    /// Whether the database numbers its rows.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub auto: bool,
}

/// What a column holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Kind {
    /// True or false.
    Boolean,
    /// 16 bits: `i8`, `i16`, `u8`.
    SmallInteger,
    /// 32 bits: `i32`, `u16`.
    Integer,
    /// 64 bits: `i64`, `u32`, and `u64` up to `i64::MAX`.
    BigInteger,
    /// `f32`.
    Float,
    /// `f64`.
    Double,
    /// Exact, with so many digits in all and after the point.
    Decimal(u32, u32),
    /// Text of at most so many characters.
    Varchar(u32),
    /// Text of any length.
    Text,
    /// Bytes of any length.
    Bytes,
    /// A day.
    Date,
    /// A time of day, to the microsecond.
    Time,
    /// A point in time, to the microsecond: `DateTimeUtc`, `DateTimeWithTimeZone`.
    DateTime,
    /// A date and a time of day without a zone, to the microsecond: `DateTime`.
    LocalDateTime,
    /// A UUID.
    Uuid,
    /// JSON.
    Json,
}

/// A value in a migration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Literal {
    /// True or false.
    Boolean(bool),
    /// A whole number.
    Integer(i64),
    /// Any other number, as it is written.
    Number(String),
    /// A text; also dates, times, UUIDs and JSON.
    Text(String),
    /// The time at which the row is written.
    Now,
}

/// An index or a unique constraint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Index {
    /// Its name, once in the whole database.
    pub name: String,
    /// Its columns, in order.
    pub columns: Vec<String>,
    /// Whether no two rows may have the same.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unique: bool,
}

/// Columns that point at a row of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForeignKey {
    /// Its name, once in the whole database.
    pub name: String,
    /// The columns that point.
    pub columns: Vec<String>,
    /// The table that they point at, of this app or of another.
    pub to_table: String,
    /// The columns there.
    pub to_columns: Vec<String>,
    /// What a deletion there does here.
    #[serde(default)]
    pub on_delete: Action,
    /// What a changed key there does here.
    #[serde(default)]
    pub on_update: Action,
}

/// What a change of a row does to those that point at it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// The change is refused.
    #[default]
    Restrict,
    /// They go with it.
    Cascade,
    /// They point at nothing.
    SetNull,
    /// They point at their default.
    SetDefault,
    /// The change is refused, at the end of the statement or transaction.
    NoAction,
}
