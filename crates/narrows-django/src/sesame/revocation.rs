use chrono::{DateTime, SecondsFormat, Timelike, Utc};

use super::{Holder, SesameSettings};

/// The last part of a stored password that tells two of them apart without giving its salt away: its length, by the
/// password's algorithm (`sesame.tokens_v2.HASH_SIZES`).
const HASH_SIZES: [(&str, usize); 8] = [
    ("pbkdf2_sha256", 44),
    ("pbkdf2_sha1", 28),
    ("argon2", 22),
    ("bcrypt_sha256", 31),
    ("bcrypt", 31),
    ("sha1", 40),
    ("md5", 32),
    ("crypt", 11),
];

/// What ends a token of version 2 when it changes.
pub(super) fn v2(settings: &SesameSettings, holder: &Holder<'_>) -> String {
    let mut text = String::new();
    if settings.invalidate_on_password_change {
        text.push_str(hash_of(holder.password));
    }
    if settings.invalidate_on_email_change {
        text.push_str(holder.email);
    }
    if let (true, Some(last_login)) = (settings.one_time, holder.last_login) {
        text.push_str(&isoformat(last_login));
    }
    text
}

/// What ends a token of version 1 when it changes.
pub(super) fn v1(settings: &SesameSettings, holder: &Holder<'_>) -> String {
    let mut text = String::new();
    if settings.invalidate_on_password_change {
        text.push_str(holder.password);
    }
    if settings.invalidate_on_email_change {
        text.push_str(holder.email);
    }
    if settings.one_time {
        text.push_str(
            &holder.last_login.map_or_else(|| "None".to_owned(), |time| isoformat(time).replace('T', " ")),
        );
    }
    text
}

fn hash_of(password: &str) -> &str {
    let algorithm = password.split('$').next().unwrap_or_default();
    let Some((_, size)) = HASH_SIZES.iter().find(|(name, _)| *name == algorithm) else { return password };
    // The last characters, as Python counts them. A stored password is ASCII, but nothing says that it has to be.
    let start = password.char_indices().rev().nth(size - 1).map_or(0, |(at, _)| at);
    &password[start..]
}

/// As Python writes a time in UTC: with microseconds, where there are any.
fn isoformat(time: DateTime<Utc>) -> String {
    let whole = time.nanosecond() / 1_000 == 0;
    time.to_rfc3339_opts(if whole { SecondsFormat::Secs } else { SecondsFormat::Micros }, false)
}
