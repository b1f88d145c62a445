use std::collections::VecDeque;
use std::hash::{BuildHasher, RandomState};

use super::digest::SessionDigest;
use super::notice::Notice;

/// A moment: the notices that came after it are known for a while.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Since(pub(super) Option<u64>);

impl Since {
    /// From before this node listened, or longer ago than is known.
    pub(crate) const UNKNOWN: Self = Self(None);
}

/// What is known of an identity since a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Known {
    Holds,
    Ended,
    /// Its check has to say.
    Unclear,
}

/// The last notices: one may come between the look at a session and the moment when its connection is known here.
#[derive(Default)]
pub(super) struct Recent {
    /// The number of the next notice.
    next: u64,
    last: VecDeque<Named>,
    hasher: RandomState,
}

/// Whom a notice named; users by a hash, as their ids have no largest size.
enum Named {
    Session(SessionDigest),
    User {
        hash: u64,
        except: Option<SessionDigest>,
    },
    Check {
        hash: u64,
    },
    /// Anybody may have been: notices may have been lost.
    Anybody,
}

impl Recent {
    /// More than come while a handshake's extractors run.
    const MOST: usize = 1024;

    /// Notes a notice; the number of the next.
    pub(super) fn note(&mut self, notice: &Notice) -> u64 {
        let hash = |user: &str| self.hasher.hash_one(user);
        self.push(match notice {
            Notice::SessionEnd { session } => Named::Session(*session),
            Notice::UserEnd { user, except } => Named::User { hash: hash(user), except: *except },
            Notice::UserCheck { user } => Named::Check { hash: hash(user) },
        })
    }

    /// Notes that notices may have been lost; the number of the next.
    pub(super) fn note_gap(&mut self) -> u64 {
        self.push(Named::Anybody)
    }

    fn push(&mut self, named: Named) -> u64 {
        if self.last.len() == Self::MOST {
            self.last.pop_front();
        }
        self.last.push_back(named);
        self.next += 1;
        self.next
    }

    pub(super) fn known(&self, since: Since, session: Option<SessionDigest>, user: Option<&str>) -> Known {
        let user = user.map(|user| self.hasher.hash_one(user));
        let Some(since) = since.0 else { return Known::Unclear };
        let first = self.next - self.last.len() as u64;
        let mut known = if since < first { Known::Unclear } else { Known::Holds };
        for named in self.last.iter().skip(since.saturating_sub(first) as usize) {
            match named {
                Named::Session(ended) if session == Some(*ended) => return Known::Ended,
                Named::User { hash, except }
                    if user == Some(*hash) && (except.is_none() || *except != session) =>
                {
                    return Known::Ended;
                }
                Named::Check { hash } if user == Some(*hash) => known = Known::Unclear,
                Named::Anybody => known = Known::Unclear,
                _ => {}
            }
        }
        known
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(key: &str) -> Option<SessionDigest> {
        Some(SessionDigest::of(key))
    }

    fn ended(key: &str) -> Notice {
        Notice::SessionEnd { session: SessionDigest::of(key) }
    }

    #[test]
    fn only_what_came_after_the_moment_counts() {
        let mut recent = Recent::default();
        recent.note(&ended("a"));
        let since = Since(Some(recent.note(&ended("b"))));
        recent.note(&ended("c"));
        let known = ["a", "b", "c"].map(|key| recent.known(since, session(key), None));
        assert_eq!(known, [Known::Holds, Known::Holds, Known::Ended]);
        assert_eq!(recent.known(Since::UNKNOWN, session("d"), None), Known::Unclear);
    }

    #[test]
    fn a_users_notice_spares_the_excepted_session() {
        let mut recent = Recent::default();
        recent.note(&Notice::UserEnd { user: "42".into(), except: session("mine") });
        recent.note(&Notice::UserCheck { user: "7".into() });
        let known = |key, user| recent.known(Since(Some(0)), session(key), Some(user));
        assert_eq!((known("mine", "42"), known("other", "42")), (Known::Holds, Known::Ended));
        assert_eq!((known("mine", "7"), known("mine", "8")), (Known::Unclear, Known::Holds));
        assert_eq!(recent.known(Since(Some(0)), None, Some("42")), Known::Ended);
    }

    #[test]
    fn what_was_forgotten_is_unclear_and_no_more_is_kept_than_that() {
        let mut recent = Recent::default();
        for n in 0..3000 {
            recent.note(&ended(&n.to_string()));
        }
        assert_eq!(recent.last.len(), Recent::MOST);
        assert_eq!(recent.known(Since(Some(1975)), session("a"), None), Known::Unclear);
        assert_eq!(recent.known(Since(Some(1976)), session("a"), None), Known::Holds);
        assert_eq!(recent.known(Since(Some(0)), session("2999"), None), Known::Ended);
    }
}
