use std::collections::{HashMap, HashSet};
use std::time::Instant;

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::end::End;
use super::error::BenchError;
use super::frame;
use super::pump::{Listener, Members};

/// Members of one room, and what they were told of each other.
#[derive(Debug)]
pub(super) struct Crowd {
    start: Instant,
    frames: Vec<u32>,
    bytes: u64,
    is_told: Vec<bool>,
    told: usize,
    all_told_at: Option<Instant>,
    opened: usize,
    last_in: Option<Instant>,
    last: Roster,
    last_right_at: Option<Instant>,
    /// The last one is to ask for the page behind this key.
    asks: Option<Option<String>>,
    /// What is told is numbers, and no names.
    counts: bool,
    closed: usize,
    first_closed: Option<End>,
    /// Seconds, and how many are in.
    pub(super) came: Vec<(f64, f64)>,
    /// Seconds, and of how many the first one was told.
    pub(super) first_told: Vec<(f64, f64)>,
}

/// What the last one has.
#[derive(Debug, Default)]
struct Roster {
    people: HashSet<String>,
    version: Option<u64>,
    /// All pages have come.
    whole: bool,
    /// Diffs that came before the first page.
    early: Vec<Told>,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Told {
    Presence {
        #[serde(default)]
        joins: HashMap<String, IgnoredAny>,
        #[serde(default)]
        leaves: Vec<String>,
        version: u64,
        #[serde(default)]
        partial: bool,
    },
    Roster {
        people: HashMap<String, IgnoredAny>,
        version: u64,
        next: Option<String>,
    },
}

impl Crowd {
    pub(super) fn new(members: usize, start: Instant) -> Self {
        Self {
            start,
            frames: vec![0; members],
            bytes: 0,
            is_told: vec![false; members],
            told: 0,
            all_told_at: None,
            opened: 0,
            last_in: None,
            last: Roster::default(),
            last_right_at: None,
            asks: None,
            counts: false,
            closed: 0,
            first_closed: None,
            came: vec![(0.0, 0.0)],
            first_told: vec![(0.0, 0.0)],
        }
    }

    pub(super) fn opened(&self) -> usize {
        self.opened
    }

    pub(super) fn frames(&self) -> u64 {
        self.frames.iter().map(|frames| u64::from(*frames)).sum()
    }

    pub(super) fn most_frames(&self) -> u32 {
        self.frames.iter().copied().max().unwrap_or_default()
    }

    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// How many know of all.
    pub(super) fn told(&self) -> usize {
        self.told
    }

    pub(super) fn all_told_at(&self) -> Option<Instant> {
        self.all_told_at
    }

    pub(super) fn last_in(&self) -> Option<Instant> {
        self.last_in
    }

    pub(super) fn last_right_at(&self) -> Option<Instant> {
        self.last_right_at
    }

    /// Whether nothing more is to come.
    pub(super) fn is_told(&self) -> bool {
        self.all_told_at.is_some() && self.last_right_at.is_some()
    }

    /// An error once a connection has ended.
    pub(super) fn check(&self) -> Result<(), BenchError> {
        match &self.first_closed {
            None => Ok(()),
            Some(why) => {
                Err(BenchError::Closed { closed: self.closed, of: self.frames.len(), why: why.to_string() })
            }
        }
    }

    fn seconds(&self, at: Instant) -> f64 {
        at.saturating_duration_since(self.start).as_secs_f64()
    }

    fn is_last(&self, place: usize) -> bool {
        place + 1 == self.frames.len()
    }

