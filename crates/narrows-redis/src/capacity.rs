use regex::Regex;

use crate::glob::Glob;

/// How many unread messages a channel may hold: a default, and patterns for channels that need another number.
///
/// It is `capacity` and `channel_capacity` of channels_redis. The patterns are tried in the order in which they were
/// added, and the first that matches decides.
///
/// ```
/// use narrows_redis::Capacities;
///
/// let capacities = Capacities::new(100).glob("thumbnails-*", 5000).regex(r"jobs\.(mail|sms)$", 1000)?;
/// assert_eq!(capacities.of("thumbnails-generate"), 5000);
/// assert_eq!(capacities.of("jobs.mail"), 1000);
/// assert_eq!(capacities.of("jobs.mailing"), 100);
/// # Ok::<(), narrows_redis::CapacityPatternError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Capacities {
    default: usize,
    patterns: Vec<(Pattern, usize)>,
}

#[derive(Debug, Clone)]
enum Pattern {
    Glob(Glob),
    Regex(Regex),
}

impl Capacities {
    /// `default` messages for every channel.
    pub fn new(default: usize) -> Self {
        Self { default, patterns: Vec::new() }
    }

    /// A number of messages for the channels whose whole name matches a pattern of a shell: `*` any text, `?` any
    /// character, `[a-z]` and `[!a-z]` one of a set or one outside it. It is Python's `fnmatch`, with case.
    #[must_use]
    pub fn glob(mut self, pattern: &str, capacity: usize) -> Self {
        self.patterns.push((Pattern::Glob(Glob::new(pattern)), capacity));
        self
    }

    /// A number of messages for the channels whose name begins with a match of a regular expression, as Python's
    /// `re.match` has it. A `$` at its end makes it match whole names.
    ///
    /// # Errors
    /// When it is no regular expression of the crate [`regex`]: that one has no look-around and no back-references.
    pub fn regex(mut self, pattern: &str, capacity: usize) -> Result<Self, CapacityPatternError> {
        let regex = Regex::new(pattern).map_err(|e| CapacityPatternError::NotARegex {
            pattern: pattern.to_owned(),
            source: Box::new(e),
        })?;
        self.patterns.push((Pattern::Regex(regex), capacity));
        Ok(self)
    }

    /// The number for a channel.
    pub fn of(&self, channel: &str) -> usize {
        let first = self.patterns.iter().find(|(pattern, _)| pattern.matches(channel));
        first.map_or(self.default, |(_, capacity)| *capacity)
    }
}

impl Default for Capacities {
    /// 100 messages for every channel, as in channels_redis.
    fn default() -> Self {
        Self::new(100)
    }
}

impl Pattern {
    fn matches(&self, channel: &str) -> bool {
        match self {
            Self::Glob(glob) => glob.matches(channel),
            // The first match found is the leftmost: if there is one at the start, it is that one.
            Self::Regex(regex) => regex.find(channel).is_some_and(|found| found.start() == 0),
        }
    }
}

/// Why a pattern for capacities cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CapacityPatternError {
    /// It is no regular expression.
    #[error("the capacity pattern {pattern:?} is not a regular expression")]
    NotARegex {
        /// The pattern.
        pattern: String,
        /// What is wrong with it.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vectors::vectors;

    #[test]
    fn capacities_are_those_of_channels_redis() {
        let vectors = vectors();
        let vectors = &vectors["capacity_patterns"];
        let mut capacities = Capacities::new(vectors["default"].as_u64().unwrap() as usize);
        for entry in vectors["config"].as_array().unwrap() {
            let (pattern, capacity) = (entry[1].as_str().unwrap(), entry[2].as_u64().unwrap() as usize);
            capacities = match entry[0].as_str().unwrap() {
                "glob" => capacities.glob(pattern, capacity),
                "regex" => capacities.regex(pattern, capacity).unwrap(),
                other => panic!("{other}"),
            };
        }
        let cases = vectors["cases"].as_object().unwrap();
        assert!(cases.len() >= 14);
        for (channel, capacity) in cases {
            assert_eq!(capacities.of(channel), capacity.as_u64().unwrap() as usize, "{channel}");
        }
    }

    #[test]
    fn the_first_pattern_that_matches_decides() {
        let capacities = Capacities::new(1).glob("a*", 2).regex("ab", 3).unwrap().glob("*", 4);
        assert_eq!([capacities.of("abc"), capacities.of("b")], [2, 4]);
        assert_eq!(Capacities::default().of("abc"), 100);
    }

    #[test]
    fn a_regex_matches_at_the_start_only_and_with_each_of_its_alternatives() {
        let capacities = Capacities::new(1).regex("b|ab", 2).unwrap();
        assert_eq!([capacities.of("abc"), capacities.of("bc"), capacities.of("cb")], [2, 2, 1]);
    }

    #[test]
    fn a_broken_regex_is_named() {
        let error = Capacities::new(1).regex("a(", 2).unwrap_err();
        assert_eq!(error.to_string(), r#"the capacity pattern "a(" is not a regular expression"#);
        assert!(std::error::Error::source(&error).is_some());
    }
}
