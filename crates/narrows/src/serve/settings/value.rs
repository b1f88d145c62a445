use std::time::Duration;

use super::units;
use crate::scope::TrustedProxies;

/// What zero means for a duration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Zero {
    /// The thing is switched off.
    Off,
    /// No time at all.
    Instant,
    /// Nothing sensible, so it is refused.
    Refused,
}

/// What a setting accepts.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    Duration(Zero),
    Bytes { least: usize },
    Count { least: usize },
    Switch,
    Text(&'static str),
    Choice(&'static [&'static str]),
    List(&'static str),
    Addresses,
    Origins,
    Proxies,
}

/// The value of a setting, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    Duration(Duration),
    Bytes(usize),
    Count(usize),
    Switch(bool),
    Text(String),
    List(Vec<String>),
}

impl Kind {
    /// Whether repeating the flag adds to the value, instead of replacing it.
    pub(super) fn is_list(&self) -> bool {
        matches!(self, Self::List(_) | Self::Addresses | Self::Origins | Self::Proxies)
    }

    /// What to write, in a word, for the help.
    pub(super) fn placeholder(&self) -> String {
        match self {
            Self::Duration(_) => "TIME".to_owned(),
            Self::Bytes { .. } => "SIZE".to_owned(),
            Self::Count { .. } => "NUMBER".to_owned(),
            Self::Switch => String::new(),
            Self::Text(word) => (*word).to_owned(),
            Self::Choice(words) => words.join("|"),
            Self::List(word) => format!("{word},…"),
            Self::Addresses => "HOST:PORT,…".to_owned(),
            Self::Origins => "same|any|ORIGIN,…".to_owned(),
            Self::Proxies => "ADDRESS,…".to_owned(),
        }
    }

    /// What to write, in half a sentence: "use for example …".
    pub(super) fn accepts(&self) -> String {
        match self {
            Self::Duration(Zero::Off) => "use for example 500ms, 20s, 2m, or off".to_owned(),
            Self::Duration(Zero::Instant) => "use for example 500ms, 20s, 2m, or 0s".to_owned(),
            Self::Duration(Zero::Refused) => "use for example 500ms, 20s or 2m".to_owned(),
            Self::Bytes { .. } => "use for example 65536, 64KiB or 1MiB".to_owned(),
            Self::Count { least } => format!("use a whole number from {least} up"),
            Self::Switch => "use true or false".to_owned(),
            Self::Text(_) => "use any text".to_owned(),
            Self::Choice(words) => format!("use {}", or(words)),
            Self::List(_) => "use a list with commas between".to_owned(),
            Self::Addresses => "use for example 127.0.0.1:8000, [::1]:8000 or localhost:8000".to_owned(),
            Self::Origins => "use same, any, or a list such as https://example.com".to_owned(),
            Self::Proxies => "use for example 127.0.0.1, 10.0.0.0/8 or unix".to_owned(),
        }
    }

    /// Reads what was written; the error says what is wrong and what would be right.
    pub(super) fn parse(&self, text: &str) -> Result<Value, String> {
        let text = text.trim();
        let wrong = |what: &str| Err(format!("is not {what}; {}", self.accepts()));
        match self {
            Self::Duration(zero) => match units::duration(text).or_else(|| off(text)) {
                None => wrong("a duration"),
                Some(Duration::ZERO) if *zero == Zero::Refused => {
                    Err(format!("is too short; {}", self.accepts()))
                }
                Some(value) => Ok(Value::Duration(value)),
            },
            Self::Bytes { least } => match units::size(text) {
                None => wrong("a size"),
                Some(value) if value < *least => {
                    Err(format!("is too small: the least that works is {}", units::show_size(*least)))
                }
                Some(value) => Ok(Value::Bytes(value)),
            },
            Self::Count { least } => match text.parse() {
                Err(_) => wrong("a count"),
                Ok(value) if value < *least => Err(format!("is too small: the least that works is {least}")),
                Ok(value) => Ok(Value::Count(value)),
            },
            Self::Switch => match text.to_ascii_lowercase().as_str() {
                "true" | "yes" | "on" | "1" => Ok(Value::Switch(true)),
                "false" | "no" | "off" | "0" => Ok(Value::Switch(false)),
                _ => wrong("a yes or no"),
            },
            Self::Text(_) => Ok(Value::Text(text.to_owned())),
            Self::Choice(words) if words.contains(&text) => Ok(Value::Text(text.to_owned())),
            Self::Choice(_) => wrong("among its choices"),
            Self::List(_) | Self::Addresses | Self::Origins | Self::Proxies => {
                self.check_list(text.split(','))
            }
        }
    }

