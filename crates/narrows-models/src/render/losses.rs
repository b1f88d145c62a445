//! What a change of a type may lose, as comments above it.

use crate::migration::Operation;
use crate::schema::{Kind, Schema};

/// Warnings of a step, for whoever reads the migration before it is applied.
pub(crate) fn comments(before: &Schema, operation: &Operation) -> Vec<String> {
    let Operation::AlterColumn { table, column, .. } = operation else { return Vec::new() };
    let was = before
        .tables
        .get(table)
        .and_then(|table| table.columns.iter().find(|before| before.name == column.name));
    let Some(was) = was.filter(|was| !keeps_all(&was.kind, &column.kind)) else { return Vec::new() };
    let what = match rounds(&was.kind, &column.kind) {
        true => "digits after the point are rounded, and a value that is too great stops this.",
        false => "a value that does not fit stops this.",
    };
    vec![
        format!("From {} to {}: {what}", was.kind, column.kind),
        "Where rows may have such values, change them first, by `.sql(…)` or `.run(…)`.".to_owned(),
    ]
}

/// Whether digits after the point may go.
fn rounds(from: &Kind, to: &Kind) -> bool {
    use Kind::{BigInteger, Decimal, Double, Float, Integer, SmallInteger};
    matches!(from, Decimal(..) | Double | Float)
        && matches!(to, SmallInteger | Integer | BigInteger | Decimal(..) | Double | Float)
}

/// Whether every value of the one kind is one of the other.
fn keeps_all(from: &Kind, to: &Kind) -> bool {
    use Kind::{BigInteger, Boolean, Decimal, Double, Float, Integer, SmallInteger, Text, Varchar};
    let whole_digits = |kind: &Kind| match kind {
        SmallInteger => Some(5),
        Integer => Some(10),
        BigInteger => Some(19),
        Boolean => Some(1),
        _ => None,
    };
    match (from, to) {
        (from, to) if from == to => true,
        (Varchar(before), Varchar(now)) => now >= before,
        (Decimal(digits, after), Decimal(now_digits, now_after)) => {
            now_after >= after && now_digits.saturating_sub(*now_after) >= digits.saturating_sub(*after)
        }
        (Float, Double) | (SmallInteger, Integer | BigInteger) | (Integer, BigInteger) => true,
        (SmallInteger, Float) | (SmallInteger | Integer, Double) => true,
        (Boolean, SmallInteger | Integer | BigInteger) => true,
        (from, Decimal(digits, after)) if whole_digits(from).is_some() => {
            whole_digits(from).is_some_and(|whole| digits.saturating_sub(*after) >= whole)
        }
        // Everything but bytes has a text; whether a database writes it as another one does is of no loss.
        (from, Text) => *from != Kind::Bytes,
        _ => false,
    }
}