    fn keep(&mut self, payload: &[u8], at: Instant) {
        let Ok(told) = serde_json::from_slice(payload) else { return };
        self.asks = self.last.take_in(told).map_or_else(|| self.asks.take(), Some);
        if self.last.whole && self.last.people.len() == self.frames.len() {
            self.last_right_at.get_or_insert(at);
        }
    }
}

impl Roster {
    /// Takes in what came. The key behind which the next page is, where one is to be asked for.
    fn take_in(&mut self, told: Told) -> Option<Option<String>> {
        match told {
            Told::Roster { people, version, next } => {
                self.people.extend(people.into_keys());
                let is_first = self.version.is_none();
                self.version.get_or_insert(version);
                self.whole = next.is_none();
                if is_first {
                    let early = std::mem::take(&mut self.early);
                    let asks = early.into_iter().filter_map(|told| self.take_in(told)).next();
                    return asks.or(next.map(Some));
                }
                next.map(Some)
            }
            told @ Told::Presence { .. } if self.version.is_none() => {
                self.early.push(told);
                None
            }
            Told::Presence { joins, leaves, version, partial } => {
                let known = self.version.unwrap_or_default();
                if version <= known {
                    return None;
                }
                self.version = Some(version);
                self.people.extend(joins.into_keys());
                self.people.retain(|key| !leaves.contains(key));
                if version == known + 1 && !partial {
                    return None;
                }
                // More than it says: from the start.
                *self = Self::default();
                Some(None)
            }
        }
    }
}

impl Listener for Crowd {
    fn opened(&mut self, place: usize, at: Instant) {
        self.opened += 1;
        self.came.push((self.seconds(at), self.opened as f64));
        if self.opened == self.frames.len() {
            self.last_in = Some(at);
        }
        if self.is_last(place) {
            self.asks = Some(None);
        }
    }

    fn message(&mut self, place: usize, payload: &[u8], at: Instant) {
        let is_count = payload.starts_with(br#"{"type":"presence_count""#);
        let is_diff = payload.starts_with(br#"{"type":"presence""#);
        if is_count || is_diff {
            self.counts |= is_count;
            self.frames[place] += 1;
            self.bytes += payload.len() as u64;
            let Some(count) = count(payload) else { return };
            if place == 0 {
                self.first_told.push((self.seconds(at), count as f64));
            }
            let all = count == self.frames.len() as u64;
            if all && !std::mem::replace(&mut self.is_told[place], true) {
                self.told += 1;
                if self.told == self.frames.len() {
                    self.all_told_at = Some(at);
                }
            }
            if all && is_count && self.is_last(place) {
                self.last_right_at.get_or_insert(at);
            }
        }
        if self.is_last(place) && !self.counts {
            self.keep(payload, at);
        }
    }

    fn ended(&mut self, _place: usize, end: End, _at: Instant) {
        self.closed += 1;
        self.first_closed.get_or_insert(end);
    }

    fn settle(&mut self, members: &mut Members) {
        let last = self.frames.len() - 1;
        if self.asks.is_some()
            && let Some(member) = members.get(last)
            && let Some(after) = self.asks.take()
        {
            let asks = serde_json::json!({ "roster": after }).to_string();
            member.send(|out| frame::append(out, frame::TEXT, asks.as_bytes()));
        }
    }
}

/// How many are there, by a message: near its end, behind those who came and went.
fn count(payload: &[u8]) -> Option<u64> {
    const NAME: &[u8] = br#""count":"#;
    let at = payload.windows(NAME.len()).rposition(|window| window == NAME)? + NAME.len();
    let digits = payload[at..].iter().take_while(|byte| byte.is_ascii_digit());
    Some(digits.fold(0, |count, digit| count * 10 + u64::from(digit - b'0')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_roster_is_kept_from_pages_and_diffs_in_any_order() {
        let mut roster = Roster::default();
        let mut say = |text: &str| roster.take_in(serde_json::from_str(text).unwrap());
        let diff = |version, joins: &str, more: &str| {
            format!(r#"{{"type":"presence","joins":{{{joins}}},"version":{version}{more}}}"#)
        };
        assert_eq!(say(&diff(4, r#""x":[1]"#, "")), None);
        assert_eq!(say(&diff(6, r#""c":[1]"#, "")), None);
        let page = r#"{"type":"roster","people":{"a":[1]},"version":5,"next":"a"}"#;
        assert_eq!(say(page), Some(Some("a".to_owned())));
        assert_eq!(say(r#"{"type":"roster","people":{"b":[1]},"version":6}"#), None);
        assert_eq!(say(&diff(7, "", r#","leaves":["a"]"#)), None);
        let mut people: Vec<_> = roster.people.iter().map(String::as_str).collect();
        people.sort_unstable();
        assert_eq!((people, roster.whole, roster.version), (vec!["b", "c"], true, Some(7)));
        assert_eq!(roster.take_in(serde_json::from_str(&diff(9, "", "")).unwrap()), Some(None));
    }

    #[test]
    fn the_count_of_a_message_is_the_one_behind_all_names() {
        assert_eq!(count(br#"{"joins":{"a":[{"count":7}]},"count":10000,"version":3}"#), Some(10_000));
        assert_eq!(count(br#"{"version":3}"#), None);
    }
}
