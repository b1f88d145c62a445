use chrono::{DateTime, NaiveDateTime, SubsecRound, Utc};
use sea_orm::sea_query::Value;
use sea_orm::{DbBackend, DbErr, QueryResult};

/// A time as Django writes it: text in SQLite, `timestamp with time zone` in PostgreSQL, `datetime(6)` in UTC in MySQL.
///
/// SQLite compares times as texts, so the text is Django's to the letter: no `T`, no zone, and no fraction where it is
/// nought.
pub(crate) fn time_value(time: DateTime<Utc>, backend: DbBackend) -> Value {
    let time = time.trunc_subsecs(6);
    match backend {
        DbBackend::Postgres => time.into(),
        DbBackend::MySql => time.naive_utc().into(),
        _ if time.timestamp_subsec_micros() == 0 => time.format("%Y-%m-%d %H:%M:%S").to_string().into(),
        _ => time.format("%Y-%m-%d %H:%M:%S%.6f").to_string().into(),
    }
}

/// A time that Django, or another program, wrote. `None` where there is none.
pub(crate) fn time_of(
    row: &QueryResult,
    column: &str,
    backend: DbBackend,
) -> Result<Option<DateTime<Utc>>, DbErr> {
    match backend {
        DbBackend::Postgres => row.try_get::<Option<DateTime<Utc>>>("", column),
        DbBackend::MySql => Ok(row.try_get::<Option<NaiveDateTime>>("", column)?.map(|time| time.and_utc())),
        _ => match row.try_get::<Option<String>>("", column)? {
            None => Ok(None),
            Some(text) => parse(&text)
                .map(Some)
                .ok_or_else(|| DbErr::Type(format!("`{column}` holds no time but {text:?}"))),
        },
    }
}

/// With a space or a `T` between, and with a zone or without, which is UTC.
fn parse(text: &str) -> Option<DateTime<Utc>> {
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Some(time.to_utc());
    }
    ["%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f"]
        .iter()
        .find_map(|format| NaiveDateTime::parse_from_str(text, format).ok())
        .map(|time| time.and_utc())
}
