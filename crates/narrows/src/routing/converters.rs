use std::collections::BTreeMap;

use regex::Regex;

use super::pattern::is_identifier;

/// Why a converter could not be added to [`UrlRoutes`](crate::UrlRoutes).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConverterError {
    /// There is a converter of this name already.
    #[error("there is a converter `{name}` already")]
    Taken {
        /// The name.
        name: String,
    },
    /// The name is no identifier, so that no pattern could use it.
    #[error("`{name}` is no name for a converter, as it is no identifier")]
    Name {
        /// The name.
        name: String,
    },
    /// The regular expression has named groups, which would look like parameters of their own.
    #[error("the regular expression `{regex}` of the converter `{name}` has named groups")]
    NamedGroups {
        /// The name.
        name: String,
        /// The regular expression.
        regex: String,
    },
    /// The regular expression is wrong, or needs what [`regex`](https://docs.rs/regex) does not do.
    #[error("the regular expression `{regex}` of the converter `{name}` is not valid")]
    Regex {
        /// The name.
        name: String,
        /// The regular expression.
        regex: String,
        /// What is wrong with it.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// The converters that `path` patterns may name.
#[derive(Debug, Clone, Default)]
pub(super) struct Converters {
    custom: BTreeMap<String, String>,
}

/// What becomes of the text that a converter matched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Integer,
}

const BUILT_IN: [(&str, &str, Kind); 5] = [
    ("int", "[0-9]+", Kind::Integer),
    ("path", ".+", Kind::Text),
    ("slug", "[-a-zA-Z0-9_]+", Kind::Text),
    ("str", "[^/]+", Kind::Text),
    ("uuid", "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", Kind::Text),
];

impl Converters {
    pub(super) fn add(&mut self, name: &str, regex: &str) -> Result<(), ConverterError> {
        if !is_identifier(name) {
            return Err(ConverterError::Name { name: name.to_owned() });
        }
        if self.get(name).is_some() {
            return Err(ConverterError::Taken { name: name.to_owned() });
        }
        let (name, regex) = (name.to_owned(), regex.to_owned());
        match Regex::new(&regex) {
            Err(error) => Err(ConverterError::Regex { name, regex, source: error.into() }),
            Ok(compiled) if compiled.capture_names().any(|name| name.is_some()) => {
                Err(ConverterError::NamedGroups { name, regex })
            }
            Ok(_) => {
                self.custom.insert(name, regex);
                Ok(())
            }
        }
    }

    pub(super) fn get(&self, name: &str) -> Option<(&str, Kind)> {
        let built_in = BUILT_IN.iter().find(|(known, ..)| *known == name);
        built_in
            .map(|(_, regex, kind)| (*regex, *kind))
            .or_else(|| self.custom.get(name).map(|regex| (regex.as_str(), Kind::Text)))
    }

    /// For an error.
    pub(super) fn known(&self) -> String {
        let built_in = BUILT_IN.iter().map(|(name, ..)| *name);
        built_in.chain(self.custom.keys().map(String::as_str)).collect::<Vec<_>>().join(", ")
    }
}
