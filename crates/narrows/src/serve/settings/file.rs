use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::error::SettingsError;
use super::nearest::nearest;
use super::setting::Setting;
use super::source::Source;
use super::value::{Kind, Value};

/// The settings in a TOML file: the place in the table, the value and its line.
pub(super) fn read(
    path: &Path,
    named_by: &Source,
    table: &[&Setting],
) -> Result<Vec<(usize, Value, Source)>, SettingsError> {
    let text = std::fs::read_to_string(path).map_err(|source| SettingsError::ReadFile {
        path: path.to_owned(),
        origin: named_by.clone(),
        source,
    })?;
    let at = |offset: usize| {
        let before = text.get(..offset).unwrap_or(&text);
        Source::File { path: path.to_owned(), line: before.matches('\n').count() + 1 }
    };
    let document = DeTable::parse(&text).map_err(|error| SettingsError::ParseFile {
        origin: at(error.span().map_or(0, |span| span.start)),
        message: error.message().to_owned(),
    })?;
    let mut values = Vec::new();
    for (key, value) in document.into_inner() {
        let origin = at(key.span().start);
        let key = key.into_inner();
        let Some(place) = table.iter().position(|setting| setting.name == key) else {
            let hint = nearest(&key, table.iter().map(|setting| setting.name)).map(str::to_owned);
            return Err(SettingsError::UnknownKey { key: key.into_owned(), origin, hint });
        };
        let setting = table[place];
        match convert(&setting.kind, value.get_ref()) {
            Ok(value) => values.push((place, value, origin)),
            Err(problem) => {
                let written = text.get(value.span()).unwrap_or_default();
                let value = if setting.secret { "its value" } else { written }.to_owned();
                return Err(SettingsError::Value { name: setting.name.to_owned(), value, origin, problem });
            }
        }
    }
    Ok(values)
}

/// Takes TOML's own numbers, booleans and arrays where they mean what the setting says, and texts everywhere.
fn convert(kind: &Kind, value: &DeValue<'_>) -> Result<Value, String> {
    match (kind, value) {
        (_, DeValue::String(text)) => kind.parse(text),
        (Kind::Count { .. } | Kind::Bytes { .. }, DeValue::Integer(number)) if number.radix() == 10 => {
            kind.parse(number.as_str())
        }
        // Without a unit only zero is clear; any other number gets the error that shows the units.
        (Kind::Duration(_), DeValue::Integer(number)) => kind.parse(number.as_str()),
        (Kind::Switch, DeValue::Boolean(value)) => Ok(Value::Switch(*value)),
        (kind, DeValue::Array(items)) if kind.is_list() => {
            let texts: Option<Vec<&str>> = items.iter().map(Spanned::get_ref).map(DeValue::as_str).collect();
            kind.check_list(texts.ok_or("holds something other than texts; quote each of its items")?)
        }
        (kind, _) => Err(format!("is not of the right type; {}", kind.accepts())),
    }
}
