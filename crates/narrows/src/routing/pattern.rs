use std::{collections::BTreeMap, sync::Arc};

use regex::Regex;

use super::{
    Extent, Resolved, RouteError, Value,
    converters::{Converters, Kind},
    unsupported::unsupported,
    value::Integer,
};

/// One compiled URL pattern.
#[derive(Debug, Clone)]
pub(super) struct Pattern {
    text: Arc<str>,
    matcher: Matcher,
}

#[derive(Debug, Clone)]
enum Matcher {
    /// Without parameters there is no need for a regular expression.
    Literal(Extent),
    Regex {
        regex: Regex,
        /// One entry for each group that counts.
        groups: Vec<Group>,
    },
}

#[derive(Debug, Clone)]
struct Group {
    index: usize,
    name: Option<String>,
    kind: Kind,
}

impl Pattern {
    pub(super) fn path(text: &str, converters: &Converters, extent: Extent) -> Result<Self, RouteError> {
        let pattern = || text.to_owned();
        if text.starts_with('/') {
            return Err(RouteError::LeadingSlash { pattern: pattern() });
        }
        if text.contains("(?P<") || text.starts_with('^') || text.ends_with('$') {
            return Err(RouteError::LooksLikeRegex { pattern: pattern() });
        }
        let mut kinds = BTreeMap::new();
        let mut regex = String::from(r"\A");
        let mut rest = text;
        while let Some((literal, parameter, after)) = next_parameter(rest) {
            let (converter, name) = parameter.split_once(':').unwrap_or(("str", parameter));
            if parameter.contains(char::is_whitespace) || parameter.contains('<') || parameter.is_empty() {
                return Err(RouteError::Brackets { pattern: pattern() });
            }
            if !is_identifier(name) {
                return Err(RouteError::Name { pattern: pattern(), name: name.to_owned() });
            }
            let Some((of_converter, kind)) = converters.get(converter) else {
                let (converter, known) = (converter.to_owned(), converters.known());
                return Err(RouteError::UnknownConverter { pattern: pattern(), converter, known });
            };
            if kinds.insert(name, kind).is_some() {
                return Err(RouteError::Twice { pattern: pattern(), name: name.to_owned() });
            }
            regex.push_str(&regex::escape(literal));
            regex.push_str(&format!("(?P<{name}>{of_converter})"));
            rest = after;
        }
        if rest.contains(['<', '>']) {
            return Err(RouteError::Brackets { pattern: pattern() });
        }
        if kinds.is_empty() {
            return Ok(Self { text: text.into(), matcher: Matcher::Literal(extent) });
        }
        regex.push_str(&regex::escape(rest));
        if extent == Extent::Whole {
            regex.push_str(r"\z");
        }
        Self::compile(text, &regex, |name| kinds.get(name).copied().unwrap_or(Kind::Text))
    }

    pub(super) fn re_path(text: &str, extent: Extent) -> Result<Self, RouteError> {
        if text.starts_with('/') || text.starts_with("^/") {
            return Err(RouteError::LeadingSlash { pattern: text.to_owned() });
        }
        let regex = if extent == Extent::Whole && text.ends_with('$') {
            // Django matches such a pattern in full, with or without a `^`.
            format!(r"\A(?:{})\z", from_python(text))
        } else {
            from_python(text)
        };
        Self::compile(text, &regex, |_| Kind::Text)
    }

    fn compile(text: &str, regex: &str, kind: impl Fn(&str) -> Kind) -> Result<Self, RouteError> {
        let pattern = text.to_owned();
        let regex = Regex::new(regex).map_err(|error| match unsupported(text) {
            Some(feature) => RouteError::Unsupported { pattern, feature },
            None => RouteError::Regex { pattern, source: error.into() },
        })?;
        let any_named = regex.capture_names().any(|name| name.is_some());
        let groups = regex.capture_names().enumerate().skip(1);
        let groups = groups.filter(|(_, name)| name.is_some() || !any_named).map(|(index, name)| Group {
            index,
            name: name.map(str::to_owned),
            kind: name.map_or(Kind::Text, &kind),
        });
        let groups = groups.collect();
        Ok(Self { text: text.into(), matcher: Matcher::Regex { regex, groups } })
    }

    /// The pattern as it was written.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// What this pattern alone finds at the start of a path.
    pub(super) fn matches(&self, path: &str) -> Option<Resolved> {
        match &self.matcher {
            Matcher::Literal(Extent::Whole) => (*path == *self.text).then(|| Resolved::new(&self.text, "")),
            Matcher::Literal(Extent::Prefix) => {
                path.strip_prefix(&*self.text).map(|rest| Resolved::new(&self.text, rest))
            }
            Matcher::Regex { regex, groups } => {
                let captures = regex.captures(path)?;
                let mut found = Resolved::new(&self.text, &path[captures.get(0)?.end()..]);
                for group in groups {
                    let text = captures.get(group.index).map(|matched| matched.as_str());
                    match (&group.name, text) {
                        (Some(name), Some(text)) => {
                            found.extend_named([(name.clone(), group.kind.convert(text))]);
                        }
                        (Some(_), None) => {}
                        (None, text) => found.push_positional(text.map_or(Value::None, Value::from)),
                    }
                }
                Some(found)
            }
        }
    }
}

impl Kind {
    fn convert(self, text: &str) -> Value {
        match self {
            Self::Integer => Integer::from_digits(text).map_or_else(|| text.into(), Value::Integer),
            Self::Text => text.into(),
        }
    }
}

/// Whether a text is what Python and Rust take as a name.
pub(super) fn is_identifier(text: &str) -> bool {
    text.starts_with(|c: char| c.is_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_alphanumeric() || c == '_')
}

/// Splits at the first `<parameter>`: what is before it, what is in it, what is after it.
fn next_parameter(text: &str) -> Option<(&str, &str, &str)> {
    let (literal, rest) = text.split_once('<')?;
    if literal.contains('>') {
        return None;
    }
    let (parameter, after) = rest.split_once('>')?;
    Some((literal, parameter, after))
}

/// Python writes `\Z` for the very end, where Rust has `\z`.
fn from_python(pattern: &str) -> String {
    let mut regex = String::with_capacity(pattern.len());
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        regex.push(c);
        if c == '\\' {
            regex.extend(chars.next().map(|escaped| if escaped == 'Z' { 'z' } else { escaped }));
        }
    }
    regex
}
