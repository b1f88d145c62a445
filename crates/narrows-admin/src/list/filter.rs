//! What a list is narrowed by.

use chrono::{Datelike, Duration, NaiveDate, Utc};
use narrows_models::sea_orm::sea_query::{Alias, Condition, Expr, ExprTrait, Query};
use narrows_models::sea_orm::{ConnectionTrait, DbBackend, DbErr};
use serde::Serialize;

use crate::Admin;
use crate::model::{Field, Kind, Model};
use crate::rows::Selection;
use crate::shell::Staff;
use crate::value;

/// So many values are offered.
const OFFERED: u64 = 50;

/// Distinct values are looked for in so many rows.
const LOOKED_AT: u64 = 5_000;

/// NULL, and the empty text, in an address.
const NULL: &str = "!null";
const EMPTY: &str = "!empty";

/// A filter as the page shows it.
#[derive(Debug, Serialize)]
pub(super) struct Shown {
    name: String,
    title: String,
    value: String,
    /// None: any value can be typed.
    options: Vec<Offer>,
}

#[derive(Debug, Serialize)]
struct Offer {
    value: String,
    title: String,
    is_selected: bool,
}

/// The rows that a chosen value leaves; `None`, where it makes no sense.
pub(super) fn condition(field: &Field, value: &str, backend: DbBackend) -> Option<Condition> {
    let column = field.column();
    if value == NULL {
        return Some(column.is_null().into());
    }
    if value == EMPTY {
        return field.kind.is_text().then(|| column.eq("").into());
    }
    if !is_time(&field.kind) {
        return Some(column.eq(value::bind(field, &Some(value.to_owned()), backend)?).into());
    }
    let (from, to) = range(value, Utc::now().date_naive())?;
    let bind = |date: NaiveDate| {
        // There a time is a text with a space or a `T` in it; a day comes before both.
        if backend == DbBackend::Sqlite {
            return Some(Expr::val(date.to_string()));
        }
        let time = if field.kind == Kind::Date { date.to_string() } else { format!("{date}T00:00:00") };
        value::bind(field, &Some(time), backend)
    };
    Some(Condition::all().add(column.clone().gte(bind(from)?)).add(column.lt(bind(to)?)))
}

fn is_time(kind: &Kind) -> bool {
    matches!(kind, Kind::Date | Kind::DateTime | Kind::LocalDateTime)
}

const TIMES: [(&str, &str); 4] =
    [("today", "Today"), ("week", "Past 7 days"), ("month", "This month"), ("year", "This year")];

/// From one day, to before another.
fn range(name: &str, today: NaiveDate) -> Option<(NaiveDate, NaiveDate)> {
    let tomorrow = today + Duration::days(1);
    let first = today.with_day(1)?;
    match name {
        "today" => Some((today, tomorrow)),
        "week" => Some((today - Duration::days(6), tomorrow)),
        "month" => Some((first, first + chrono::Months::new(1))),
        "year" => Some((first.with_month(1)?, first.with_month(1)? + chrono::Months::new(12))),
        _ => None,
    }
}

/// The filter of a field, with what it offers.
pub(super) async fn shown<C: ConnectionTrait>(
    connection: &C,
    admin: &Admin,
    staff: &Staff,
    model: &Model,
    at: usize,
    chosen: Option<&str>,
) -> Result<Shown, DbErr> {
    let field = &model.fields[at];
    let mut offers: Vec<(String, String)> = match &field.kind {
        Kind::Boolean => vec![("true".into(), "Yes".into()), ("false".into(), "No".into())],
        kind if is_time(kind) => {
            TIMES.iter().map(|(value, title)| ((*value).into(), (*title).into())).collect()
        }
        Kind::Choice { of, .. } => of.iter().map(|value| (value.clone(), value.clone())).collect(),
        _ => match targets(connection, admin, staff, model, at).await? {
            Some(offers) => offers,
            None => distinct(connection, model, at).await?,
        },
    };
    if field.null {
        offers.push((NULL.into(), "None".into()));
    }
    let chosen = chosen.unwrap_or_default();
    // What is chosen is among them, also where it is rare.
    if !chosen.is_empty() && !offers.is_empty() && !offers.iter().any(|(value, _)| value == chosen) {
        offers.push((chosen.to_owned(), chosen.to_owned()));
    }
    let options = offers.into_iter().map(|(value, title)| {
        let is_selected = value == chosen;
        Offer { value, title, is_selected }
    });
    Ok(Shown {
        name: format!("f.{}", field.name),
        title: field.title.clone(),
        value: chosen.to_owned(),
        options: options.collect(),
    })
}

/// The rows that a field points at, where one may see them; none, where there are too many.
async fn targets<C: ConnectionTrait>(
    connection: &C,
    admin: &Admin,
    staff: &Staff,
    model: &Model,
    at: usize,
) -> Result<Option<Vec<(String, String)>>, DbErr> {
    let Some((target, to)) = admin.target(model, at) else { return Ok(None) };
    if !staff.may_do(target, "view") {
        return Ok(Some(Vec::new()));
    }
    let selection = Selection::short(target, [to], connection.get_database_backend());
    let rows = selection.all(connection, selection.statement().limit(OFFERED + 1)).await?;
    if rows.len() as u64 > OFFERED {
        return Ok(Some(Vec::new()));
    }
    let offer = |row: &crate::rows::Row| Some((row.cell(to).clone()?, row.label.clone()));
    let mut offers: Vec<_> = rows.iter().filter_map(offer).collect();
    offers.sort_by(|one, other| one.1.cmp(&other.1));
    Ok(Some(offers))
}

/// The values of a field in the first rows; none, where there are too many.
async fn distinct<C: ConnectionTrait>(
    connection: &C,
    model: &Model,
    at: usize,
) -> Result<Vec<(String, String)>, DbErr> {
    let (field, backend) = (&model.fields[at], connection.get_database_backend());
    let some = Query::select()
        .expr_as(value::select(field, backend, false), Alias::new("narrows"))
        .from(model.table_ref())
        .and_where(field.column().is_not_null())
        .limit(LOOKED_AT)
        .to_owned();
    let distinct = Query::select()
        .distinct()
        .expr(Expr::col(Alias::new("narrows")))
        .from_subquery(some, Alias::new("some"))
        .limit(OFFERED + 1)
        .to_owned();
    let rows = connection.query_all(&distinct).await?;
    if rows.len() as u64 > OFFERED {
        return Ok(Vec::new());
    }
    let mut values = Vec::new();
    for row in rows {
        values.extend(value::read(field, &row, "narrows", backend)?);
    }
    values.sort_unstable();
    Ok(values
        .into_iter()
        .map(|value| match value.as_str() {
            "" => (EMPTY.to_owned(), "(empty)".to_owned()),
            text => (text.to_owned(), value::show(&field.kind, text)),
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_begin_and_end_with_days() {
        let day = |text: &str| text.parse::<NaiveDate>().expect("it is a date");
        let today = day("2026-12-31");
        assert_eq!(range("today", today), Some((today, day("2027-01-01"))));
        assert_eq!(range("week", today), Some((day("2026-12-25"), day("2027-01-01"))));
        assert_eq!(range("month", today), Some((day("2026-12-01"), day("2027-01-01"))));
        assert_eq!(range("year", today), Some((day("2026-01-01"), day("2027-01-01"))));
        assert_eq!(range("decade", today), None);
    }
}
