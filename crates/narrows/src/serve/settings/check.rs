use std::time::Duration;

use super::Settings;
use super::error::SettingsError;
use super::loaded::Entry;
use super::source::Source;
use super::value::Value;

/// Adapts defaults to what was set, so that a user who sets one thing need not set the other.
pub(super) fn settle(entries: &mut [Entry]) {
    // Somebody who asked for a Unix socket did not ask for a TCP port too.
    let elsewhere = [Value::List(Vec::new()), Value::Switch(false)];
    let unix = find(entries, "unix").is_some_and(|entry| entry.value != elsewhere[0]);
    let inherit = find(entries, "inherit").is_some_and(|entry| entry.value != elsewhere[1]);
    if let Some(bind) = find_default(entries, "bind").filter(|_| unix || inherit) {
        bind.value = Value::List(Vec::new());
    }
    // A frame cannot be larger than its message, and a drain cannot spread closes beyond its own end.
    lower(entries, "max_frame_bytes", "max_message_bytes");
    lower(entries, "drain_window", "drain_timeout");
}

/// Refuses settings that do not go together.
pub(super) fn check(settings: &Settings, entries: &[Entry]) -> Result<(), SettingsError> {
    let limits = &settings.limits;
    if limits.max_frame_bytes > limits.max_message_bytes {
        let problem = "a frame cannot be larger than its message; lower the first or raise the second";
        return Err(conflict(entries, "max_frame_bytes", "max_message_bytes", problem));
    }
    if limits.ping_interval > Duration::ZERO && limits.ping_timeout == Duration::ZERO {
        let problem = "a ping needs time for its answer; set the first, or switch pings off with the second";
        return Err(conflict(entries, "ping_timeout", "ping_interval", problem));
    }
    if settings.drain_window > settings.drain_timeout {
        let problem = "the closes are spread within the time that the shutdown may take";
        return Err(conflict(entries, "drain_window", "drain_timeout", problem));
    }
    if settings.bind.is_empty() && settings.unix.is_empty() && !settings.inherit {
        let problem = "there is nothing to listen on";
        return Err(conflict(entries, "bind", "unix", problem));
    }
    Ok(())
}

fn conflict(entries: &[Entry], first: &'static str, second: &'static str, problem: &str) -> SettingsError {
    let origin = |name| find(entries, name).map_or(Source::Default, |entry| entry.source.clone());
    SettingsError::Conflict {
        first,
        first_origin: origin(first),
        second,
        second_origin: origin(second),
        problem: problem.to_owned(),
    }
}

/// Lowers a default to the value of another setting.
fn lower(entries: &mut [Entry], name: &str, bound: &str) {
    let Some(bound) = find(entries, bound).map(|entry| entry.value.clone()) else { return };
    let Some(entry) = find_default(entries, name) else { return };
    let too_large = match (&entry.value, &bound) {
        (Value::Bytes(value), Value::Bytes(bound)) => value > bound,
        (Value::Duration(value), Value::Duration(bound)) => value > bound,
        _ => false,
    };
    if too_large {
        entry.value = bound;
    }
}

fn find<'a>(entries: &'a [Entry], name: &str) -> Option<&'a Entry> {
    entries.iter().find(|entry| entry.setting.name == name)
}

fn find_default<'a>(entries: &'a mut [Entry], name: &str) -> Option<&'a mut Entry> {
    entries.iter_mut().find(|entry| entry.setting.name == name && entry.source == Source::Default)
}