    /// Checks the items of a list, however they were separated; empty ones are none.
    pub(super) fn check_list<'a>(&self, items: impl IntoIterator<Item = &'a str>) -> Result<Value, String> {
        let items = items.into_iter().map(str::trim).filter(|item| !item.is_empty());
        let items: Vec<String> = items.map(str::to_owned).collect();
        match self {
            Self::Addresses => {
                if let Some(item) = items.iter().find(|item| !is_address(item)) {
                    return Err(format!("has {item:?}, which is not host:port; {}", self.accepts()));
                }
            }
            Self::Origins => {
                let word = |item: &&String| matches!(item.as_str(), "same" | "any");
                if items.is_empty() {
                    return Err(format!("names no origin; {}", self.accepts()));
                }
                // "same" beside others is fine, but "any" beside a list hides that the list has no effect.
                if items.len() > 1 && items.iter().any(|item| item == "any") {
                    return Err("has any beside others; any already allows them all".to_owned());
                }
                if let Some(item) = items.iter().find(|item| !word(item) && !is_origin(item)) {
                    return Err(format!("has {item:?}, which is not an origin; {}", self.accepts()));
                }
            }
            Self::Proxies => {
                for item in &items {
                    let problem = |error| format!("has {error}; {}", self.accepts());
                    item.parse::<TrustedProxies>().map_err(problem)?;
                }
            }
            _ => {}
        }
        Ok(Value::List(items))
    }
}

impl Value {
    /// The value as one would write it in the environment.
    pub(super) fn show(&self, kind: &Kind) -> String {
        match (self, kind) {
            (Self::Duration(Duration::ZERO), Kind::Duration(Zero::Off)) => "off".to_owned(),
            (Self::Duration(value), _) => units::show_duration(*value),
            (Self::Bytes(value), _) => units::show_size(*value),
            (Self::Count(value), _) => value.to_string(),
            (Self::Switch(value), _) => value.to_string(),
            (Self::Text(value), _) => value.clone(),
            (Self::List(items), _) => items.join(","),
        }
    }
}

fn off(text: &str) -> Option<Duration> {
    text.eq_ignore_ascii_case("off").then_some(Duration::ZERO)
}

/// Whether this is `host:port`, with the brackets that a bare IPv6 address needs.
fn is_address(text: &str) -> bool {
    let Some((host, port)) = text.rsplit_once(':') else { return false };
    let host_is_right = match host.strip_prefix('[') {
        Some(rest) => rest.strip_suffix(']').is_some_and(|ip| ip.parse::<std::net::Ipv6Addr>().is_ok()),
        None => !host.is_empty() && !host.contains([':', '/', ' ', '[', ']']),
    };
    host_is_right && port.parse::<u16>().is_ok()
}

/// Whether this has the shape of an origin: scheme and host, no path. `*` may stand for a label.
fn is_origin(text: &str) -> bool {
    let Some((scheme, host)) = text.split_once("://") else { return false };
    let scheme_is_right = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
    scheme_is_right && !host.is_empty() && !host.contains(['/', ' ', '?', '#'])
}

fn or(words: &[&str]) -> String {
    match words {
        [] => String::new(),
        [only] => (*only).to_owned(),
        [most @ .., last] => format!("{} or {last}", most.join(", ")),
    }
}
