//! Columns, and what becomes of rows when they change.

use crate::schema::{Column, Kind, Literal};

/// A column of each kind. It holds no NULL, unless it is told to.
impl Column {
    /// A column of this name and kind.
    pub fn new(name: &str, kind: Kind) -> Self {
        Self { name: name.to_owned(), kind, null: false, default: None, auto: false }
    }

    /// True or false.
    pub fn boolean(name: &str) -> Self {
        Self::new(name, Kind::Boolean)
    }

    /// Whole numbers of 16 bits.
    pub fn small_integer(name: &str) -> Self {
        Self::new(name, Kind::SmallInteger)
    }

    /// Whole numbers of 32 bits.
    pub fn integer(name: &str) -> Self {
        Self::new(name, Kind::Integer)
    }

    /// Whole numbers of 64 bits.
    pub fn big_integer(name: &str) -> Self {
        Self::new(name, Kind::BigInteger)
    }

    /// Numbers of 32 bits with a point.
    pub fn float(name: &str) -> Self {
        Self::new(name, Kind::Float)
    }

    /// Numbers of 64 bits with a point.
    pub fn double(name: &str) -> Self {
        Self::new(name, Kind::Double)
    }

    /// Exact numbers, with so many digits in all and after the point.
    pub fn decimal(name: &str, digits: u32, after_point: u32) -> Self {
        Self::new(name, Kind::Decimal(digits, after_point))
    }

    /// Text of at most so many characters.
    pub fn varchar(name: &str, length: u32) -> Self {
        Self::new(name, Kind::Varchar(length))
    }

    /// Text of any length.
    pub fn text(name: &str) -> Self {
        Self::new(name, Kind::Text)
    }

    /// Bytes of any length.
    pub fn bytes(name: &str) -> Self {
        Self::new(name, Kind::Bytes)
    }

    /// A day.
    pub fn date(name: &str) -> Self {
        Self::new(name, Kind::Date)
    }

    /// A time of day, to the microsecond.
    pub fn time(name: &str) -> Self {
        Self::new(name, Kind::Time)
    }

    /// A point in time, to the microsecond.
    pub fn date_time(name: &str) -> Self {
        Self::new(name, Kind::DateTime)
    }

    /// A date and a time of day without a zone, to the microsecond.
    pub fn local_date_time(name: &str) -> Self {
        Self::new(name, Kind::LocalDateTime)
    }

    /// A UUID.
    pub fn uuid(name: &str) -> Self {
        Self::new(name, Kind::Uuid)
    }

    /// JSON.
    pub fn json(name: &str) -> Self {
        Self::new(name, Kind::Json)
    }

    /// It may hold nothing.
    #[must_use]
    pub fn null(mut self) -> Self {
        self.null = true;
        self
    }

    /// What a row has that says nothing of it.
    #[must_use]
    pub fn default(mut self, value: impl Into<Literal>) -> Self {
        self.default = Some(value.into());
        self
    }

    /// A row that says nothing of it has the time at which it is written.
    #[must_use]
    pub fn default_now(self) -> Self {
        self.default(Literal::Now)
    }

    /// The database numbers its rows.
    #[must_use]
    pub fn auto(mut self) -> Self {
        self.auto = true;
        self
    }

    /// What the rows that are there get, once: all of them in a new column, those with NULL in a changed one.
    pub fn fill(self, value: impl Into<Literal>) -> ColumnChange {
        ColumnChange::from(self).fill(value)
    }

    /// What rows with NULL get when a change of the column is taken back.
    pub fn undo_fill(self, value: impl Into<Literal>) -> ColumnChange {
        ColumnChange::from(self).undo_fill(value)
    }
}

/// A column that is added or changed, and what becomes of the rows that are there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnChange {
    pub(super) column: Column,
    pub(super) fill: Option<Literal>,
    pub(super) undo_fill: Option<Literal>,
}

impl ColumnChange {
    /// What the rows that are there get, once.
    #[must_use]
    pub fn fill(mut self, value: impl Into<Literal>) -> Self {
        self.fill = Some(value.into());
        self
    }

    /// What rows with NULL get when a change of the column is taken back.
    #[must_use]
    pub fn undo_fill(mut self, value: impl Into<Literal>) -> Self {
        self.undo_fill = Some(value.into());
        self
    }
}

impl From<Column> for ColumnChange {
    fn from(column: Column) -> Self {
        Self { column, fill: None, undo_fill: None }
    }
}

/// A column that is dropped, and what the rows get in it when that is taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DropColumn {
    pub(super) name: String,
    pub(super) fill: Option<Literal>,
}

impl DropColumn {
    /// The column of this name.
    pub fn new(name: &str) -> Self {
        Self { name: name.to_owned(), fill: None }
    }

    /// What the rows get when this is taken back.
    #[must_use]
    pub fn fill(mut self, value: impl Into<Literal>) -> Self {
        self.fill = Some(value.into());
        self
    }
}

impl From<&str> for DropColumn {
    fn from(name: &str) -> Self {
        Self::new(name)
    }
}
