//! Which kinds of values become which, the same on every database.

use super::{Dialect, Statement};
use crate::schema::{Column, Kind};

/// Texts that are true or false, in lower case.
pub(super) const TRUE: &str = "'1', 't', 'true', 'y', 'yes', 'on'";
pub(super) const FALSE: &str = "'0', 'f', 'false', 'n', 'no', 'off'";

pub(super) fn is_text(kind: &Kind) -> bool {
    matches!(kind, Kind::Varchar(_) | Kind::Text)
}

pub(super) fn is_integer(kind: &Kind) -> bool {
    matches!(kind, Kind::SmallInteger | Kind::Integer | Kind::BigInteger)
}

pub(super) fn is_number(kind: &Kind) -> bool {
    is_integer(kind) || matches!(kind, Kind::Float | Kind::Double | Kind::Decimal(..))
}

/// Refuses where the column holds a value, and none of its kind becomes one of the other: some databases would make
/// something up, such as 0 of any JSON.
pub(super) fn refuse_strange(
    dialect: Dialect,
    table: &str,
    was: &Column,
    column: &Column,
) -> Option<Statement> {
    let (table, name) = (dialect.quote(table), dialect.quote(&column.name));
    (!becomes(&was.kind, &column.kind)).then(|| Statement::Refuse {
        query: format!("SELECT 1 FROM {table} WHERE {name} IS NOT NULL LIMIT 1"),
        why: format!(
            "`{}` holds values, and {} does not become {}: add another column, and fill it by SQL or code",
            column.name, was.kind, column.kind
        ),
    })
}

/// Why values are refused that do not fit the kind of a column.
pub(super) fn misfits(column: &Column) -> String {
    match column.kind {
        Kind::Varchar(most) => format!("`{}` holds texts of more than {most} characters", column.name),
        _ => format!("`{}` holds values that are no {}", column.name, column.kind),
    }
}

/// Whether there is a way from the one kind to the other; not each value has to be able to go it.
pub(super) fn becomes(from: &Kind, to: &Kind) -> bool {
    use Kind::{Boolean, Bytes, Date, DateTime, LocalDateTime, Time, Uuid};
    match (from, to) {
        (from, to) if from == to || is_text(from) || is_text(to) => true,
        (Boolean, to) => is_number(to),
        (from, Boolean) => is_number(from),
        (Date | DateTime | LocalDateTime, Date | DateTime | LocalDateTime) => true,
        (DateTime | LocalDateTime, Time) | (Uuid, Bytes) | (Bytes, Uuid) => true,
        (from, to) => is_number(from) && is_number(to),
    }
}
