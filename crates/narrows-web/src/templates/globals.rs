//! What every template can call: `static`, `url_for`, `has_route`, and the names `client_module` and `development`.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use minijinja::value::{Kwargs, ValueKind};
use minijinja::{Environment, Error, ErrorKind, Value};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::assets::{self, Found, Sources, percent_encoded};
use crate::routes::Names;

/// How many files that are not there are named in the log: names may be made of what visitors write.
const MAX_MISSING: usize = 100;

/// For whom the templates are.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kind {
    pub(super) development: bool,
    /// Whether a mistake is an error: in development and in tests.
    pub(super) strict: bool,
}

pub(super) fn add_to(
    environment: &mut Environment<'static>,
    sources: &Arc<Sources>,
    names: &Arc<OnceLock<Names>>,
    kind: Kind,
) {
    let Kind { development, strict } = kind;
    let files = sources.clone();
    let missing = Mutex::new(BTreeSet::new());
    environment.add_function("static", move |name: &str| -> Result<String, Error> {
        if let Some(path) = static_path(&files, name) {
            return Ok(path);
        }
        if strict {
            let folders: Vec<String> = files
                .folders(assets::Kind::Static)
                .iter()
                .map(|folder| folder.display().to_string())
                .collect();
            let place = if folders.is_empty() { "the binary".to_owned() } else { folders.join(", ") };
            let problem = format!("there is no static file `{name}` in {place}");
            return Err(Error::new(ErrorKind::InvalidOperation, problem));
        }
        // A page without its picture is better than no page.
        let mut missing = missing.lock().unwrap_or_else(PoisonError::into_inner);
        if missing.len() < MAX_MISSING && missing.insert(name.to_owned()) {
            tracing::warn!(name, "a template names a static file that is not there");
        }
        Ok(format!("/static/{}", percent_encoded(name)))
    });
    let known = names.clone();
    environment.add_function("url_for", move |name: &str, values: Kwargs| {
        let names = known
            .get()
            .ok_or_else(|| Error::new(ErrorKind::InvalidOperation, "the site has no routes yet"))?;
        url_for(names, name, &values)
    });
    let known = names.clone();
    environment
        .add_function("has_route", move |name: &str| known.get().is_some_and(|names| names.contains(name)));
    environment.add_global("client_module", narrows::client::module_path());
    environment.add_global("development", development);
}

/// The address of a static file.
pub(crate) fn static_path(sources: &Sources, name: &str) -> Option<String> {
    Some(match sources.file(name)? {
        Found::Embedded(file) => format!("/static/v-{}/{}", file.version, percent_encoded(name)),
        Found::Disk(_) => format!("/static/{}", percent_encoded(name)),
    })
}

/// `url_for('chat:room', room='lobby', _query={'page': 2})`.
fn url_for(names: &Names, name: &str, given: &Kwargs) -> Result<String, Error> {
    let (mut values, mut query) = (Vec::new(), None);
    for key in given.args() {
        let value: Value = given.get(key)?;
        match key {
            "_query" => query = Some(value),
            // An undefined name is a mistake, and not the empty text.
            _ if value.is_undefined() || value.is_none() => {}
            _ => values.push((key, value.to_string())),
        }
    }
    let mut url = names
        .url_for(name, &values)
        .map_err(|error| Error::new(ErrorKind::InvalidOperation, error.to_string()))?;
    if let Some(query) = query {
        let pairs = pairs(&query)?;
        if !pairs.is_empty() {
            url.push('?');
            url.push_str(&pairs.join("&"));
        }
    }
    Ok(url)
}

/// `name=value` for each, a list as often as it is long, nothing for what is none or undefined.
fn pairs(query: &Value) -> Result<Vec<String>, Error> {
    let encoded = |text: String| utf8_percent_encode(&text, NON_ALPHANUMERIC).to_string();
    let mut pairs = Vec::new();
    if query.is_undefined() || query.is_none() {
        return Ok(pairs);
    }
    for key in query.try_iter()? {
        let value = query.get_item(&key)?;
        let key = encoded(key.to_string());
        match value.kind() {
            ValueKind::Undefined | ValueKind::None => {}
            ValueKind::Seq | ValueKind::Iterable => {
                for value in value.try_iter()? {
                    pairs.push(format!("{key}={}", encoded(value.to_string())));
                }
            }
            _ => pairs.push(format!("{key}={}", encoded(value.to_string()))),
        }
    }
    Ok(pairs)
}
