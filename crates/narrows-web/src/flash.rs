//! Flash messages: what the next page says once.

use narrows_django::Session;
use serde::{Deserialize, Serialize};

/// Under which the session keeps them.
const KEY: &str = "_messages";
/// A session that nobody looks at does not grow, and one that is kept in its cookie has room for them.
const MAX_MESSAGES: usize = 10;
const MAX_CHARACTERS: usize = 300;
/// Of all texts together: in a signed cookie of 4096 bytes, whatever they are, with the user.
const MAX_BYTES: usize = 1500;

/// How a message is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// It is done.
    Success,
    /// For information.
    Info,
    /// Better look at it.
    Warning,
    /// It was not done.
    Error,
}

/// A message for the next page that this browser is shown, whoever uses it.
///
/// ```
/// use narrows_web::flash::{Flash, Level};
/// use narrows_web::narrows_django::Session;
///
/// async fn saved(session: Session) {
///     Flash::add(&session, Level::Success, "Saved.");
/// }
///
/// async fn next_page(session: Session) -> String {
///     Flash::take(&session).iter().map(|message| message.text.as_str()).collect()
/// }
/// ```
///
/// They are kept in the session, in order. Of more than ten, or of more than 1500 bytes in all, the oldest are forgotten,
/// and a long one is cut at 300 characters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flash {
    /// How it is meant.
    pub level: Level,
    /// What it says.
    pub text: String,
}

impl Flash {
    /// Adds one.
    pub fn add(session: &Session, level: Level, text: &str) {
        let mut all = session.get::<Vec<Self>>(KEY).unwrap_or_default();
        all.push(Self { level, text: cut(text) });
        let (mut bytes, mut kept) = (0, 0);
        for message in all.iter().rev().take(MAX_MESSAGES) {
            bytes += message.text.len();
            kept += usize::from(bytes <= MAX_BYTES);
        }
        all.drain(..all.len() - kept);
        session.insert(KEY, all).expect("texts can be written as JSON");
    }

    /// Takes all there are out of the session.
    pub fn take(session: &Session) -> Vec<Self> {
        let all = session.get(KEY).unwrap_or_default();
        // Untouched it is not saved.
        session.remove(KEY);
        all
    }
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(MAX_CHARACTERS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
