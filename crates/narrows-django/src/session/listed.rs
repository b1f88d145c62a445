//! Sessions for those who look after a site: listed, and ended.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};

use super::codec;
use super::store::{Row, Rows, Store};
use crate::accounts::Accounts;
use crate::database::DatabaseError;
use crate::hex::hex;
use crate::signing::SecretKeys;
use crate::user::{ID, UserId};

/// Names a session without its key, which would open it: the start of the key, a fifth of it at the most, and its SHA-256.
///
/// Its text is of hexadecimal digits and a full stop, and may be shown.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SessionId {
    start: String,
    digest: [u8; 32],
}

impl SessionId {
    /// Names the session with this key.
    pub fn of(key: &str) -> Self {
        let start = key.get(..key.len() / 5).unwrap_or_default().to_owned();
        Self { start, digest: Sha256::digest(key).into() }
    }

    /// The SHA-256 of the key, in 64 hexadecimal digits: as `narrows::live` names the session of a connection.
    pub fn digest(&self) -> String {
        hex(&self.digest)
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", hex(self.start.as_bytes()), hex(&self.digest))
    }
}

/// A text that names no session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is not the id of a session")]
#[non_exhaustive]
pub struct ParseSessionIdError;

impl FromStr for SessionId {
    type Err = ParseSessionIdError;

    fn from_str(text: &str) -> Result<Self, ParseSessionIdError> {
        let (start, digest) = text.split_once('.').ok_or(ParseSessionIdError)?;
        // A key has forty characters at the most.
        let start = unhex(start).filter(|start| start.len() <= 8 && start.iter().all(u8::is_ascii_graphic));
        let start = start.and_then(|start| String::from_utf8(start).ok()).ok_or(ParseSessionIdError)?;
        let digest = unhex(digest).and_then(|digest| digest.try_into().ok()).ok_or(ParseSessionIdError)?;
        Ok(Self { start, digest })
    }
}

/// A session, as it is listed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListedSession {
    /// Its name.
    pub id: SessionId,
    /// Whose it says that it is; `None` for a visitor's. They may have been locked out since, or changed their password.
    pub user: Option<UserId>,
    /// When it is over, or was.
    pub expires: DateTime<Utc>,
}

/// A part of the sessions.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SessionPage {
    /// The sessions.
    pub sessions: Vec<ListedSession>,
    /// Where to look on; `None` at the end.
    pub next: Option<u64>,
    /// How many sessions there are in all, those that are over among them.
    pub count: u64,
}

/// Why sessions were not listed, or not ended.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ListSessionsError {
    /// They are in cookies or in files, where nobody can say which there are.
    #[error("sessions are not in the database, and cannot be listed")]
    NotListed,
    /// The database is away.
    #[error(transparent)]
    Database(#[from] DatabaseError),
}

/// So many rows are read at once.
const BATCH: u64 = 500;

/// So many rows are looked through for one page.
const LOOKED_THROUGH: u64 = 5000;

impl Accounts {
    /// Whether sessions can be listed: those in the database can.
    pub fn lists_sessions(&self) -> bool {
        matches!(self.store(), Store::Rows(_))
    }

    /// Up to `limit` sessions, 200 at the most, those that last longest first, from this place on: 0, or what a page before said.
    ///
    /// Whose a session is stands in it, so for those of one user the table is looked through, 5000 rows at a time: a page may
    /// be empty and have a next one.
    ///
    /// # Errors
    /// [`ListSessionsError`].
    ///
    /// # Cancel safety
    /// It only reads.
    pub async fn list_sessions(
        &self,
        user: Option<&UserId>,
        from: u64,
        limit: u64,
    ) -> Result<SessionPage, ListSessionsError> {
        let (rows, limit) = (self.rows()?, limit.clamp(1, 200) as usize);
        // Databases count so far.
        let from = from.min(u64::from(u32::MAX));
        let (mut sessions, mut at, count) = (Vec::new(), from, rows.count().await?);
        while at < from + LOOKED_THROUGH {
            let batch = if user.is_some() { BATCH } else { limit as u64 };
            let some = rows.some(at, batch).await?;
            let is_last = (some.len() as u64) < batch;
            for session in self.read_rows(some).await {
                if sessions.len() == limit {
                    return Ok(SessionPage { sessions, next: Some(at), count });
                }
                at += 1;
                if user.is_none_or(|user| self.is_of(&session, user)) {
                    sessions.push(session);
                }
            }
            if is_last {
                return Ok(SessionPage { sessions, next: None, count });
            }
            if sessions.len() == limit {
                break;
            }
        }
        Ok(SessionPage { sessions, next: Some(at).filter(|at| *at < count), count })
    }

