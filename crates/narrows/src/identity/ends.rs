use futures_util::future::{FutureExt, join};

use super::digest::SessionDigest;
use super::notice::{Notice, notices};
use crate::channels::{BroadcastError, Channels};
use crate::resume::{session_end, user_end};

/// The ends of sessions and users, as a site says them.
impl Channels {
    /// Closes every connection of this session, on every node, with 4401; see [`Identity`](crate::Identity). Log the session out first:
    /// who connects afterwards is for the site's own extractors to refuse.
    ///
    /// # Errors
    /// As for [`broadcast`](Self::broadcast).
    ///
    /// # Cancel safety
    /// As for [`broadcast`](Self::broadcast).
    pub async fn end_session(&self, key: &str) -> Result<(), BroadcastError> {
        let session = SessionDigest::of(key);
        self.end(session_end(session), Notice::SessionEnd { session }).await
    }

    /// Closes every connection of this user, on every node, with 4401.
    ///
    /// # Errors
    /// As for [`broadcast`](Self::broadcast).
    ///
    /// # Cancel safety
    /// As for [`broadcast`](Self::broadcast).
    pub async fn end_user(&self, id: &str) -> Result<(), BroadcastError> {
        self.end(user_end(id), Notice::UserEnd { user: id.to_owned(), except: None }).await
    }

    /// As [`end_user`](Self::end_user), but for the connections of one session: for a change of password, which logs
    /// the user out everywhere else.
    ///
    /// # Errors
    /// As for [`broadcast`](Self::broadcast).
    ///
    /// # Cancel safety
    /// As for [`broadcast`](Self::broadcast).
    pub async fn end_user_except(&self, id: &str, session_key: &str) -> Result<(), BroadcastError> {
        let except = Some(SessionDigest::of(session_key));
        self.end(user_end(id), Notice::UserEnd { user: id.to_owned(), except }).await
    }

    /// Has every node check the connections of this user now, and not only when their turn comes. Those without a
    /// [check](crate::IdentityCheck) stay.
    ///
    /// # Errors
    /// As for [`broadcast`](Self::broadcast).
    ///
    /// # Cancel safety
    /// As for [`broadcast`](Self::broadcast).
    pub async fn check_user(&self, id: &str) -> Result<(), BroadcastError> {
        self.notify(&Notice::UserCheck { user: id.to_owned() }).await
    }

    /// Ends those who are here, and lets those who are on their way back not go on. A store that does not answer keeps
    /// nobody here, nor does a caller who is gone.
    async fn end(&self, ended: String, notice: Notice) -> Result<(), BroadcastError> {
        let mut revoke = Box::pin(self.resumption().revoke(ended));
        if let Some(revoked) = revoke.as_mut().now_or_never() {
            self.notify(&notice).await?;
            return Ok(revoked?);
        }
        let (notified, revoked) = join(self.notify(&notice), revoke).await;
        notified?;
        revoked?;
        // Who came back between the two heard the notice too early, and was let in too late.
        self.notify(&notice).await
    }

    async fn notify(&self, notice: &Notice) -> Result<(), BroadcastError> {
        self.broadcast(&notices(), notice).await
    }
}
