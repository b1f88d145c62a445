use std::time::Duration;

use super::keys::Keys;
use crate::channels::ChannelsBuilder;

/// Who may come back, and with what.
impl ChannelsBuilder {
    /// For how long a client may come back after its connection was lost, and [go on](crate::Resume) where it was.
    /// Default 120 s; zero: no connection goes on.
    ///
    /// It is also for how long somebody stays in a group's presence who was cut off.
    pub fn resume_window(mut self, window: Duration) -> Self {
        self.resume_window = window;
        self
    }

    /// The secret that seals the tokens of connections that come back: the same on all nodes. Default one that only this
    /// process knows: clients can come back to it then, and not to another one or after a restart, where theirs becomes
    /// an ordinary new connection.
    ///
    /// Any bytes of which nobody can guess 128 bits. What is derived from it is used for nothing else, so it may be the
    /// site's one secret, such as Django's `SECRET_KEY`. An empty one is none.
    pub fn secret_key(self, secret: impl AsRef<[u8]>) -> Self {
        self.secret_keys(secret, [""; 0])
    }

    /// As [`secret_key`](Self::secret_key), with secrets that were in use before it, as while one is changed from node to
    /// node: what they sealed is still opened.
    pub fn secret_keys<O: AsRef<[u8]>>(
        mut self,
        secret: impl AsRef<[u8]>,
        older: impl IntoIterator<Item = O>,
    ) -> Self {
        if secret.as_ref().is_empty() {
            tracing::warn!("the secret key is empty; one that only this process knows takes its place");
        }
        let older: Vec<O> = older.into_iter().collect();
        self.keys = Some(Keys::new(secret.as_ref(), older.iter().map(AsRef::as_ref)));
        self
    }
}