    /// One session.
    ///
    /// # Errors
    /// [`ListSessionsError`].
    ///
    /// # Cancel safety
    /// It only reads.
    pub async fn listed_session(&self, id: &SessionId) -> Result<Option<ListedSession>, ListSessionsError> {
        let Some(row) = self.row(id).await? else { return Ok(None) };
        Ok(self.read_rows(vec![row]).await.pop())
    }

    /// Ends a session: whoever has it is logged out, and its sockets close on every node. `false` when it is not there.
    ///
    /// # Errors
    /// [`ListSessionsError`].
    ///
    /// # Cancel safety
    /// Given up, it may have happened, or not; sockets that were not ended yet end at their next check.
    pub async fn end_listed_session(&self, id: &SessionId) -> Result<bool, ListSessionsError> {
        let Some(row) = self.row(id).await? else { return Ok(false) };
        let deleted = self.rows()?.delete_many(vec![row.key.clone()]).await?;
        self.session_changed(&row.key);
        self.end_session(&row.key).await;
        Ok(deleted > 0)
    }

    /// Ends all sessions of a user but the one with this key, and says how many there were. Their sockets close on every node,
    /// those that came in by a token too.
    ///
    /// It looks through the whole table.
    ///
    /// # Errors
    /// [`ListSessionsError`]. Some may have been ended.
    ///
    /// # Cancel safety
    /// Given up, some may have been ended.
    pub async fn end_sessions_of(
        &self,
        user: &UserId,
        except: Option<&str>,
    ) -> Result<u64, ListSessionsError> {
        let rows = self.rows()?;
        let (mut last, mut ended) = (String::new(), 0);
        loop {
            let some = rows.behind(&last, BATCH).await?;
            let is_last = (some.len() as u64) < BATCH;
            let keys: Vec<String> = some.iter().map(|row| row.key.clone()).collect();
            if let Some(key) = keys.last() {
                last.clone_from(key);
            }
            let sessions = keys.into_iter().zip(self.read_rows(some).await);
            let of_user = sessions.filter(|(key, one)| self.is_of(one, user) && except != Some(key.as_str()));
            let keys: Vec<String> = of_user.map(|(key, _)| key).collect();
            if !keys.is_empty() {
                ended += rows.delete_many(keys.clone()).await?;
                keys.iter().for_each(|key| self.session_changed(key));
            }
            if is_last {
                break;
            }
        }
        self.end_user(user, except).await;
        Ok(ended)
    }

    fn rows(&self) -> Result<&Rows, ListSessionsError> {
        match self.store() {
            Store::Rows(rows) => Ok(rows),
            Store::Files(_) | Store::Cookies => Err(ListSessionsError::NotListed),
        }
    }

    async fn row(&self, id: &SessionId) -> Result<Option<Row>, ListSessionsError> {
        let some = self.rows()?.beginning(&id.start).await?;
        Ok(some.into_iter().find(|row| SessionId::of(&row.key) == *id))
    }

    fn is_of(&self, session: &ListedSession, user: &UserId) -> bool {
        session.user.as_ref().is_some_and(|known| self.is_same_user(known.as_str(), user.as_str()))
    }

    /// Takes rows apart, away from where connections are served.
    async fn read_rows(&self, rows: Vec<Row>) -> Vec<ListedSession> {
        let keys = self.keys().clone();
        let read = move || rows.iter().map(|row| read(row, &keys)).collect();
        tokio::task::spawn_blocking(read).await.expect("it does not panic")
    }
}

fn read(row: &Row, keys: &SecretKeys) -> ListedSession {
    let user = codec::peek(&row.text, keys).and_then(|values| values.get::<String>(ID));
    ListedSession { id: SessionId::of(&row.key), user: user.map(|id| UserId::new(&id)), expires: row.expires }
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let byte = |[high, low]: &[u8; 2]| Some((digit(*high)? << 4) | digit(*low)?);
    if rest.is_empty() { pairs.iter().map(byte).collect() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_read_as_it_was_written_and_shows_a_fifth_of_the_key() {
        let key = "0123456789abcdefghijklmnopqrstuv";
        let id = SessionId::of(key);
        assert_eq!((id.start.as_str(), id.digest().len()), ("012345", 64));
        assert_eq!(id.to_string().parse(), Ok(id.clone()));
        assert!(!id.to_string().contains(key) && !id.to_string().contains(&hex(key.as_bytes())));
        let text = id.to_string();
        for bad in
            ["", ".", "zz.00", &text[1..], &text[..text.len() - 2], &text.to_uppercase(), &format!("é{text}")]
        {
            assert_eq!(bad.parse::<SessionId>(), Err(ParseSessionIdError), "{bad}");
        }
    }
}
